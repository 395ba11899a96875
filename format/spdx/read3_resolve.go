package spdx

import (
	"slices"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

type licensed struct {
	component, license, basis string
}

func licenseID(iri string) string {
	return iri[strings.LastIndexAny(iri, "/#")+1:]
}

// take gives a component its licence at once when both are known, for a graph may have millions; else at the end.
func (l *later) take(d *document, x licensed) {
	words, known := l.licences[x.license]
	c := d.Component(x.component)
	switch {
	case !known || c == nil || strings.HasPrefix(words, "\x00"):
		l.licensed = append(l.licensed, x)
	case !l.exact[x.component]:
		l.license(c, x)
	}
}

// resolve brings names, licences and the subject together once the whole graph is read.
func (l *later) resolve(d *document) {
	if !l.seen {
		return
	}
	for _, add := range l.delayed {
		add()
	}
	for _, id := range l.tools {
		d.out.Tools = append(d.out.Tools, toolOf(l.agents[id]))
	}
	for _, id := range l.creators {
		if name := l.agents[id]; name != "" {
			d.out.Authors = append(d.out.Authors, name)
		}
	}
	for _, s := range l.supplied {
		if c := d.Component(s.a); c != nil && c.Supplier == "" {
			c.Supplier = stated(l.agents[s.b])
		}
	}
	for _, x := range l.customIDs {
		d.extract(&extractedLicense{LicenseID: x.a, Name: l.texts[x.b]})
	}
	for _, x := range l.licensed {
		if c := d.Component(x.component); c != nil && !l.exact[x.component] {
			l.license(c, x)
		}
	}
	for _, top := range l.tops {
		for _, root := range l.roots[top] {
			l.describe(d, root)
		}
	}
}

// describe follows collections down to the elements that they are about, each once.
func (l *later) describe(d *document, ref string) {
	roots, collection := l.roots[ref]
	if !collection {
		if d.ID(ref) != "" {
			d.describes(ref)
		}
		return
	}
	delete(l.roots, ref)
	for _, root := range roots {
		l.describe(d, root)
	}
}

// maxLicenses bounds the licences of one component of a graph.
const maxLicenses = 1000

func (l *later) license(c *biopsy.Component, x licensed) {
	words := l.expression(x.license, 0)
	if words == "" || strings.HasPrefix(words, "NoAssertion") || strings.HasPrefix(words, "None") {
		return
	}
	out := biopsy.License{Basis: x.basis}
	bom.SetLicense(&out, words)
	if name := l.texts[x.license]; name != "" && out.Expression == "" {
		out.Name = name
	}
	if len(c.Licenses) < maxLicenses && !slices.Contains(c.Licenses, out) {
		c.Licenses = append(c.Licenses, out)
	}
}

// expression writes a licence element as words; sets nest no deeper than 8.
func (l *later) expression(id string, depth int) string {
	words, ok := l.licences[id]
	if !ok {
		return stated(licenseID(id))
	}
	rest, set := strings.CutPrefix(words, "\x00")
	if !set || depth > 8 {
		return stated(words)
	}
	operator, members, _ := strings.Cut(rest, "\x00")
	var parts []string
	for _, m := range strings.Split(members, "\x00") {
		w := l.expression(m, depth+1)
		if strings.Contains(w, " ") {
			w = "(" + w + ")"
		}
		parts = append(parts, w)
	}
	return strings.Join(parts, " "+operator+" ")
}
