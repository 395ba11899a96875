package spdx

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
	"github.com/biopsy-sca/biopsy/license"
)

// licenses joins what is declared, and what is concluded, into one expression each. What was read from texts is in the note.
func (o *scanWriter) licenses(c *biopsy.Component) (declared, concluded string) {
	var d, k []string
	for _, l := range c.Licenses {
		x := o.expression(l)
		switch {
		case x == "" || l.Basis == "found":
		case l.Basis == "concluded":
			k = append(k, x)
		default:
			d = append(d, x)
		}
	}
	return join(d), join(k)
}

func join(list []string) string {
	switch len(list) {
	case 0:
		return "NOASSERTION"
	case 1:
		return list[0]
	}
	for i, x := range list {
		if strings.Contains(x, " ") {
			list[i] = "(" + x + ")"
		}
	}
	return strings.Join(list, " AND ")
}

// expression writes a statement as SPDX: words that are no expression get an id of their own.
func (o *scanWriter) expression(l biopsy.License) string {
	if license.Valid(l.Expression) {
		o.declare(l)
		return l.Expression
	}
	name := bom.Line(cmp.Or(l.Expression, l.Name, l.URL))
	if name == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(name))
	ref := refPrefix + slug(name) + "-" + hex.EncodeToString(sum[:4])
	o.names[ref] = biopsy.License{Name: name, URL: l.URL}
	return ref
}

// declare remembers the LicenseRefs of an expression: a document must say something of each.
func (o *scanWriter) declare(l biopsy.License) {
	for _, ref := range license.Refs(l.Expression) {
		if _, ok := o.names[ref]; !ok && !strings.HasPrefix(ref, "DocumentRef-") {
			o.names[ref] = biopsy.License{Name: cmp.Or(bom.Line(l.Name), ref)}
		}
	}
}

// slug keeps letters, digits, dots and dashes, as ids want them, and no more than 64 of them.
func slug(s string) string {
	var b strings.Builder
	for i := 0; i < len(s) && b.Len() < 64; i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '.' || c == '-':
			b.WriteByte(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return cmp.Or(strings.Trim(b.String(), "-"), "x")
}

func (o *scanWriter) extracted(e encoder) error {
	for _, ref := range slices.Sorted(maps.Keys(o.names)) {
		l := o.names[ref]
		x := &extractedLicense{LicenseID: ref, Name: l.Name, ExtractedText: l.Name}
		if bom.URI(l.URL) {
			x.SeeAlsos = []string{l.URL}
		}
		if err := e.extracted(x); err != nil {
			return err
		}
	}
	return nil
}
