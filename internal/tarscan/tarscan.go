// Package tarscan goes through the entries of a tar archive, reading no more of it than it must.
//
// What comes in: an archive that can be read at any offset, or a stream of one (POSIX.1-2017 ustar and pax, GNU, old V7, all
// with sparse files). What goes out: its entries in their order. In the first case a regular file's bytes are named by their
// offset and stay unread; in a stream they can be read until the next entry. It never trusts a size it has not compared.
package tarscan

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// Entry is one entry of an archive.
type Entry struct {
	Name string // as the archive holds it: not cleaned
	Link string // target of a Link or Symlink, not cleaned
	Kind Kind
	Mode fs.FileMode // permission, set-id and sticky bits
	Size int64       // bytes of a File, unpacked; 0 for others

	// Sparse is true for a File whose holes are not in the archive: its Size may be any, and costs the archive nothing.
	Sparse bool

	// Bytes are those of a File in an archive that can be read at any offset; nil in streams and for sparse files.
	Bytes *io.SectionReader
	// Stream is where a File without Bytes is read, until the next entry is asked for; nil otherwise.
	Stream io.Reader
}

// Kind is what sort of file an entry stands for.
type Kind uint8

// The kinds.
const (
	Other Kind = iota // devices, pipes, and what we do not know
	File
	Dir
	Link    // a further name of an earlier File
	Symlink // a name that stands for another name
)

// TrailingError says that bytes other than zero follow the end of an archive.
type TrailingError struct{ Offset int64 }

func (e *TrailingError) Error() string {
	return fmt.Sprintf("bytes from offset %d on, behind the end of the tar archive, were not read", e.Offset)
}

// Archive goes through an archive of size bytes. each is shown every entry; its error ends the walk and is returned as it is.
// Damage is an error that tells the offset, after all entries before it were shown.
func Archive(r io.ReaderAt, size int64, each func(Entry) error) error {
	in := &window{r: r, size: size}
	return scan(&source{Reader: in, seek: in.Seek}, in, each)
}

// Stream goes through an archive that comes as a stream.
func Stream(r io.Reader, each func(Entry) error) error {
	return scan(&source{Reader: r}, nil, each)
}

func scan(in *source, random *window, each func(Entry) error) error {
	var r io.Reader = struct{ io.Reader }{in}
	if in.seek != nil {
		r = in
	}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		switch {
		case err == io.EOF && !in.marked:
			return fmt.Errorf("tar archive ends without end mark at offset %d, it may be cut off: %w", in.pos, io.ErrUnexpectedEOF)
		case err == io.EOF:
			return trailing(in)
		case err != nil:
			return fmt.Errorf("tar header near offset %d: %w", in.pos, err)
		}
		e, err := entry(h, tr, random)
		if err != nil {
			return err
		}
		if err := each(e); err != nil {
			return err
		}
	}
}

func entry(h *tar.Header, tr *tar.Reader, random *window) (Entry, error) {
	e := Entry{Name: h.Name, Link: h.Linkname, Kind: kind(h), Mode: mode(h.Mode)}
	if e.Kind != File {
		return e, nil
	}
	e.Size, e.Sparse = h.Size, sparse(h)
	if random == nil || e.Sparse {
		e.Stream = tr
		return e, nil
	}
	if left := random.size - random.pos; h.Size > left {
		return e, fmt.Errorf("tar entry %q at offset %d: %d bytes are missing: %w", h.Name, random.pos, h.Size-left, io.ErrUnexpectedEOF)
	}
	e.Bytes = io.NewSectionReader(random.r, random.pos, h.Size)
	return e, nil
}

func kind(h *tar.Header) Kind {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		if strings.HasSuffix(h.Name, "/") { // how V7 archives write folders
			return Dir
		}
		return File
	case tar.TypeDir:
		return Dir
	case tar.TypeLink:
		return Link
	case tar.TypeSymlink:
		return Symlink
	}
	return Other
}

// sparse tells whether the bytes in the archive are not simply the file's.
func sparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// mode turns the bits of POSIX into those of io/fs.
func mode(m int64) fs.FileMode {
	f := fs.FileMode(m & 0o777)
	for _, b := range []struct {
		bit int64
		is  fs.FileMode
	}{{0o4000, fs.ModeSetuid}, {0o2000, fs.ModeSetgid}, {0o1000, fs.ModeSticky}} {
		if m&b.bit != 0 {
			f |= b.is
		}
	}
	return f
}

// trailing reads what follows the two zero blocks of the end, which ought to be zeros as well.
func trailing(in *source) error {
	buf := make([]byte, 32<<10)
	for {
		start := in.pos
		n, err := in.Read(buf)
		if i := bytes.IndexFunc(buf[:n], func(r rune) bool { return r != 0 }); i >= 0 {
			return &TrailingError{start + int64(i)}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("behind the tar archive at offset %d: %w", in.pos, err)
		}
	}
}

// source is what tar.Reader reads from. It knows how far it has come, and whether the last block was an end mark.
type source struct {
	io.Reader
	seek   func(offset int64, whence int) (int64, error) // nil in streams
	pos    int64
	marked bool
}

// Read fills p, however little a decoder hands out at once: a mark in pieces would not be known.
func (s *source) Read(p []byte) (n int, err error) {
	for idle := 0; n < len(p) && err == nil && idle < 100; idle++ {
		var k int
		if k, err = s.Reader.Read(p[n:]); k > 0 {
			n, idle = n+k, 0
		}
	}
	s.pos += int64(n)
	if n > 0 {
		s.marked = p[0] == 0 && p[n-1] == 0 && len(p) == 512 && allZero(p[:n])
	}
	return n, err
}

func (s *source) Seek(offset int64, whence int) (int64, error) {
	pos, err := s.seek(offset, whence)
	if err == nil {
		s.pos = pos
	}
	return pos, err
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// window reads ahead a little, so that a header and the small file before it need one read of the archive together. What is
// skipped by Seek beyond it is never read.
type window struct {
	r         io.ReaderAt
	size, pos int64

	start int64 // offset of buf
	held  int   // bytes of buf that are filled
	buf   [16 << 10]byte
}

func (w *window) Read(p []byte) (int, error) {
	if w.pos >= w.size {
		return 0, io.EOF
	}
	if len(p) >= len(w.buf) {
		n, err := w.r.ReadAt(p[:min(int64(len(p)), w.size-w.pos)], w.pos)
		w.pos += int64(n)
		return n, err
	}
	if w.pos < w.start || w.pos >= w.start+int64(w.held) {
		n, err := w.r.ReadAt(w.buf[:min(int64(len(w.buf)), w.size-w.pos)], w.pos)
		if n == 0 && err != nil {
			return 0, err
		}
		w.start, w.held = w.pos, n
	}
	n := copy(p, w.buf[w.pos-w.start:w.held])
	w.pos += int64(n)
	return n, nil
}

// Seek lets tar.Reader skip files. Positions behind the end are the end, so that a lying size is found out at once.
func (w *window) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += w.pos
	case io.SeekEnd:
		offset += w.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	w.pos = min(offset, w.size)
	return w.pos, nil
}
