package installed

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The ZIP format as in PKWARE's APPNOTE 6.3.10: end of central directory (4.3.16), its ZIP64 form (4.3.14), central directory
// headers (4.3.12), local headers (4.3.7).
const (
	zipEndSize     = 22
	zipEnd64Size   = 56
	zipLocator     = 20
	zipCentralSize = 46
	zipLocalSize   = 30
	maxZipDir      = 256 << 20 // the directory of a jar with two million classes
	maxZipEntry    = 4 << 20   // a metadata file inside a jar
)

var errZip = errors.New("not a zip archive")

// zipEntry is one line of the central directory.
type zipEntry struct {
	name   string
	flags  uint16
	method uint16
	packed uint64
	size   uint64
	offset int64 // of the local header in the file
}

// zipDir is where the central directory stands.
type zipDir struct {
	r      io.ReaderAt
	size   int64 // of the file
	start  int64
	length int64
	base   int64 // bytes in front of the archive (a launcher script); offsets in the directory are relative to it

	inflate io.ReadCloser // kept from one entry to the next; nil before the first
}

// openZip finds the central directory. It does not read it.
func openZip(r io.ReaderAt, size int64) (*zipDir, error) {
	if size < zipEndSize {
		return nil, errZip
	}
	end, endAt, err := findZipEnd(r, size)
	if err != nil {
		return nil, err
	}
	d := &zipDir{r: r, size: size, length: int64(u32(end[12:]))}
	offset := int64(u32(end[16:]))
	if u32(end[12:]) == 0xffffffff || u32(end[16:]) == 0xffffffff {
		at64, length, off, err := zip64End(r, endAt)
		if err != nil {
			return nil, err
		}
		endAt, d.length, offset = at64, length, off
	}
	d.start = endAt - d.length
	d.base = d.start - offset
	if d.length < 0 || d.start < 0 || offset < 0 || d.base < 0 {
		return nil, fmt.Errorf("central directory of %d bytes ends at offset %d: %w", d.length, endAt, errZip)
	}
	if d.length > maxZipDir {
		return nil, fmt.Errorf("central directory: %d bytes: %w", d.length, errTooLarge)
	}
	return d, nil
}

// findZipEnd returns the last end record whose comment reaches no further than the file, and its offset.
func findZipEnd(r io.ReaderAt, size int64) (end []byte, at int64, err error) {
	for _, n := range []int64{512, zipEndSize + 0xffff} { // nearly all archives have no comment
		n = min(n, size)
		tail := make([]byte, n)
		if err := readFull(r, tail, size-n); err != nil {
			return nil, 0, err
		}
		for i := len(tail) - zipEndSize; i >= 0; i-- {
			if tail[i] == 'P' && bytes.HasPrefix(tail[i:], []byte("PK\x05\x06")) && i+zipEndSize+int(u16(tail[i+20:])) <= len(tail) {
				return tail[i:], size - n + int64(i), nil
			}
		}
	}
	return nil, 0, errZip
}

// zip64End reads the ZIP64 end record that a locator in front of the end record points to.
func zip64End(r io.ReaderAt, endAt int64) (at, length, offset int64, err error) {
	b := make([]byte, zipLocator+zipEnd64Size)
	// Archives with bytes in front have wrong absolute offsets, but the ZIP64 end record always stands before its locator.
	at = endAt - int64(len(b))
	if at < 0 {
		return 0, 0, 0, errZip
	}
	if err := readFull(r, b, at); err != nil {
		return 0, 0, 0, err
	}
	if u32(b) != 0x06064b50 || u32(b[zipEnd64Size:]) != 0x07064b50 {
		return 0, 0, 0, fmt.Errorf("zip64 end record at offset %d: %w", at, errZip)
	}
	return at, int64(u64(b[40:])), int64(u64(b[48:])), nil
}

// each calls visit for every entry of the directory, in its order, until visit returns false.
func (d *zipDir) each(visit func(zipEntry) bool) error {
	br := newWindow(d.r, d.start, d.length)
	for pos := int64(0); pos < d.length; {
		h, err := br.next(zipCentralSize)
		if err != nil || u32(h) != 0x02014b50 {
			return fmt.Errorf("central directory entry at offset %d: %w", d.start+pos, errZip)
		}
		e := zipEntry{flags: u16(h[8:]), method: u16(h[10:]), packed: uint64(u32(h[20:])), size: uint64(u32(h[24:])), offset: int64(u32(h[42:]))}
		nameLen, extraLen, commentLen := int(u16(h[28:])), int(u16(h[30:])), int(u16(h[32:]))
		tail, err := br.next(nameLen + extraLen + commentLen)
		if err != nil {
			return fmt.Errorf("central directory entry at offset %d: %w", d.start+pos, err)
		}
		e.name = string(tail[:nameLen])
		e.widen(tail[nameLen : nameLen+extraLen])
		e.offset += d.base
		pos += int64(zipCentralSize + nameLen + extraLen + commentLen)
		if !visit(e) {
			return nil
		}
	}
	return nil
}

