package cyclonedx

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

func (o *scanWriter) metadata() (*cdx.Metadata, error) {
	m := &cdx.Metadata{Timestamp: bom.Created(o.Scan), Tools: o.tool()}
	if phase := bom.Lifecycle(o.Scan); phase != "" {
		m.Lifecycles = &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhase(phase)}}
	}
	if name := bom.Clean(o.Subject.Manufacturer); name != "" {
		m.Manufacturer = &cdx.OrganizationalEntity{Name: name}
		m.Supplier = &cdx.OrganizationalEntity{Name: name}
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
	if name := bom.Clean(o.Subject.Manufacturer); name != "" && o.subject < 0 {
		c.Manufacturer = &cdx.OrganizationalEntity{Name: name}
		c.Supplier = &cdx.OrganizationalEntity{Name: name}
	}
	var parts []cdx.Component
	for i := range o.Artifacts {
		if len(o.Artifacts) == 1 {
			p = append(p, artifactProperties(&o.Artifacts[i])...)
			if c.Hashes == nil {
				c.Hashes = digest(o.Artifacts[i].Digest)
			}
			if o.subject < 0 {
				p = append(p, o.outward("artifact:0")...)
			}
			continue
		}
		parts = append(parts, o.part(i))
	}
	if parts != nil {
		c.Components = &parts
	}
	c.Properties = p.list()
	return c, nil
}

// part is one of several artifacts.
func (o *scanWriter) part(i int) cdx.Component {
	a := &o.Artifacts[i]
	p := artifactProperties(a)
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
	return cdx.Component{BOMRef: ref, Type: t, Name: name, Hashes: digest(a.Digest), Properties: p.list()}
}

func artifactProperties(a *biopsy.Artifact) properties {
	var p properties
	add := func(name, value string) {
		if value != "" && value != "0" {
			p.add(artifactProperty+name, value)
		}
	}
	add("ref", a.Ref)
	add("name", a.Name)
	add("kind", a.Kind)
	add("digest", a.Digest)
	add("size", strconv.FormatInt(a.Size, 10))
	add("files", strconv.Itoa(a.Files))
	for _, l := range a.Layers {
		add("layer", strings.TrimSpace(l.DiffID+" "+l.CreatedBy))
	}
	return p
}

// digest writes an artifact's digest where regulators look for the hash of the product.
func digest(d string) *[]cdx.Hash {
	v, ok := strings.CutPrefix(d, "sha256:")
	if !ok || !bom.HexDigest(v) {
		return nil
	}
	return &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: v}}
}

// facts are the statements about the document as a whole that no field holds: options, books, coverage, and every gap.
func (o *scanWriter) facts() (properties, error) {
	var p properties
	add := func(name, value string) {
		if value != "" {
			p.add(bom.Prefix+name, value)
		}
	}
	add("depth", string(o.Options.Depth))
	add("as-of", o.Options.AsOf)
	for _, x := range o.Options.Exclude {
		add("exclude", x)
	}
	for _, b := range o.Books {
		add("book", strings.TrimSpace(b.Name+" "+b.Digest+" "+b.Built))
	}
	for _, l := range o.Ledgers {
		add("coverage", coverage(l))
	}
	for _, g := range o.Gaps {
		b, err := json.Marshal(g)
		if err != nil {
			return nil, fmt.Errorf("gap at %s: %w", g.Place, err)
		}
		p.add(gapProperty, string(b))
	}
	return p, nil
}

// coverage sums a ledger: "update.bin: encrypted 512, parsed 1024 bytes".
func coverage(l biopsy.Ledger) string {
	sums := map[string]int64{}
	for _, s := range l.Spans {
		what := string(s.Status)
		if what == "" {
			what = "unknown"
		}
		sums[what] += s.Size
	}
	var parts []string
	for what, n := range sums {
		parts = append(parts, what+" "+strconv.FormatInt(n, 10))
	}
	slices.Sort(parts)
	return l.Place.String() + ": " + strings.Join(parts, ", ") + " bytes"
}
