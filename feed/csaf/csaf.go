// Package csaf brings security advisories and VEX statements in CSAF into the book of advisories.
//
// In: CSAF 2.0 and 2.1 documents, one a file or in zips and tars (gzip, bzip2, xz, zstd), from makers, coordinators and distributions.
// Out: an advisory for each vulnerability of a document, and a gap for each document that cannot be read. Statements about container
// images are left out: no component of ours is found by an image's name. It keeps what a document says as it says it, and never judges
// a version.
package csaf

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/csaf"
)

// Feed is the feed of CSAF providers.
var Feed = biopsy.Feed{Name: "csaf", Match: match, Parse: parse, Fetch: fetch}

// match wants CSAF documents, and archives whose path says csaf or vex.
func match(name string, head []byte) bool {
	if kind := archiveKind(name); kind != "" {
		return saysCSAF(name)
	}
	if !strings.HasSuffix(name, ".json") || !bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n\xef\xbb\xbf"), []byte("{")) {
		return false
	}
	if bytes.Contains(head, []byte(`"csaf_version"`)) {
		return true
	}
	// Long acknowledgments stand before the version: the keys are sorted.
	return bytes.Contains(head, []byte(`"document"`)) &&
		(bytes.Contains(head, []byte(`"acknowledgments"`)) || bytes.Contains(head, []byte(`"aggregate_severity"`)) || bytes.Contains(head, []byte(`"csaf_`)))
}

// saysCSAF looks at the words of the last three parts of a path: "csaf/icsma.tar.xz", "csaf_vex_2026-01-01.tar.zst".
func saysCSAF(name string) bool {
	parts := strings.Split(strings.ToLower(name), "/")
	for _, p := range parts[max(0, len(parts)-3):] {
		words := strings.FieldsFunc(p, func(r rune) bool { return r < '0' || r > '9' && r < 'a' || r > 'z' })
		if slices.Contains(words, "csaf") || slices.Contains(words, "vex") && !slices.Contains(words, "openvex") {
			return true
		}
	}
	return false
}

func parse(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	p := &parser{ctx: ctx, sink: sink}
	switch archiveKind(name) {
	case "zip":
		return p.zip(name, r, size)
	case "tar":
		return p.tar(name, io.NewSectionReader(r, 0, size))
	}
	if size > csaf.MaxDocument {
		p.bad(name, fmt.Errorf("%d bytes, more than a document may have (%d)", size, csaf.MaxDocument))
		return nil
	}
	doc := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), doc); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return p.document(name, doc)
}

type parser struct {
	ctx  context.Context
	sink biopsy.Sink
}

func (p *parser) bad(name string, err error) {
	p.sink.Bad(biopsy.Gap{Place: biopsy.Place{Path: name}, Reader: "csaf", Reason: err.Error()})
}

// document hands on what one document says.
func (p *parser) document(name string, doc []byte) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	d, err := csaf.Parse(doc)
	if err == nil && d.Document.Tracking.ID == "" {
		err = fmt.Errorf("the document has no id")
	}
	if err != nil {
		p.bad(name, err)
		return nil
	}
	all, err := advisories(d)
	if err != nil {
		p.bad(name, err)
	}
	for _, a := range all {
		if err := p.sink.Advisory(a); err != nil {
			return err
		}
	}
	return nil
}

// archiveKind is "zip", "tar" or "", by the ending of the name.
func archiveKind(name string) string {
	base := strings.ToLower(path.Base(name))
	for _, end := range []string{".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"} {
		if strings.HasSuffix(base, end) {
			return "tar"
		}
	}
	if strings.HasSuffix(base, ".zip") {
		return "zip"
	}
	return ""
}
