// Package osv brings OSV records into the book of advisories.
//
// In: osv.dev's bulk zips, one JSON document a record, or such documents by themselves, after the OSV schema 1.7.4 (2025-11). Out:
// advisories, and a gap for each record that cannot be read. It keeps what a record says as it says it, and never judges a version.
package osv

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Feed is the feed of osv.dev.
var Feed = biopsy.Feed{Name: "osv", Match: match, Parse: parse, Fetch: fetch}

// maxRecord bounds one JSON document. The largest in use are some MB, of Linux kernel records.
const maxRecord = 16 << 20

// match wants OSV's zips ("npm/all.zip"), and JSON documents that show OSV's fields early and no other format's.
func match(name string, head []byte) bool {
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return path.Base(name) == "all.zip" || zipOfJSON(head)
	}
	if !strings.HasSuffix(name, ".json") || !bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) {
		return false
	}
	for _, other := range []string{`"bomFormat"`, `"spdxVersion"`, `"dataType"`, `"catalogVersion"`, `"$schema"`, `"csaf_version"`} {
		if bytes.Contains(head, []byte(other)) {
			return false
		}
	}
	return bytes.Contains(head, []byte(`"schema_version"`)) || bytes.Contains(head, []byte(`"affected"`)) ||
		bytes.Contains(head, []byte(`"modified"`)) && bytes.Contains(head, []byte(`"id"`))
}

// zipOfJSON tells whether the first member's name ends in ".json" and lies in no folder, as in all of OSV's zips.
func zipOfJSON(head []byte) bool {
	if len(head) < 30 {
		return false
	}
	// Local file header: name length at 26, name at 30 (APPNOTE 6.3.10, 4.3.7).
	n := int(head[26]) | int(head[27])<<8
	if n > len(head)-30 {
		return false
	}
	name := string(head[30 : 30+n])
	return strings.HasSuffix(name, ".json") && !strings.Contains(name, "/")
}

func parse(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	var magic [4]byte
	if n, err := r.ReadAt(magic[:], 0); n < len(magic) && err != nil && err != io.EOF {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if string(magic[:]) == "PK\x03\x04" || string(magic[:]) == "PK\x05\x06" {
		return parseZip(ctx, name, r, size, sink)
	}
	if size > maxRecord {
		sink.Bad(badRecord(name, fmt.Errorf("%d bytes, more than a record may have (%d)", size, maxRecord)))
		return nil
	}
	doc := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), doc); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	a, err := decode(doc)
	if err != nil {
		sink.Bad(badRecord(name, err))
		return nil
	}
	a.Source = source(&a, "")
	return sink.Advisory(a)
}

func badRecord(name string, err error) biopsy.Gap {
	return biopsy.Gap{Place: biopsy.Place{Path: name}, Reader: "osv", Reason: err.Error()}
}

// source names the feed of a record: "osv/" and the ecosystem whose zip brought it. folder is the name of the zip's folder, which
// counts when the record has such a package; a record by itself is of its first package's ecosystem, and of GIT when it has none.
func source(a *biopsy.Advisory, folder string) string {
	first := ""
	for i := range a.Affected {
		e, _, _ := strings.Cut(a.Affected[i].Ecosystem, ":")
		if e == folder && e != "" {
			return "osv/" + e
		}
		if first == "" {
			first = e
		}
		if e == "" && folder == "GIT" {
			return "osv/GIT"
		}
	}
	if first == "" {
		first = "GIT"
	}
	return "osv/" + first
}
