// Package spdx reads and writes SPDX documents.
//
// What comes in: SPDX 2.1 to 2.3 (ISO/IEC 5962:2021 and its follow-up of 2022) as JSON, tag-value, YAML or RDF/XML, and SPDX 3.0 as
// JSON-LD; or a scan. What goes out: a bom.Document; or 2.3 as JSON or tag-value, and 3.0.1 as JSON-LD. It will never judge whether what
// an SBOM says is true.
package spdx

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

// Reader is the name under which evidence of these documents stands.
const Reader = "spdx"

// Read reads a document. name is the file it comes from, for places. An error names the part and the byte or line that could not be
// read; what is odd in a single element becomes a gap instead, and the rest is kept.
func Read(r io.Reader, name string) (*bom.Document, error) {
	text := bom.UTF8(r)
	first, err := bom.First(text)
	if err != nil {
		return nil, fmt.Errorf("spdx: %w", err)
	}
	d := &document{name: name}
	d.out.Format = "SPDX"
	switch first {
	case '{':
		d.out.Encoding = "json"
		err = d.readJSON(text)
	case '<':
		d.out.Encoding = "rdf"
		err = d.readRDF(text)
	default:
		err = d.readText(text)
	}
	if err != nil {
		return nil, fmt.Errorf("spdx: %w", err)
	}
	return d.finish(), nil
}

// readText tells YAML, whose keys begin with a small letter, from tag-value, whose tags begin with a capital.
func (d *document) readText(text *bufio.Reader) error {
	head, _ := text.Peek(4096) // a shorter file is no error here
	for line := range bytes.Lines(head) {
		for _, key := range []string{"spdxVersion:", "creationInfo:", "annotations:", "packages:"} {
			if bytes.HasPrefix(line, []byte(key)) {
				d.out.Encoding = "yaml"
				return d.readYAML(text)
			}
		}
	}
	d.out.Encoding = "tag-value"
	return d.readTagValue(text)
}

// document is a Document in the making, whatever its version.
type document struct {
	bom.Builder
	out       bom.Document
	name      string
	title     string            // the document's own name
	docs      map[string]bool   // references of the document itself
	described []string          // references of what the document describes, each once
	said      map[string]bool   // the same, to look up
	extracted map[string]string // LicenseRef -> name
	evident   []pair            // component, and the file that makes it evident
	files     map[string]string // reference of a file -> its name
	foreign   map[string]int    // kinds of relationship that have no word of ours -> how many
	artifacts []biopsy.Artifact
	subjects  map[string]biopsy.Subject // of packages that are artifacts
	stated    []biopsy.Gap              // that a scan had and wrote
	ledgers   []biopsy.Ledger           // likewise
	maker     string                    // of the subject, where it is not its supplier
	complete  []bom.Composition
	later     later // of SPDX 3
}

type pair struct{ a, b string }

func (d *document) finish() *bom.Document {
	d.later.resolve(d)
	d.subject()
	if d.maker != "" {
		d.out.Subject.Manufacturer = d.maker
	}
	for _, p := range d.evident {
		d.witness(p)
	}
	d.licenseNames()
	d.reportForeign()
	for i := range d.complete {
		c := &d.complete[i]
		c.Assemblies, c.Dependencies = d.ids(c.Assemblies), d.ids(c.Dependencies)
	}
	d.out.Compositions = d.complete
	d.out.Inventory = d.Inventory(d.name, Reader)
	d.out.Inventory.Artifacts = d.artifacts
	d.out.Inventory.Ledgers = d.ledgers
	d.out.Inventory.Gaps = append(d.stated, d.out.Inventory.Gaps...)
	return &d.out
}

func (d *document) ids(refs []string) []string {
	var out []string
	for _, r := range refs {
		if id := d.ID(r); id != "" {
			out = append(out, id)
		}
	}
	return out
}
