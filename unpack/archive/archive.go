// Package archive opens the archive formats that people exchange files in.
//
// What comes in: tar (ustar, pax, GNU, V7; sparse files too), zip and all that is zip inside (jar, whl, nupkg, ...), ar (also
// deb), cpio (newc, crc, odc, binary), rpm, 7z, rar, cab, msi, and single files packed by gzip, bzip2, xz, zstd, lzma, lz4, lzip, lzop
// or compress. What goes out: their regular files in
// the order of the archive. Members are read when they are opened, where the format lets us; those of a stream are Transient.
// It never writes a file, follows a link or trusts a length.
//
// Names are cleaned by internal/treepath: a name that climbs out is shown with its ".." as %2E%2E. Two members of one name are
// both yielded, for nobody can tell which one the device uses. Links are not yielded: a hard link's bytes come under the name
// of its target; but cpio, whose names of one file are equal, yields each. What is cut off, encrypted or packed by a method we do not know is a gap; what comes before a damage is kept.
package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// members yields the files of one container.
type members struct {
	biopsy.UnpackOptions
	stopped error         // what Yield returned; it ends the unpacking
	book    []biopsy.Span // what bytes of the container are, for the ledger; empty when nobody asks
}

// file yields one member under its cleaned name. It returns an error only to end the unpacking.
func (m *members) file(name string, f biopsy.File) error {
	clean, err := treepath.Clean(name)
	if err != nil {
		m.lost("", err.Error(), f.Size)
		return nil
	}
	f.Path = clean
	m.stopped = m.Yield(f)
	return m.stopped
}

// unstated is the mode of a file whose archive states none: what has no ending, as programs under Unix, may be one.
func unstated(name string) fs.FileMode {
	if path.Ext(name) == "" {
		return 0o755
	}
	return 0o644
}

// lost reports a member that stays unseen.
func (m *members) lost(name, reason string, size int64) {
	clean, err := treepath.Clean(name)
	if err != nil {
		clean = ""
	}
	m.Gap(biopsy.Gap{Place: biopsy.Place{Path: clean}, Reason: reason, Size: size})
}

// transient opens a member of a stream.
func (m *members) transient(r io.Reader) func() (biopsy.Content, error) {
	return func() (biopsy.Content, error) { return m.Spool.Keep(r, m.Limits.FileSize) }
}

// lazy opens a member that is part of the container as it is.
func lazy(r io.ReaderAt, offset, size int64) func() (biopsy.Content, error) {
	return func() (biopsy.Content, error) { return part{io.NewSectionReader(r, offset, size)}, nil }
}

// part is a run of bytes of a container; the walk closes the container.
type part struct{ *io.SectionReader }

func (part) Close() error { return nil }

// spending counts what comes out of a decoder.
type spending struct {
	r      io.Reader
	budget biopsy.Budget // nil counts nothing
	broke  error         // the limit that was reached
}

func (s *spending) Read(p []byte) (int, error) {
	if s.broke != nil {
		return 0, s.broke
	}
	n, err := s.r.Read(p)
	if s.budget != nil && n > 0 {
		if s.broke = s.budget.Spend(int64(n)); s.broke != nil {
			return 0, s.broke
		}
	}
	return n, err
}

// damage words an error of a format's reader for the gap of the whole container.
func damage(offset int64, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("at offset %d: %w", offset, err)
}
