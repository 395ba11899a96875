// Package bom holds what the SBOM formats share.
//
// What comes in: components and references as a format's reader finds them, or a scan to be written. What goes out: a Document with a
// folded inventory, names for what no format has a field for, stable document ids and clean text. It will never know a format.
package bom

import (
	"slices"

	biopsy "github.com/biopsy-sca/biopsy"
)

// Document is an SBOM as read.
type Document struct {
	Format     string        // "CycloneDX" or "SPDX"
	Version    string        // of the specification: "1.6", "2.3"
	Encoding   string        // "json", "xml", "tag-value", "yaml", "rdf"
	ID         string        // serial number or namespace; "" when it has none
	Revision   int           // version of the document; 0 when it does not say
	Created    string        // as written; "" when it does not say
	Authors    []string      // people and organisations, tools never: "Name <mail>"
	Tools      []biopsy.Tool // that made it
	Lifecycles []string      // as written: "build", "post-build"
	Signed     bool          // a signature is inside; nobody has verified it

	Subject         biopsy.Subject
	SubjectID       string // id of the component that the document describes; "" when the subject is no component of its own
	Inventory       biopsy.Inventory
	Compositions    []Composition
	Vulnerabilities int // vulnerability records inside
}

// Composition is what an SBOM says about how complete it is.
type Composition struct {
	Aggregate    string   // "complete", "incomplete", "unknown", ... in CycloneDX's words
	Assemblies   []string // component ids, or "artifact:N"
	Dependencies []string // component ids, or "artifact:N"
}

// Confidence is how often a component of somebody's SBOM is what it says. Nobody checked it against bytes.
const Confidence = 0.8

// SubjectKey marks, in Component.Extra, the component that an SBOM describes.
const SubjectKey = "sbom:subject"

// MaxGaps bounds the gaps of one document, so that a broken one does not drown its reader; one more says how many were left out.
const MaxGaps = 1000

// Attest gives c the SBOM's word as its evidence, when the SBOM brought none of its own.
func Attest(c *biopsy.Component, reader string, place biopsy.Place) {
	if len(c.Evidence) == 0 {
		c.Evidence = []biopsy.Evidence{{Place: place, Reader: reader, Basis: biopsy.Attestation, Confidence: Confidence}}
	}
	for i := range c.Evidence {
		e := &c.Evidence[i]
		e.Claim = biopsy.Claim{Kind: c.Kind, Eco: c.Eco, Namespace: c.Namespace, Name: c.Name, Version: c.Version, Purl: c.Purl}
	}
}

// fold adds what other says to c, where c does not speak. Lists may repeat themselves until distinct.
func fold(c, other *biopsy.Component) {
	for _, p := range [][2]*string{
		{&c.Version, &other.Version}, {&c.Arch, &other.Arch}, {&c.Distro, &other.Distro}, {&c.Supplier, &other.Supplier},
		{&c.Description, &other.Description}, {&c.Homepage, &other.Homepage}, {&c.Repository, &other.Repository},
		{&c.Download, &other.Download}, {&c.Layer, &other.Layer},
	} {
		if *p[0] == "" {
			*p[0] = *p[1]
		}
	}
	if c.State == "" {
		c.State = other.State
	}
	if c.Scope == "" || other.Scope == biopsy.Runtime {
		c.Scope = other.Scope
	}
	if c.Source == nil {
		c.Source = other.Source
	}
	if len(c.Licenses) == 0 {
		c.Licenses = other.Licenses
	}
	c.Unowned = c.Unowned && other.Unowned
	c.Aliases = append(c.Aliases, other.Aliases...)
	c.CPEs = append(c.CPEs, other.CPEs...)
	c.Hashes = append(c.Hashes, other.Hashes...)
	c.Evidence = append(c.Evidence, other.Evidence...)
	for k, v := range other.Extra {
		if _, ok := c.Extra[k]; !ok {
			if c.Extra == nil {
				c.Extra = map[string]string{}
			}
			c.Extra[k] = v
		}
	}
}

// distinct drops repetitions from the lists of a component that others were folded into.
func distinct(c *biopsy.Component) {
	c.Aliases, c.CPEs, c.Hashes = once(c.Aliases), once(c.CPEs), once(c.Hashes)
}

func once[T comparable](list []T) []T {
	seen := make(map[T]bool, len(list))
	return slices.DeleteFunc(list, func(v T) bool {
		again := seen[v]
		seen[v] = true
		return again
	})
}
