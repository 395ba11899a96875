package bom

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
)

// Property is a name and a value, for what a format has no field for.
type Property struct{ Name, Value string }

// Prefix begins the names of our own properties.
const Prefix = "biopsy:"

// The properties that formats write and read themselves, because they speak of references. Several references stand between spaces.
const (
	ContainedIn = Prefix + "contained-in"      // reference of what contains the component, though the graph says "depends on"
	NeededBy    = Prefix + "needed-by"         // reference of what depends on the component and also contains it
	BuiltFrom   = Prefix + "built-from"        // reference of what the component was built from
	NeedScope   = Prefix + "dependency-scope:" // and a scope: reference of what the component depends on in that scope
	Unstated    = Prefix + "unknown"           // what nobody knows of the component: "version supplier license hash"
	Reference   = Prefix + "reference"         // a reference to elsewhere whose URL schemas refuse, as JSON
	Foreign     = "property:"                  // in Extra: a property of others, its name behind
	extra       = Prefix + "extra:"            // and a key of Extra
)

// Properties returns what no SBOM format has a field for, sorted by name. Extra is given whole but for keys that skip wants to keep.
func Properties(c *biopsy.Component, skip func(key string) bool) []Property {
	var out []Property
	add := func(name, value string) {
		if value != "" {
			out = append(out, Property{Prefix + name, value})
		}
	}
	for _, a := range c.Aliases {
		add("alias", a)
	}
	add("arch", c.Arch)
	add("distro", c.Distro)
	if c.Purl == "" && c.ID != biopsy.ComponentID(c) { // its evidence, not its fields, tells it apart
		add("id", c.ID)
	}
	add("layer", c.Layer)
	if c.Source != nil {
		add("source", c.Source.Name)
		add("source-version", c.Source.Version)
	}
	add("state", string(c.State))
	if c.Unowned {
		add("unowned", "true")
	}
	out = append(out, supportProperties(c)...)
	for _, k := range slices.SortedFunc(maps.Keys(c.Extra), func(a, b string) int { return byNumber(c.Extra, a, b) }) {
		name, foreign := strings.CutPrefix(unnumbered(c.Extra, k), Foreign)
		switch {
		case skip != nil && skip(k):
		case foreign:
			out = append(out, Property{name, c.Extra[k]})
		default:
			out = append(out, Property{extra + unnumbered(c.Extra, k), c.Extra[k]})
		}
	}
	return out
}

// Set gives c a property as Properties and the formats write them. Those of others go to Extra.
func Set(c *biopsy.Component, name, value string) {
	own, ok := strings.CutPrefix(name, Prefix)
	if !ok {
		if name == EndOfSupport && c.Support != nil && c.Support.End == value {
			return // our own statement, said again for others
		}
		Keep(c, Foreign+name, value)
		return
	}
	if to := textField(c, own); to != nil {
		*to = value
		return
	}
	if field, ok := strings.CutPrefix(own, supportPrefix); ok && setSupport(c, field, value) {
		return
	}
	switch own {
	case "alias":
		c.Aliases = append(c.Aliases, value)
	case "cpe":
		c.CPEs = append(c.CPEs, value)
	case "cpes":
		setList(c, own, value, &c.CPEs)
	case "evidence":
		setEvidence(c, value)
	case "hash":
		alg, v, _ := strings.Cut(value, "=")
		c.Hashes = append(c.Hashes, biopsy.Hash{Alg: alg, Value: v})
	case "hashes":
		setList(c, own, value, &c.Hashes)
	case "id":
		if len(value) == 16 {
			c.ID = value
		}
	case "kind":
		c.Kind = biopsy.Kind(strings.TrimPrefix(value, "unknown"))
	case "licenses":
		setList(c, own, value, &c.Licenses)
	case "scope":
		c.Scope = biopsy.Scope(value)
	case "source":
		source(c).Name = value
	case "source-version":
		source(c).Version = value
	case "state":
		c.State = biopsy.State(value)
	case "unowned":
		c.Unowned = value == "true"
	case "unknown": // stated for others; the empty fields say it too
	default:
		Keep(c, strings.TrimPrefix(name, extra), value)
	}
}