// widen takes sizes and offset from the ZIP64 extra field (0x0001), which holds those that the header could not.
func (e *zipEntry) widen(extra []byte) {
	for len(extra) >= 4 {
		id, n := u16(extra), int(u16(extra[2:]))
		if n > len(extra)-4 {
			return
		}
		body := extra[4 : 4+n]
		extra = extra[4+n:]
		if id != 1 {
			continue
		}
		take := func(v uint64) uint64 {
			if v != 0xffffffff || len(body) < 8 {
				return v
			}
			v, body = u64(body), body[8:]
			return v
		}
		e.size, e.packed = take(e.size), take(e.packed)
		e.offset = int64(take(uint64(e.offset)))
		return
	}
}

// read returns an entry's bytes, unpacked; more than limit is an error.
func (d *zipDir) read(e zipEntry, limit int64) ([]byte, error) {
	switch {
	case e.flags&1 != 0:
		return nil, fmt.Errorf("%s: encrypted", e.name)
	case e.size > uint64(limit):
		return nil, fmt.Errorf("%s: %d bytes: %w", e.name, e.size, errTooLarge)
	}
	var h [zipLocalSize]byte
	if e.offset < 0 || e.offset > d.size-zipLocalSize {
		return nil, fmt.Errorf("%s: local header at offset %d: %w", e.name, e.offset, errZip)
	}
	if err := readFull(d.r, h[:], e.offset); err != nil {
		return nil, err
	}
	at := e.offset + zipLocalSize + int64(u16(h[26:])) + int64(u16(h[28:]))
	if u32(h[:]) != 0x04034b50 || at > d.size || e.packed > uint64(d.size-at) {
		return nil, fmt.Errorf("%s: local header at offset %d: %w", e.name, e.offset, errZip)
	}
	packed := io.NewSectionReader(d.r, at, int64(e.packed))
	switch e.method {
	case 0:
		return limited(packed, int64(e.size), limit, e.name)
	case 8:
		if d.inflate == nil {
			d.inflate = flate.NewReader(packed)
		} else if err := d.inflate.(flate.Resetter).Reset(packed, nil); err != nil {
			return nil, fmt.Errorf("%s: %w", e.name, err)
		}
		return limited(d.inflate, int64(e.size), limit, e.name)
	}
	return nil, fmt.Errorf("%s: compression method %d is not one a jar may use", e.name, e.method)
}

// limited reads r to its end; more than limit bytes is an error, whatever the headers said. size is what to expect.
func limited(r io.Reader, size, limit int64, name string) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(size, limit, 1<<20)) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if n > limit {
		return nil, fmt.Errorf("%s: more than %d bytes: %w", name, limit, errTooLarge)
	}
	return b.Bytes(), nil
}

// window hands out consecutive pieces of a range of a file through one buffer.
type window struct {
	r    io.ReaderAt
	at   int64 // file offset behind the buffered bytes
	left int64 // bytes of the range that are not buffered yet
	buf  []byte
	rest []byte
}

func newWindow(r io.ReaderAt, at, length int64) *window {
	return &window{r: r, at: at, left: length, buf: make([]byte, min(length, 64<<10))}
}

// next returns the next n bytes, valid until the next call.
func (w *window) next(n int) ([]byte, error) {
	if n > len(w.rest) {
		if int64(n-len(w.rest)) > w.left {
			return nil, io.ErrUnexpectedEOF
		}
		if n > len(w.buf) {
			w.buf = make([]byte, n) // rest still points into the old one
		}
		kept := copy(w.buf, w.rest)
		fill := int(min(int64(len(w.buf)-kept), w.left))
		if err := readFull(w.r, w.buf[kept:kept+fill], w.at); err != nil {
			return nil, err
		}
		w.rest, w.at, w.left = w.buf[:kept+fill], w.at+int64(fill), w.left-int64(fill)
	}
	b := w.rest[:n]
	w.rest = w.rest[n:]
	return b, nil
}

// readFull fills b from offset at, and names the offset when it cannot.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	if n, err := r.ReadAt(b, at); n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("read %d bytes at offset %d: %w", len(b), at, err)
	}
	return nil
}

func u16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func u64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
