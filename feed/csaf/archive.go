package csaf

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/csaf"
	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/tarscan"
)

// Bounds of what an archive is believed. Red Hat's holds 300,000 documents of 30 GB together.
const (
	maxMembers  = 4_000_000
	maxUnpacked = 512 << 30
)

func (p *parser) zip(name string, r io.ReaderAt, size int64) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if len(z.File) > maxMembers {
		return fmt.Errorf("read %s: %d members, more than an archive may have (%d)", name, len(z.File), maxMembers)
	}
	var buf bytes.Buffer
	for _, f := range z.File {
		if !isDocument(f.Name) {
			continue
		}
		err := p.member(biopsy.Join(name, f.Name), &buf, func() (io.ReadCloser, error) { return f.Open() })
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) tar(name string, r io.Reader) (err error) {
	var head [32]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read %s: %w", name, err)
	}
	r = io.MultiReader(bytes.NewReader(head[:n]), r)
	if f := codec.Detect(head[:n]); f != "" {
		plain, err := codec.NewReader(f, r)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		defer plain.Close()
		r = plain
	}
	var buf bytes.Buffer
	members := 0
	limited := &io.LimitedReader{R: r, N: maxUnpacked}
	err = tarscan.Stream(limited, func(e tarscan.Entry) error {
		if members++; members > maxMembers {
			return fmt.Errorf("more than the %d members an archive may have", maxMembers)
		}
		if e.Kind != tarscan.File || e.Sparse || !isDocument(e.Name) || e.Stream == nil {
			return nil
		}
		return p.member(biopsy.Join(name, e.Name), &buf, func() (io.ReadCloser, error) { return io.NopCloser(e.Stream), nil })
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// isDocument leaves out what stands beside documents: hashes, signatures, lists, feeds, and files that begin with a dot.
func isDocument(name string) bool {
	base := path.Base(name)
	return strings.HasSuffix(base, ".json") && !strings.HasPrefix(base, ".") && base != "provider-metadata.json" && base != "aggregator.json"
}

// member reads one document of an archive. What cannot be read is a bad record, not the end of the archive.
func (p *parser) member(name string, buf *bytes.Buffer, open func() (io.ReadCloser, error)) error {
	buf.Reset()
	r, err := open()
	if err == nil {
		_, err = io.Copy(buf, io.LimitReader(r, csaf.MaxDocument+1))
		err = errors.Join(err, r.Close())
	}
	if err == nil && buf.Len() > csaf.MaxDocument {
		err = fmt.Errorf("more than the %d bytes a document may have", csaf.MaxDocument)
	}
	if err != nil {
		p.bad(name, err)
		return p.ctx.Err()
	}
	if isROLIE(buf.Bytes()) {
		return nil
	}
	return p.document(name, buf.Bytes())
}

// isROLIE knows a feed's list of documents, which lies among them.
func isROLIE(doc []byte) bool {
	head := bytes.Join(bytes.Fields(doc[:min(len(doc), 256)]), nil)
	return bytes.HasPrefix(head, []byte(`{"feed":{`))
}
