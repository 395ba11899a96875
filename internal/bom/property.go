package bom

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
)

// Property is a name and a value, for what a format has no field for.
type Property struct{ Name, Value string }

// Prefix begins the names of our own properties.
const Prefix = "biopsy:"

// The properties that formats write and read themselves, because they speak of references.
const (
	ContainedIn = Prefix + "contained-in"      // reference of what contains the component, though the graph says "depends on"
	NeededBy    = Prefix + "needed-by"         // reference of what depends on the component and also contains it
	BuiltFrom   = Prefix + "built-from"        // reference of what the component was built from
	NeedScope   = Prefix + "dependency-scope:" // and a scope: reference of what the component depends on in that scope
	Unstated    = Prefix + "unknown"           // what nobody knows of the component: "version supplier license hash"
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
	for _, k := range slices.Sorted(maps.Keys(c.Extra)) {
		name, foreign := strings.CutPrefix(k, Foreign)
		switch {
		case skip != nil && skip(k):
		case foreign:
			name, _, _ = strings.Cut(name, "\x00")
			out = append(out, Property{name, c.Extra[k]})
		default:
			out = append(out, Property{extra + k, c.Extra[k]})
		}
	}
	return out
}

// Set gives c a property as Properties and the formats write them. Those of others go to Extra.
func Set(c *biopsy.Component, name, value string) {
	own, ok := strings.CutPrefix(name, Prefix)
	if !ok {
		Keep(c, Foreign+name, value)
		return
	}
	switch own {
	case "alias":
		c.Aliases = append(c.Aliases, value)
	case "arch":
		c.Arch = value
	case "cpe":
		c.CPEs = append(c.CPEs, value)
	case "cpes":
		setList(c, own, value, &c.CPEs)
	case "description":
		c.Description = value
	case "distro":
		c.Distro = value
	case "eco":
		c.Eco = value
	case "evidence":
		setEvidence(c, value)
	case "download":
		c.Download = value
	case "hash":
		alg, v, _ := strings.Cut(value, "=")
		c.Hashes = append(c.Hashes, biopsy.Hash{Alg: alg, Value: v})
	case "hashes":
		setList(c, own, value, &c.Hashes)
	case "homepage":
		c.Homepage = value
	case "id":
		if len(value) == 16 {
			c.ID = value
		}
	case "kind":
		c.Kind = biopsy.Kind(strings.TrimPrefix(value, "unknown"))
	case "layer":
		c.Layer = value
	case "licenses":
		setList(c, own, value, &c.Licenses)
	case "name":
		c.Name = value
	case "namespace":
		c.Namespace = value
	case "purl":
		c.Purl = value
	case "repository":
		c.Repository = value
	case "scope":
		c.Scope = biopsy.Scope(value)
	case "source":
		source(c).Name = value
	case "source-version":
		source(c).Version = value
	case "state":
		c.State = biopsy.State(value)
	case "supplier":
		c.Supplier = value
	case "unowned":
		c.Unowned = value == "true"
	case "version":
		c.Version = value
	case "unknown":
	default:
		Keep(c, strings.TrimPrefix(name, extra), value)
	}
}

// Keep puts a value into Extra; a key that is taken gets a number behind a NUL, which no format can write.
func Keep(c *biopsy.Component, key, value string) {
	if c.Extra == nil {
		c.Extra = map[string]string{}
	}
	k := key
	for n := 2; ; n++ {
		if _, taken := c.Extra[k]; !taken {
			c.Extra[k] = value
			return
		}
		k = key + "\x00" + strconv.Itoa(n)
	}
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