// textField is the field that a property of plain text fills; nil for all others.
func textField(c *biopsy.Component, own string) *string {
	switch own {
	case "arch":
		return &c.Arch
	case "description":
		return &c.Description
	case "distro":
		return &c.Distro
	case "download":
		return &c.Download
	case "eco":
		return &c.Eco
	case "homepage":
		return &c.Homepage
	case "layer":
		return &c.Layer
	case "name":
		return &c.Name
	case "namespace":
		return &c.Namespace
	case "purl":
		return &c.Purl
	case "repository":
		return &c.Repository
	case "supplier":
		return &c.Supplier
	case "version":
		return &c.Version
	}
	return nil
}

// Keep puts a value into Extra; a key that is taken gets "#2", "#3", ... behind it.
func Keep(c *biopsy.Component, key, value string) {
	if c.Extra == nil {
		c.Extra = map[string]string{}
	}
	if _, taken := c.Extra[key]; taken {
		key = numbered(key, free(c.Extra, key))
	}
	c.Extra[key] = value
}

func numbered(key string, n int) string { return key + "#" + strconv.Itoa(n) }

// free returns the lowest number that is not taken. Numbers are given without holes, so that hostile thousands of one name cost little.
func free(extra map[string]string, key string) int {
	taken := func(n int) bool { _, ok := extra[numbered(key, n)]; return ok }
	low, high := 2, 2
	for taken(high) {
		low, high = high+1, high*2
	}
	return low + sort.Search(high-low, func(i int) bool { return !taken(low + i) })
}

// byNumber orders keys, those of one name as they were kept.
func byNumber(extra map[string]string, a, b string) int {
	x, y := unnumbered(extra, a), unnumbered(extra, b)
	return cmp.Or(strings.Compare(x, y), cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// unnumbered takes the number off a key whose plain form is taken.
func unnumbered(extra map[string]string, key string) string {
	i := strings.LastIndexByte(key, '#')
	if i < 0 {
		return key
	}
	if _, ok := extra[key[:i]]; !ok {
		return key
	}
	return key[:i]
}

func source(c *biopsy.Component) *biopsy.Upstream {
	if c.Source == nil {
		c.Source = &biopsy.Upstream{}
	}
	return c.Source
}

// LicensesProperty is the property that holds licences exactly, for where a format's own fields would blur them.
func LicensesProperty(licenses []biopsy.License) (Property, error) {
	b, err := json.Marshal(licenses)
	return Property{Prefix + "licenses", string(b)}, err
}

// setList replaces a list by one that is written as JSON. What is not JSON is kept as it stands.
func setList[T any](c *biopsy.Component, name, value string, to *[]T) {
	var l []T
	if json.Unmarshal([]byte(value), &l) != nil {
		Keep(c, extra+name, value)
		return
	}
	*to = l
}

// witness is evidence without its claim, which the component itself repeats.
type witness struct {
	Place      biopsy.Place `json:"place"`
	Digest     string       `json:"digest,omitempty"`
	Reader     string       `json:"reader"`
	Basis      biopsy.Basis `json:"basis"`
	Confidence float64      `json:"confidence"`
	Shadowed   bool         `json:"shadowed,omitempty"`
}

// EvidenceProperty is the property that holds one piece of evidence.
func EvidenceProperty(e *biopsy.Evidence) (Property, error) {
	b, err := json.Marshal(witness{e.Place, e.Digest, e.Reader, e.Basis, e.Confidence, e.Shadowed})
	return Property{Prefix + "evidence", string(b)}, err
}

func setEvidence(c *biopsy.Component, value string) {
	var w witness
	if json.Unmarshal([]byte(value), &w) != nil {
		Keep(c, extra+"evidence", value)
		return
	}
	c.Evidence = append(c.Evidence, biopsy.Evidence{Place: w.Place, Digest: w.Digest, Reader: w.Reader, Basis: w.Basis,
		Confidence: w.Confidence, Shadowed: w.Shadowed})
}
