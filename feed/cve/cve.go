// Package cve brings the CVE list itself into the book of advisories: what those say who gave the ids out, and CISA's enrichment.
//
// In: records of the CVE Record Format 5.0 to 5.2 (2025-12), single or in the zips of the CVE list's releases, of which the daily one
// is a zip inside a zip. Out: advisories, CISA's SSVC decisions, pairs of names that one product has, and a gap for what cannot be read.
// It never judges a version, leaves the list of exploited holes to CISA's own feed, and package format/cve says what becomes of a product.
package cve

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"runtime"
	"strings"

	"github.com/biopsy-sca/biopsy"
	format "github.com/biopsy-sca/biopsy/format/cve"
	"github.com/biopsy-sca/biopsy/internal/inorder"
	"github.com/biopsy-sca/biopsy/refdb/builtin"
)

// Feed is the CVE list.
var Feed = biopsy.Feed{Name: "cve", OptIn: true, Match: match, Parse: parse, Fetch: fetch}

// Bounds of one record and of the zip inside the zip. The longest record has some MB, the list 600 MB packed.
const (
	maxRecord = 16 << 20
	maxInner  = 8 << 30
)

// match wants documents that say what they are, as all of the list do at once, and zips that begin with the list or a record of it.
func match(name string, head []byte) bool {
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return isList(firstMember(head))
	}
	return strings.HasSuffix(name, ".json") && bytes.Contains(head, []byte(`"CVE_RECORD"`))
}

// firstMember is the name of a zip's first member (APPNOTE 6.3.10, 4.3.7: length at 26, name at 30).
func firstMember(head []byte) string {
	if len(head) < 30 {
		return ""
	}
	n := int(head[26]) | int(head[27])<<8
	return string(head[30:min(len(head), 30+n)])
}

// isList knows the members of the list's zips: "cves.zip", "cves/2024/1xxx/CVE-2024-1234.json", "deltaCves/CVE-2024-1234.json".
func isList(member string) bool {
	return member == "cves.zip" || strings.HasPrefix(member, "cves/") || strings.HasPrefix(member, "deltaCves/") || isRecord(member)
}

func isRecord(member string) bool {
	id, ok := strings.CutSuffix(path.Base(member), ".json")
	return ok && format.IsID(id)
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
		sink.Bad(gap(name, fmt.Sprintf("%d bytes, more than a record may have (%d)", size, maxRecord)))
		return nil
	}
	doc := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), doc); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return decode(name, doc).deliver(sink)
}

func gap(name, reason string) biopsy.Gap {
	return biopsy.Gap{Place: biopsy.Place{Path: name}, Reader: "cve", Reason: reason}
}

// result is what one document came to.
type result struct {
	ok      bool
	reading format.Reading
	bad     []biopsy.Gap
}

func decode(name string, doc []byte) *result {
	got, err := format.Decode(doc, builtin.Upstream)
	if err != nil {
		return &result{bad: []biopsy.Gap{gap(name, err.Error())}}
	}
	got.Advisory.Source = "cve"
	out := &result{ok: true, reading: got}
	for _, why := range got.Bad {
		out.bad = append(out.bad, gap(name, got.Advisory.ID+": "+why))
	}
	return out
}

func (r *result) deliver(sink biopsy.Sink) error {
	for _, g := range r.bad {
		sink.Bad(g)
	}
	if !r.ok {
		return nil
	}
	if err := sink.Advisory(r.reading.Advisory); err != nil {
		return err
	}
	if e := r.reading.Exploit; e != (biopsy.Exploit{}) {
		if err := sink.Exploit(r.reading.Advisory.ID, e); err != nil {
			return err
		}
	}
	for _, s := range r.reading.Synonyms {
		if sink.Synonym == nil {
			break
		}
		if err := sink.Synonym(s); err != nil {
			return err
		}
	}
	return nil
}

// parseZip reads the records of a zip, and of the zips in it, one inside the other at most.
func parseZip(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, ".zip") {
			if err := inner(ctx, biopsy.Join(name, f.Name), r, f, sink); err != nil {
				return err
			}
		}
	}
	return records(ctx, name, z, sink)
}

// inner opens a zip inside a zip: where it lies when it is stored, else unpacked to a temporary file.
func inner(ctx context.Context, name string, outer io.ReaderAt, f *zip.File, sink biopsy.Sink) (err error) {
	if f.UncompressedSize64 > maxInner {
		return fmt.Errorf("read %s: %d bytes, more than the %d allowed", name, f.UncompressedSize64, int64(maxInner))
	}
	var in io.ReaderAt
	size := int64(f.UncompressedSize64)
	if f.Method == zip.Store {
		at, err := f.DataOffset()
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		in = io.NewSectionReader(outer, at, size)
	} else {
		temp, err := unpack(f)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		defer func() { err = errors.Join(err, temp.Close(), os.Remove(temp.Name())) }()
		in = temp
	}
	z, err := zip.NewReader(in, size)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return records(ctx, name, z, sink)
}

func unpack(f *zip.File) (temp *os.File, err error) {
	if temp, err = os.CreateTemp("", "biopsy-cve-*.zip"); err != nil {
		return nil, err
	}
	m, err := f.Open()
	if err == nil {
		// The stated size is a promise of the zip; its reader breaks off when more or less comes.
		_, err = io.Copy(temp, io.LimitReader(m, maxInner))
		err = errors.Join(err, m.Close())
	}
	if err != nil {
		return nil, errors.Join(err, temp.Close(), os.Remove(temp.Name()))
	}
	return temp, nil
}

// batchSize is how many members one worker decodes at a time.
const batchSize = 64

// records decodes the members that are records, on all processors, and hands them on in the zip's order.
func records(ctx context.Context, name string, z *zip.Reader, sink biopsy.Sink) error {
	work := func(files []*zip.File) []*result {
		var out []*result
		var buf bytes.Buffer
		for _, f := range files {
			out = append(out, readMember(biopsy.Join(name, f.Name), f, &buf))
		}
		return out
	}
	return inorder.Do(ctx, runtime.GOMAXPROCS(0), batches(z.File), work, func(all []*result) error {
		for _, r := range all {
			if err := r.deliver(sink); err != nil {
				return err
			}
		}
		return nil
	})
}

// batches are the members that are records; the list's zips also hold logs of changes ("delta.json").
func batches(files []*zip.File) iter.Seq[[]*zip.File] {
	return func(yield func([]*zip.File) bool) {
		var b []*zip.File
		for _, f := range files {
			if !isRecord(f.Name) {
				continue
			}
			if b = append(b, f); len(b) == batchSize {
				if !yield(b) {
					return
				}
				b = nil
			}
		}
		if len(b) > 0 {
			yield(b)
		}
	}
}

// readMember reads one member; buf is scratch space. Its checksum is compared on the way.
func readMember(name string, f *zip.File, buf *bytes.Buffer) *result {
	buf.Reset()
	m, err := f.Open()
	if err == nil {
		_, err = buf.ReadFrom(io.LimitReader(m, maxRecord+1))
		err = errors.Join(err, m.Close())
	}
	switch {
	case err != nil:
		return &result{bad: []biopsy.Gap{gap(name, err.Error())}}
	case buf.Len() > maxRecord:
		return &result{bad: []biopsy.Gap{gap(name, fmt.Sprintf("more than the %d bytes a record may have", maxRecord))}}
	}
	return decode(name, buf.Bytes())
}
