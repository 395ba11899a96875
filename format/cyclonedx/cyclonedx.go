// Package cyclonedx reads and writes CycloneDX documents.
//
// What comes in: CycloneDX 1.0 to 1.7 (ECMA-424, 2nd edition of 2025), JSON or XML; or a scan. What goes out: a bom.Document; or 1.6 and
// 1.7, JSON or XML. Components are read and written one at a time. It will never judge whether what an SBOM says is true.
package cyclonedx

import (
	"fmt"
	"io"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

// Reader is the name under which evidence of these documents stands.
const Reader = "cyclonedx"

// Read reads a document. name is the file it comes from, for places. An error names the part and the byte or line that could not be
// read; what is odd in a single component becomes a gap instead, and the rest of it is kept.
func Read(r io.Reader, name string) (*bom.Document, error) {
	text := bom.UTF8(r)
	first, err := bom.First(text)
	if err != nil {
		return nil, fmt.Errorf("cyclonedx: %w", err)
	}
	d := &document{name: name}
	d.out.Format = "CycloneDX"
	d.Artifact("artifact:0", 0)
	switch first {
	case '{':
		d.out.Encoding = "json"
		err = d.readJSON(text)
	case '<':
		d.out.Encoding = "xml"
		err = d.readXML(text)
	default:
		err = fmt.Errorf("begins with %q: neither JSON nor XML", first)
	}
	if err != nil {
		return nil, fmt.Errorf("cyclonedx: %w", err)
	}
	return d.finish(), nil
}

// document is a Document in the making.
type document struct {
	bom.Builder
	out          bom.Document
	name         string
	unnamed      int // references made up for components that have none
	artifacts    []biopsy.Artifact
	stated       []biopsy.Gap    // that a scan had and wrote
	ledgers      []biopsy.Ledger // likewise
	maps         map[string]bool // references of the ledgers
	compositions []cdx.Composition
}

func (d *document) finish() *bom.Document {
	for _, c := range d.compositions {
		if d.ofBytes(c) {
			continue // the ledger says it
		}
		d.out.Compositions = append(d.out.Compositions, bom.Composition{
			Aggregate: string(c.Aggregate), Assemblies: d.ids(c.Assemblies), Dependencies: d.ids(c.Dependencies)})
	}
	d.out.Inventory = d.Inventory(d.name, Reader)
	d.out.Inventory.Artifacts = d.artifacts
	d.out.Inventory.Ledgers = d.ledgers
	d.out.Inventory.Gaps = append(d.stated, d.out.Inventory.Gaps...)
	return &d.out
}

// ofBytes tells a composition that speaks of the bytes of containers alone.
func (d *document) ofBytes(c cdx.Composition) bool {
	assemblies := list(c.Assemblies)
	return len(assemblies) > 0 && len(list(c.Dependencies)) == 0 &&
		!slices.ContainsFunc(assemblies, func(r cdx.BOMReference) bool { return !d.maps[string(r)] })
}

func (d *document) ids(refs *[]cdx.BOMReference) []string {
	var out []string
	for _, r := range list(refs) {
		if id := d.ID(string(r)); id != "" {
			out = append(out, id)
		}
	}
	return out
}

// version takes the specification's version, and refuses what is not 1.x.
func (d *document) version(v string) error {
	d.out.Version = v
	if !strings.HasPrefix(v, "1.") {
		return fmt.Errorf("specification version %.20q: versions 1.0 to 1.7 are read", v)
	}
	if len(v) != 3 || v[2] > '7' {
		d.Gap(biopsy.Gap{Reason: fmt.Sprintf("specification version %.20q is newer than 1.7: what it adds is not read", v)})
	}
	return nil
}

// list returns what an optional list holds.
func list[T any](p *[]T) []T {
	if p == nil {
		return nil
	}
	return *p
}
