package ubuntu

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// maxMembers bounds an archive: the tracker has 70,000 files.
const maxMembers = 2_000_000

func isArchive(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || isTar(head) || codec.Detect(head) != ""
}

// isTar: magic "ustar" at byte 257 (POSIX.1-1988).
func isTar(head []byte) bool { return len(head) > 262 && string(head[257:262]) == "ustar" }

// parseArchive reads the members that are files of ours; a member that cannot be read is a bad record, an archive that ends early an error.
func parseArchive(ctx context.Context, name string, r *io.SectionReader, head []byte, sink biopsy.Sink) error {
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return parseZip(ctx, name, r, sink)
	}
	plain := io.Reader(r)
	if !isTar(head) {
		z, err := codec.NewReader(codec.Detect(head), r)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		defer z.Close()
		plain = io.LimitReader(z, maxPlain)
	}
	var buf bytes.Buffer
	t := tar.NewReader(plain)
	for range maxMembers {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := member(biopsy.Join(name, h.Name), t, &buf, sink); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return fmt.Errorf("read %s: more than %d members", name, maxMembers)
}

func parseZip(ctx context.Context, name string, r *io.SectionReader, sink biopsy.Sink) error {
	z, err := zip.NewReader(r, r.Size())
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	var buf bytes.Buffer
	for _, f := range z.File {
		if !f.Mode().IsRegular() {
			continue
		}
		m, err := f.Open()
		if err != nil {
			sink.Bad(gap(biopsy.Join(name, f.Name), 0, "%v", err))
			continue
		}
		err = member(biopsy.Join(name, f.Name), m, &buf, sink)
		if err := errors.Join(err, m.Close(), ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// member reads one member into buf, which serves all.
func member(name string, r io.Reader, buf *bytes.Buffer, sink biopsy.Sink) error {
	buf.Reset()
	if err := readFile(r, buf); err != nil {
		sink.Bad(gap(name, 0, "%v", err))
		return nil // what damages an archive ends the reading of its next header, too
	}
	return parseFile(name, buf.Bytes(), sink)
}
