package cyclonedx

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/biopsy-sca/biopsy/internal/bom"
)

func (o *scanWriter) metadata() (*cdx.Metadata, error) {
	m := &cdx.Metadata{Timestamp: bom.Created(o.Scan), Tools: o.tool()}
	if phase := bom.Lifecycle(o.Scan); phase != "" {
		m.Lifecycles = &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhase(phase)}}
	}
	if name := o.Subject.Manufacturer; name != "" {
		m.Manufacturer, m.Supplier = organization(name), organization(name)
	}
	var err error
	if m.Component, err = o.describes(); err != nil {
		return nil, err
	}
	p, err := o.facts()
	m.Properties = p.list()
	return m, err
}

func (o *scanWriter) tool() *cdx.ToolsChoice {
	if o.Tool.Name == "" {
		return nil
	}
	t := cdx.Component{Type: cdx.ComponentTypeApplication, Name: bom.Clean(o.Tool.Name), Version: bom.Clean(o.Tool.Version)}
	if o.Tool.Commit != "" {
		t.Properties = &[]cdx.Property{{Name: bom.Prefix + "commit", Value: bom.Clean(o.Tool.Commit)}}
	}
	return &cdx.ToolsChoice{Components: &[]cdx.Component{t}}
}

// describes is the subject: the component that an SBOM named, or the device with its artifacts.
func (o *scanWriter) describes() (*cdx.Component, error) {
	var c *cdx.Component
	var p properties
	if o.subject >= 0 {
		var err error
		if c, err = o.component(&o.Components[o.subject]); err != nil {
			return nil, err
		}
		for _, x := range list(c.Properties) {
			p.add(x.Name, x.Value)
		}
	} else {
		c = &cdx.Component{BOMRef: o.root, Name: bom.Clean(o.Subject.Name), Version: bom.Clean(o.Subject.Version), Type: kind(o.Subject.Kind, &p)}
		if c.Name == "" {
			c.Name = "unnamed"
		}
	}
	if name := o.Subject.Manufacturer; name != "" && o.subject < 0 {
		c.Manufacturer, c.Supplier = organization(name), organization(name)
	}
	var parts []cdx.Component
	for i := range o.Artifacts {
		if len(o.Artifacts) == 1 {
			p = append(p, bom.ArtifactProperties(&o.Artifacts[i])...)
			if c.Hashes == nil {
				c.Hashes = digest(o.Artifacts[i].Digest)
			}
			if o.subject < 0 {
				p = append(p, o.outward("artifact:0")...)
			}
			p = append(p, o.coverage(i)...)
			inside, err := o.containers(i)
			if err != nil {
				return nil, err
			}
			parts = append(parts, inside...)
			continue
		}
		part, err := o.part(i)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	if parts != nil {
		c.Components = &parts
	}
	c.Properties = p.list()
	return c, nil
}

// part is one of several artifacts.
func (o *scanWriter) part(i int) (cdx.Component, error) {
	a := &o.Artifacts[i]
	p := append(properties(bom.ArtifactProperties(a)), o.coverage(i)...)
	ref := "artifact:" + strconv.Itoa(i)
	p = append(p, o.outward(ref)...)
	name := bom.Clean(a.Name)
	if name == "" {
		name = ref
	}
	t := cdx.ComponentTypeFile
	if a.Kind == "container-image" {
		t = cdx.ComponentTypeContainer
	}
	out := cdx.Component{BOMRef: ref, Type: t, Name: name, Hashes: digest(a.Digest), Properties: p.list()}
	inside, err := o.containers(i)
	if inside != nil {
		out.Components = &inside
	}
	return out, err
}

// coverage says of an artifact that is itself an image how many of its bytes are what.
func (o *scanWriter) coverage(artifact int) []bom.Property {
	if i := bom.LedgerOf(o.Scan, artifact); i >= 0 {
		return bom.LedgerProperties(&o.Ledgers[i])
	}
	return nil
}

// containers are the files of an artifact whose every byte is accounted for, itself included when it is an image: what the compositions
// of bytes speak of.
func (o *scanWriter) containers(artifact int) ([]cdx.Component, error) {
	var out []cdx.Component
	for i := range o.Ledgers {
		l := &o.Ledgers[i]
		if l.Place.Artifact != artifact {
			continue
		}
		whole, err := bom.LedgerProperty(l)
		if err != nil {
			return nil, err
		}
		p := append(properties(bom.LedgerProperties(l)), whole)
		name := bom.Clean(l.Place.Path)
		if name == "" {
			name = ledgerRef(i)
		}
		out = append(out, cdx.Component{BOMRef: ledgerRef(i), Type: cdx.ComponentTypeFile, Name: name, Properties: p.list()})
	}
	return out, nil
}

func ledgerRef(i int) string { return "ledger:" + strconv.Itoa(i) }

// digest writes an artifact's digest where regulators look for the hash of the product.
func digest(d string) *[]cdx.Hash {
	v, ok := strings.CutPrefix(d, "sha256:")
	if !ok || !bom.HexDigest(v) {
		return nil
	}
	return &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: v}}
}

// facts are the statements about the document as a whole that no field holds, and every gap.
func (o *scanWriter) facts() (properties, error) {
	p := properties(bom.Facts(o.Scan))
	for _, g := range o.Gaps {
		b, err := json.Marshal(g)
		if err != nil {
			return nil, fmt.Errorf("gap at %s: %w", g.Place, err)
		}
		p.add(gapProperty, string(b))
	}
	return p, nil
}
