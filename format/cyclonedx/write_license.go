package cyclonedx

import (
	"slices"

	cdx "github.com/CycloneDX/cyclonedx-go"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
	"github.com/biopsy-sca/biopsy/license"
)

// licenses writes all statements but those that a text was read for, which are evidence. Where the version has no form for the mix, or a
// form would blur it, a property holds the exact list.
func (o *scanWriter) licenses(c *biopsy.Component, out *cdx.Component, p *properties) error {
	var said []biopsy.License
	for _, l := range c.Licenses {
		if l.Basis != "found" {
			said = append(said, l)
		}
	}
	if out.Licenses != nil && slices.Equal(licenses(out.Licenses, ""), said) && !o.mixed(*out.Licenses) {
		return nil
	}
	out.Licenses = o.choices(said)
	back := append(licenses(out.Licenses, ""), licenses(o.found(c), "found")...)
	if slices.Equal(back, c.Licenses) {
		return nil
	}
	exact, err := bom.LicensesProperty(c.Licenses)
	*p = append(*p, exact)
	return err
}

func (o *scanWriter) found(c *biopsy.Component) *cdx.Licenses {
	var found []biopsy.License
	for _, l := range c.Licenses {
		if l.Basis == "found" {
			l.Basis = ""
			found = append(found, l)
		}
	}
	return o.choices(found)
}

// mixed tells whether a list is one that version 1.6 refuses: an expression beside anything else.
func (o *scanWriter) mixed(l cdx.Licenses) bool {
	return o.version == "1.6" && len(l) > 1 && slices.ContainsFunc(l, func(c cdx.LicenseChoice) bool { return c.Expression != "" })
}

// choices writes statements as the version allows: 1.7 anything in any mix; 1.6 either ids and names, or exactly one expression.
func (o *scanWriter) choices(in []biopsy.License) *cdx.Licenses {
	var out cdx.Licenses
	for _, l := range in {
		if c, ok := choice(l); ok {
			out = append(out, c)
		}
	}
	if o.mixed(out) {
		out = unmixed(in, out)
	}
	if len(out) == 0 {
		return nil
	}
	return &out
}

// unmixed joins expressions of one basis into one; else an expression stands as a name.
func unmixed(in []biopsy.License, choices cdx.Licenses) cdx.Licenses {
	joined, same := "", true
	for i, l := range in {
		same = same && l.Basis == in[0].Basis && license.Valid(l.Expression)
		if i > 0 {
			joined += " AND "
		}
		joined += "(" + l.Expression + ")"
	}
	if same {
		c, _ := choice(biopsy.License{Expression: joined, Basis: in[0].Basis})
		return cdx.Licenses{c}
	}
	for i, c := range choices {
		if c.Expression == "" {
			continue
		}
		l := &cdx.License{Name: c.Expression}
		if c.Acknowledgement != nil {
			l.Acknowledgement = *c.Acknowledgement
		}
		choices[i] = cdx.LicenseChoice{License: l}
	}
	return choices
}

// choice is one statement: an id, an expression, or, when it is no SPDX expression, a name.
func choice(l biopsy.License) (cdx.LicenseChoice, bool) {
	var ack cdx.LicenseAcknowledgement
	if l.Basis == "declared" || l.Basis == "concluded" {
		ack = cdx.LicenseAcknowledgement(l.Basis)
	}
	out := cdx.License{Acknowledgement: ack}
	if bom.URI(l.URL) {
		out.URL = l.URL
	}
	switch {
	case license.Known(l.Expression):
		out.ID = l.Expression
	case license.Valid(l.Expression):
		c := cdx.LicenseChoice{Expression: l.Expression}
		if ack != "" {
			c.Acknowledgement = &ack
		}
		return c, true
	case l.Expression != "":
		out.Name = bom.Clean(l.Expression)
	case l.Name != "":
		out.Name = bom.Clean(l.Name)
	case out.URL != "":
		out.Name = "see URL"
	default:
		return cdx.LicenseChoice{}, false
	}
	return cdx.LicenseChoice{License: &out}, true
}
