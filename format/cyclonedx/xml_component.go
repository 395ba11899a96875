package cyclonedx

import (
	"bytes"
	"encoding/json"
	"slices"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/biopsy-sca/biopsy/internal/bom"
)

// xmlComponent is a component whose occurrences have their facts as elements, as the XML schemas 1.6 and 1.7 want them; the library
// (v0.12.0) makes attributes of them. It repeats the fields that follow evidence, for elements have an order.
type xmlComponent struct {
	cdx.Component
	Components       *[]xmlComponent        `xml:"components>component,omitempty"`
	Evidence         *xmlEvidence           `xml:"evidence,omitempty"`
	ReleaseNotes     *cdx.ReleaseNotes      `xml:"releaseNotes,omitempty"`
	ModelCard        *cdx.MLModelCard       `xml:"modelCard,omitempty"`
	Data             *[]cdx.ComponentData   `xml:"data,omitempty"`
	CryptoProperties *cdx.CryptoProperties  `xml:"cryptoProperties,omitempty"`
	Tags             *[]string              `xml:"tags>tag,omitempty"`
	PatentAssertions *[]cdx.PatentAssertion `xml:"patentAssertions>patentAssertion,omitempty"`
}

type xmlEvidence struct {
	Identity    *[]cdx.EvidenceIdentity `xml:"identity,omitempty"`
	Occurrences *[]xmlOccurrence        `xml:"occurrences>occurrence,omitempty"`
	Callstack   *cdx.Callstack          `xml:"callstack,omitempty"`
	Licenses    *cdx.Licenses           `xml:"licenses,omitempty"`
	Copyright   *[]cdx.Copyright        `xml:"copyright>text,omitempty"`
}

type xmlOccurrence struct {
	BOMRef            string `xml:"bom-ref,attr,omitempty"`
	Location          string `xml:"location"`
	Line              *int   `xml:"line,omitempty"`
	Offset            *int   `xml:"offset,omitempty"`
	Symbol            string `xml:"symbol,omitempty"`
	AdditionalContext string `xml:"additionalContext,omitempty"`
}

func newXMLComponent(c *cdx.Component) *xmlComponent {
	out := &xmlComponent{Component: *c, ReleaseNotes: c.ReleaseNotes, ModelCard: c.ModelCard, Data: c.Data,
		CryptoProperties: c.CryptoProperties, Tags: c.Tags, PatentAssertions: c.PatentAssertions}
	out.detour()
	if e := c.Evidence; e != nil {
		out.Evidence = &xmlEvidence{Callstack: e.Callstack, Licenses: e.Licenses, Copyright: e.Copyright}
		if e.Identity != nil {
			out.Evidence.Identity = e.Identity.Identities
		}
		if e.Occurrences != nil {
			all := make([]xmlOccurrence, len(*e.Occurrences))
			for i, o := range *e.Occurrences {
				all[i] = xmlOccurrence(o)
			}
			out.Evidence.Occurrences = &all
		}
	}
	if c.Components != nil {
		all := make([]xmlComponent, len(*c.Components))
		for i := range *c.Components {
			all[i] = *newXMLComponent(&(*c.Components)[i])
		}
		out.Components = &all
	}
	return out
}

// detour makes properties of what the library writes so that the schema refuses it: an author before authors, and references of
// cryptographic assets, which are text in the schema and attributes in the library.
func (x *xmlComponent) detour() {
	if x.Author != "" && x.Authors != nil {
		x.property("author", x.Author)
		x.Author = ""
	}
	if x.CryptoProperties == nil {
		return
	}
	b, err := json.Marshal(x.CryptoProperties)
	if err == nil && bytes.Contains(b, []byte(`Ref":`)) {
		x.property("cryptoProperties", string(b))
		x.CryptoProperties = nil
	}
}

func (x *xmlComponent) property(name, value string) {
	all := append(slices.Clone(list(x.Properties)), cdx.Property{Name: bom.Prefix + "extra:" + extraKey + name, Value: value})
	x.Properties = &all
}

// plain is the way back.
func (x *xmlComponent) plain() *cdx.Component {
	c := x.Component
	c.ReleaseNotes, c.ModelCard, c.Data, c.CryptoProperties = x.ReleaseNotes, x.ModelCard, x.Data, x.CryptoProperties
	c.Tags, c.PatentAssertions = x.Tags, x.PatentAssertions
	if e := x.Evidence; e != nil {
		c.Evidence = &cdx.Evidence{Callstack: e.Callstack, Licenses: e.Licenses, Copyright: e.Copyright}
		if e.Identity != nil {
			c.Evidence.Identity = &cdx.EvidenceIdentityChoice{Identities: e.Identity}
		}
		if e.Occurrences != nil {
			all := make([]cdx.EvidenceOccurrence, len(*e.Occurrences))
			for i, o := range *e.Occurrences {
				all[i] = cdx.EvidenceOccurrence(o)
			}
			c.Evidence.Occurrences = &all
		}
	}
	if x.Components != nil {
		all := make([]cdx.Component, len(*x.Components))
		for i := range *x.Components {
			all[i] = *(*x.Components)[i].plain()
		}
		c.Components = &all
	}
	return &c
}

// xmlMetadata is metadata whose component is an xmlComponent; it repeats the fields that follow.
type xmlMetadata struct {
	cdx.Metadata
	Component               *xmlComponent                `xml:"component,omitempty"`
	Manufacture             *cdx.OrganizationalEntity    `xml:"manufacture,omitempty"`
	Manufacturer            *cdx.OrganizationalEntity    `xml:"manufacturer,omitempty"`
	Supplier                *cdx.OrganizationalEntity    `xml:"supplier,omitempty"`
	Licenses                *cdx.Licenses                `xml:"licenses,omitempty"`
	Properties              *[]cdx.Property              `xml:"properties>property,omitempty"`
	DistributionConstraints *cdx.DistributionConstraints `xml:"distributionConstraints,omitempty"`
}

func newXMLMetadata(m *cdx.Metadata) *xmlMetadata {
	out := &xmlMetadata{Metadata: *m, Manufacture: m.Manufacture, Manufacturer: m.Manufacturer, Supplier: m.Supplier, Licenses: m.Licenses,
		Properties: m.Properties, DistributionConstraints: m.DistributionConstraints}
	if m.Component != nil {
		out.Component = newXMLComponent(m.Component)
	}
	return out
}

// plain is the way back.
func (x *xmlMetadata) plain() *cdx.Metadata {
	m := x.Metadata
	m.Manufacture, m.Manufacturer, m.Supplier, m.Licenses = x.Manufacture, x.Manufacturer, x.Supplier, x.Licenses
	m.Properties, m.DistributionConstraints = x.Properties, x.DistributionConstraints
	if x.Component != nil {
		m.Component = x.Component.plain()
	}
	return &m
}
