package eco

import (
	"fmt"
	"strings"

	"github.com/package-url/packageurl-go"
)

// Package is a purl taken apart, each part decoded.
type Package struct {
	Type       string
	Namespace  string // "" when the purl has none
	Name       string
	Version    string      // "" when the purl has none
	Qualifiers []Qualifier // by key
	Subpath    string      // "" when the purl has none
}

// Qualifier is one key and value of a purl.
type Qualifier struct{ Key, Value string }

// Qualifier returns the value of a key, "" when it is absent.
func (p Package) Qualifier(key string) string {
	for _, q := range p.Qualifiers {
		if q.Key == key {
			return q.Value
		}
	}
	return ""
}

// maxPurl bounds a purl; the longest seen in the field, with repository and checksum, have some 600 bytes.
const maxPurl = 8192

// canonicalSize is how long a purl can become when it is written again: bytes that it should have escaped become three.
func canonicalSize(purl string) int {
	n := len(purl)
	for i := 0; i < len(purl); i++ {
		c := purl[i]
		if letter := c|0x20 >= 'a' && c|0x20 <= 'z'; !letter && (c < '0' || c > '9') && !strings.ContainsRune("-._~:/@?=&#%", rune(c)) {
			n += 2
		}
	}
	return n
}

// Parse takes a package URL apart (purl specification of 2025, ECMA-427).
func Parse(purl string) (Package, error) {
	if n := canonicalSize(purl); n > maxPurl {
		return Package{}, fmt.Errorf("purl of %d bytes: more than %d", n, maxPurl)
	}
	p, err := packageurl.FromString(purl)
	if err != nil {
		return Package{}, fmt.Errorf("purl %q: %w", purl, err)
	}
	if strings.Trim(p.Name, "/") == "" {
		return Package{}, fmt.Errorf("purl %q: no name", purl)
	}
	out := Package{Type: p.Type, Namespace: p.Namespace, Name: purlName(p.Type, p.Name), Version: p.Version, Subpath: p.Subpath}
	for _, q := range p.Qualifiers {
		out.Qualifiers = append(out.Qualifiers, Qualifier{q.Key, q.Value})
	}
	return out, nil
}

// Purl assembles a canonical package URL. Qualifiers come as key, value pairs; pairs with an empty value are left out. It returns
// "" when typ or name is empty.
func Purl(typ, namespace, name, version string, qualifiers ...string) string {
	if typ == "" || name == "" {
		return ""
	}
	var qs packageurl.Qualifiers
	for i := 0; i+1 < len(qualifiers); i += 2 {
		if qualifiers[i+1] != "" {
			qs = append(qs, packageurl.Qualifier{Key: qualifiers[i], Value: qualifiers[i+1]})
		}
	}
	p := packageurl.NewPackageURL(typ, namespace, purlName(typ, name), version, qs, "")
	if err := p.Normalize(); err != nil {
		return ""
	}
	return p.ToString()
}

// purlName spells a name where the purl specification (2025) goes beyond the library: of pypi, dots fold as dashes do.
func purlName(typ, name string) string {
	if strings.EqualFold(typ, "pypi") {
		return foldPyPI(name)
	}
	return name
}
