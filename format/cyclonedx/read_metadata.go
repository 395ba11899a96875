package cyclonedx

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

func (d *document) metadata(m *cdx.Metadata) {
	d.out.Created = m.Timestamp
	d.out.Authors = authors(m)
	d.out.Tools = tools(m.Tools)
	for _, l := range list(m.Lifecycles) {
		d.out.Lifecycles = append(d.out.Lifecycles, cmp.Or(string(l.Phase), l.Name))
	}
	if m.Component != nil {
		d.subject(m.Component)
	}
	if d.out.Subject.Manufacturer == "" && m.Manufacture != nil {
		d.out.Subject.Manufacturer = m.Manufacture.Name
	}
	for _, p := range list(m.Properties) {
		d.documentProperty(p)
	}
}

func (d *document) documentProperty(p cdx.Property) {
	switch p.Name {
	case bom.Manufacturer:
		d.out.Subject.Manufacturer = p.Value
		return
	case gapProperty:
	default:
		return
	}
	var g biopsy.Gap
	if err := json.Unmarshal([]byte(p.Value), &g); err != nil {
		d.Gap(biopsy.Gap{Reason: fmt.Sprintf("property %s: %v", gapProperty, err)})
		return
	}
	d.stated = append(d.stated, g)
}

// subject takes what the document describes. It is a component of its own when something names it as software.
func (d *document) subject(c *cdx.Component) {
	d.out.Subject = biopsy.Subject{Name: c.Name, Version: c.Version, Kind: biopsy.Kind(c.Type)}
	for _, org := range []*cdx.OrganizationalEntity{c.Manufacturer, c.Supplier} {
		if org != nil && d.out.Subject.Manufacturer == "" {
			d.out.Subject.Manufacturer = bom.JoinMail(org.Name, soleMail(org))
		}
	}
	ref := cmp.Or(c.BOMRef, "\x00subject")
	if c.PackageURL == "" && c.CPE == "" && c.SWID == nil {
		d.Artifact(ref, 0)
		d.relations(c, ref)
	} else {
		d.subjectComponent(c, ref)
	}
	if a := artifactOf(c); a != nil {
		d.artifacts = append(d.artifacts, *a)
	}
	for i := range list(c.Components) {
		d.part(&(*c.Components)[i], ref)
	}
}

func (d *document) subjectComponent(c *cdx.Component, ref string) {
	out := d.toComponent(c, biopsy.Place{Path: d.name})
	if out.Name == "" {
		d.Artifact(ref, 0)
		return
	}
	bom.Keep(&out, bom.SubjectKey, "true")
	d.out.SubjectID = d.Add(ref, out)
	d.relations(c, ref)
	d.Relate("artifact:0", ref, biopsy.Contains, "")
}

// part takes what is inside the subject: an artifact of a scan, the ledger of a container, or a component like any other.
func (d *document) part(c *cdx.Component, parent string) {
	if d.ledger(c) {
		return
	}
	a := artifactOf(c)
	if a == nil {
		d.component(c, biopsy.Place{Path: d.name}, parent)
		return
	}
	if len(d.artifacts) > 0 {
		d.Artifact(c.BOMRef, len(d.artifacts))
	}
	d.relations(c, c.BOMRef)
	d.artifacts = append(d.artifacts, *a)
	for i := range list(c.Components) {
		d.part(&(*c.Components)[i], c.BOMRef)
	}
}

// ledger takes a component that stands for the bytes of a container.
func (d *document) ledger(c *cdx.Component) bool {
	for _, p := range list(c.Properties) {
		if p.Name != bom.LedgerMap {
			continue
		}
		l, err := bom.ReadLedger(p.Value)
		if err != nil {
			d.Gap(biopsy.Gap{Reason: err.Error()})
			return true
		}
		if d.maps == nil {
			d.maps = map[string]bool{}
		}
		d.maps[c.BOMRef] = true
		d.ledgers = append(d.ledgers, l)
		return true
	}
	return false
}

// artifactOf reads an artifact of a scan from its properties; nil when c is none.
func artifactOf(c *cdx.Component) (a *biopsy.Artifact) {
	for _, p := range list(c.Properties) {
		bom.SetArtifact(&a, bom.Property{Name: p.Name, Value: p.Value})
	}
	return a
}

// authors lists who made the document: people and organisations, not tools.
func authors(m *cdx.Metadata) []string {
	var out []string
	for _, a := range list(m.Authors) {
		out = appendName(out, a.Name, a.Email)
	}
	for _, org := range []*cdx.OrganizationalEntity{m.Manufacturer, m.Supplier} {
		if org == nil {
			continue
		}
		mail := ""
		for _, c := range list(org.Contact) {
			mail = cmp.Or(mail, c.Email)
		}
		out = appendName(out, org.Name, mail)
	}
	return out
}

// maxAuthors bounds what a document can make us compare.
const maxAuthors = 1000

func appendName(to []string, name, mail string) []string {
	if mail != "" {
		name = strings.TrimSpace(name + " <" + mail + ">")
	}
	if name == "" || len(to) == maxAuthors {
		return to
	}
	for _, have := range to {
		if have == name {
			return to
		}
	}
	return append(to, name)
}

func tools(in *cdx.ToolsChoice) []biopsy.Tool {
	if in == nil {
		return nil
	}
	var out []biopsy.Tool
	for _, t := range list(in.Tools) {
		out = append(out, biopsy.Tool{Name: t.Name, Version: t.Version})
	}
	for _, c := range list(in.Components) {
		out = append(out, biopsy.Tool{Name: c.Name, Version: c.Version})
	}
	for _, s := range list(in.Services) {
		out = append(out, biopsy.Tool{Name: s.Name, Version: s.Version})
	}
	return out
}
