// Package flash holds what the file systems of raw flash chips share.
//
// What comes in: an image that can be read at any offset, and what a file system says of names and blocks. What goes out: checksums
// as Linux computes them, a window that goes through an image with few reads, the image without the spare bytes of its pages,
// paths out of directory entries, and files out of blocks that are unpacked when somebody reads them. It knows no file system.
package flash

import (
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/biopsy-sca/biopsy"
)

// CRC0 is crc32(0, ...) of Linux: begun with zero and not inverted (JFFS2).
func CRC0(p []byte) uint32 { return ^crc32.Update(^uint32(0), crc32.IEEETable, p) }

// CRC1 is crc32(~0, ...) of Linux: begun with ones and not inverted (UBI, UBIFS).
func CRC1(p []byte) uint32 { return ^crc32.ChecksumIEEE(p) }

// Mode turns the bits of a Unix inode into a mode, without its type: only regular files are told.
func Mode(m uint32) fs.FileMode {
	mode := fs.FileMode(m & 0o777)
	if m&0o4000 != 0 {
		mode |= fs.ModeSetuid
	}
	if m&0o2000 != 0 {
		mode |= fs.ModeSetgid
	}
	if m&0o1000 != 0 {
		mode |= fs.ModeSticky
	}
	return mode
}

// A Window reads windowSize at once, and less in the beginning: most that looks like a file system is none after a few bytes.
const (
	windowSize  = 256 << 10
	firstWindow = 4 << 10
)

// Window shows an image piece by piece. Going forward costs few reads.
type Window struct {
	r    io.ReaderAt
	size int64
	step int
	buf  []byte
	at   int64 // of buf
}

// NewWindow returns a window on the first size bytes of r.
func NewWindow(r io.ReaderAt, size int64) *Window {
	return &Window{r: r, size: size, step: firstWindow}
}

// Size returns how many bytes can be seen.
func (w *Window) Size() int64 { return w.size }

// Bytes returns n bytes at off, valid until the next call. Fewer come back only with an error: io.EOF beyond the end.
func (w *Window) Bytes(off int64, n int) ([]byte, error) {
	if off < 0 || n < 0 || off > w.size || int64(n) > w.size-off {
		return nil, io.EOF
	}
	if i := off - w.at; i >= 0 && i+int64(n) <= int64(len(w.buf)) {
		return w.buf[i : i+int64(n)], nil
	}
	want := int(min(int64(max(n, w.step)), w.size-off))
	w.step = min(2*w.step, windowSize)
	if cap(w.buf) < want {
		w.buf = make([]byte, want)
	}
	w.buf, w.at = w.buf[:want], off
	got, err := w.r.ReadAt(w.buf, off)
	if w.buf = w.buf[:got]; got >= n {
		return w.buf[:n], nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("read at offset %d: %w", off, err)
}

// Rest returns what is at hand from off on, at least one byte before the end.
func (w *Window) Rest(off int64) ([]byte, error) {
	if i := off - w.at; i >= 0 && i < int64(len(w.buf)) {
		return w.buf[i:], nil
	}
	if _, err := w.Bytes(off, 1); err != nil {
		return nil, err
	}
	return w.buf, nil
}

// Blank returns how many bytes from off on are 0xff, up to limit.
func (w *Window) Blank(off, limit int64) (int64, error) {
	start := off
	for off < limit {
		b, err := w.Rest(off)
		if err != nil {
			return off - start, err
		}
		b = b[:min(int64(len(b)), limit-off)]
		n := Ones(b)
		off += int64(n)
		if n < len(b) {
			break
		}
	}
	return off - start, nil
}

// Ones returns how many of the first bytes are 0xff.
func Ones(b []byte) int {
	n := 0
	for len(b)-n >= 8 && b[n]&b[n+1]&b[n+2]&b[n+3]&b[n+4]&b[n+5]&b[n+6]&b[n+7] == 0xff {
		n += 8
	}
	for n < len(b) && b[n] == 0xff {
		n++
	}
	return n
}

// blockPadding is what may stay free in an erase block without being told in a ledger of its own.
const blockPadding = 64 << 10

// Spans gathers a ledger in order of offset. Neighbours of one kind are one span, and short padding belongs to what is before it.
type Spans []biopsy.Span

// Add says what the next size bytes are.
func (s *Spans) Add(size int64, kind biopsy.ByteKind, what string) {
	if size <= 0 {
		return
	}
	n := len(*s)
	if n == 0 {
		*s = append(*s, biopsy.Span{Size: size, Status: kind, What: what})
		return
	}
	last := &(*s)[n-1]
	if last.Status == kind && last.What == what || kind == biopsy.BytesPadding && last.Status == biopsy.BytesParsed && size < blockPadding {
		last.Size += size
		return
	}
	*s = append(*s, biopsy.Span{Offset: last.Offset + last.Size, Size: size, Status: kind, What: what})
}
