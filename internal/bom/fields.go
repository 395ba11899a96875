package bom

import (
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/license"
)

// PurlKey holds, in Component.Extra, what an SBOM gave as purl and is none.
const PurlKey = "sbom:purl"

// SetPurl gives c its canonical purl, and name, namespace and version where c has none. One that does not parse is kept in Extra and
// handed to bad.
func SetPurl(c *biopsy.Component, purl string, bad func(error)) {
	if purl == "" {
		return
	}
	p, err := eco.Parse(strings.TrimSpace(purl))
	if err != nil {
		Keep(c, PurlKey, purl)
		bad(err)
		return
	}
	c.Purl, c.Eco = Canonical(p, purl), p.Type
	if c.Name == "" {
		c.Namespace, c.Name = p.Namespace, p.Name
	}
	if c.Version == "" {
		c.Version = p.Version
	}
	if c.Arch == "" {
		c.Arch = p.Qualifier("arch")
	}
	if c.Distro == "" {
		c.Distro = p.Qualifier("distro")
	}
}

// Canonical writes a parsed purl in its one right spelling, so that two documents mean the same component by it.
func Canonical(p eco.Package, written string) string {
	if p.Subpath != "" {
		return written
	}
	var q []string
	for _, pair := range p.Qualifiers {
		q = append(q, pair.Key, pair.Value)
	}
	if s := eco.Purl(p.Type, p.Namespace, p.Name, p.Version, q...); s != "" {
		return s
	}
	return written
}

// SetLicense gives l its words: an expression when they are one of SPDX, in the list's spelling, else a name.
func SetLicense(l *biopsy.License, words string) {
	words = strings.TrimSpace(words)
	switch id := license.Canonical(words); {
	case id != "":
		l.Expression = id
	case license.Valid(words):
		l.Expression = words
	default:
		l.Name = words
	}
}

// SplitMail parts "Name <mail>". mail is "" when there is none.
func SplitMail(s string) (name, mail string) {
	name, rest, ok := strings.Cut(s, " <")
	mail, end := strings.CutSuffix(rest, ">")
	if !ok || !end || name == "" || strings.Count(mail, "@") != 1 || strings.ContainsAny(mail, " <>()") {
		return s, ""
	}
	return name, mail
}

// JoinMail is the way back.
func JoinMail(name, mail string) string {
	if mail == "" {
		return name
	}
	return name + " <" + mail + ">"
}
