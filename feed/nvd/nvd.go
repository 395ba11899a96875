// Package nvd brings the records of the United States' National Vulnerability Database into the book of advisories.
//
// In: pages of NVD's API 2.0 and its yearly files of the same form (schema 2.0, 2026-06), plain, as .gz or as .zip. Out: advisories
// whose packages are CPE names, CISA's SSVC decisions, and a gap for what cannot be read. Records that NVD has rejected are withdrawn;
// those it has not analysed are kept without packages of its own. It never judges a version, and leaves exploitation to CISA's feed.
package nvd

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"runtime"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/inorder"
)

// Feed is NVD.
var Feed = biopsy.Feed{Name: "nvd", OptIn: true, Match: match, Parse: parse, Fetch: fetch}

// match wants pages that show the API's name of the format, and packed files by their name, which is the same everywhere.
func match(name string, head []byte) bool {
	base := path.Base(name)
	switch {
	case strings.HasSuffix(base, ".json"):
		return isPage(head)
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return strings.HasPrefix(base, "nvdcve-2.0-") || isPage(unpacked(head))
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return strings.HasPrefix(base, "nvdcve-2.0-")
	}
	return false
}

func isPage(head []byte) bool {
	return bytes.Contains(head, []byte(`"NVD_CVE"`)) || bytes.Contains(head, []byte(`"resultsPerPage"`)) && bytes.Contains(head, []byte(`"totalResults"`))
}

// unpacked is the beginning of a gzip file's content as far as its first bytes tell.
func unpacked(head []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(head))
	if err != nil {
		return nil
	}
	out := make([]byte, 512)
	n, err := io.ReadFull(z, out)
	if err != nil && n == 0 {
		return nil
	}
	return out[:n]
}

// maxPage bounds a page unpacked; the longest year takes 300 MB.
const maxPage = 8 << 30

func parse(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	in := io.NewSectionReader(r, 0, size)
	head, err := bufio.NewReaderSize(in, 4).Peek(4)
	if err != nil && err != io.EOF {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		z, err := gzip.NewReader(bufio.NewReaderSize(in, 128<<10))
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		return page(ctx, name, z, sink)
	case bytes.HasPrefix(head, []byte("PK")):
		return parseZip(ctx, name, r, size, sink)
	}
	return page(ctx, name, in, sink)
}

func parseZip(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ".json") {
			continue
		}
		m, err := f.Open()
		if err != nil {
			return fmt.Errorf("read %s: %w", biopsy.Join(name, f.Name), err)
		}
		if err := errors.Join(page(ctx, biopsy.Join(name, f.Name), m, sink), m.Close()); err != nil {
			return err
		}
	}
	return nil
}

// batch is a run of records, and what became of them.
type batch struct {
	text []byte
	ends []int   // of the records in text
	at   []int64 // where they begin in the page

	read []reading
	bad  []biopsy.Gap
	err  error // of the page, behind the records
}

// batchSize is how much text one worker gets at a time, in bytes.
const batchSize = 1 << 20

// texts are the batches' buffers, used again.
var texts = sync.Pool{New: func() any { return &[]byte{} }}

// page reads records on all processors and hands them on in the page's order.
func page(ctx context.Context, name string, r io.Reader, sink biopsy.Sink) error {
	bounded := &io.LimitedReader{R: r, N: maxPage}
	work := func(b *batch) *batch { b.decode(name); return b }
	err := inorder.Do(ctx, runtime.GOMAXPROCS(0), batches(newSplitter(bounded)), work, func(b *batch) error { return b.deliver(name, sink) })
	if err != nil && bounded.N == 0 {
		err = fmt.Errorf("more than %d bytes: %w", int64(maxPage), err)
	}
	return err
}

// batches cuts a page. The last batch tells how it ended.
func batches(s *splitter) iter.Seq[*batch] {
	return func(yield func(*batch) bool) {
		for {
			b := &batch{text: (*texts.Get().(*[]byte))[:0]}
			for len(b.text) < batchSize && b.err == nil {
				at := s.offset()
				text, err := s.next(b.text)
				switch {
				case errors.Is(err, errTooLong):
					b.bad = append(b.bad, biopsy.Gap{Place: biopsy.Place{Offset: at}, Reason: err.Error()})
				case err != nil:
					b.err = err
				default:
					b.text, b.ends, b.at = text, append(b.ends, len(text)), append(b.at, at)
				}
			}
			if !yield(b) || b.err != nil {
				return
			}
		}
	}
}

func (b *batch) decode(name string) {
	from := 0
	for i, end := range b.ends {
		got, err := decode(b.text[from:end])
		from = end
		if err != nil {
			got.bad = []string{err.Error()}
		}
		for _, why := range got.bad {
			if got.advisory.ID != "" && err == nil {
				why = got.advisory.ID + ": " + why
			}
			b.bad = append(b.bad, biopsy.Gap{Place: biopsy.Place{Offset: b.at[i]}, Reason: why})
		}
		if err == nil {
			b.read = append(b.read, got)
		}
	}
	for i := range b.bad {
		b.bad[i].Place.Path, b.bad[i].Reader = name, "nvd"
	}
	text := b.text
	b.text = nil
	texts.Put(&text)
}

func (b *batch) deliver(name string, sink biopsy.Sink) error {
	for _, g := range b.bad {
		sink.Bad(g)
	}
	for i := range b.read {
		r := &b.read[i]
		if err := sink.Advisory(r.advisory); err != nil {
			return err
		}
		if r.exploit != (biopsy.Exploit{}) {
			if err := sink.Exploit(r.advisory.ID, r.exploit); err != nil {
				return err
			}
		}
		for _, s := range r.synonyms {
			if sink.Synonym == nil {
				break
			}
			if err := sink.Synonym(s); err != nil {
				return err
			}
		}
	}
	if b.err != nil && b.err != io.EOF {
		return fmt.Errorf("read %s: %w", name, b.err)
	}
	return nil
}
