package lazy

import (
	"errors"
	"io"
)

// Content is a file put together when it is read. It is a biopsy.Content whose Close does nothing.
type Content struct {
	// Length is the file's size in bytes.
	Length int64
	// At returns bytes of the file from off on, at least one; or that off begins a hole of so many zeros. It may be called from
	// several goroutines, and the bytes are not changed.
	At func(off int64) (b []byte, hole int64, err error)
}

// Size returns the file's size in bytes.
func (c *Content) Size() int64 { return c.Length }

// Close does nothing: what was made is the cache's.
func (c *Content) Close() error { return nil }

// ReadAt makes Content an io.ReaderAt.
func (c *Content) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("read at a negative offset")
	}
	for n < len(p) {
		left := c.Length - off
		if left <= 0 {
			return n, io.EOF
		}
		b, hole, err := c.At(off)
		if err != nil {
			return n, err
		}
		room := p[n:]
		room = room[:min(int64(len(room)), left)]
		k := copy(room, b)
		if len(b) == 0 {
			k = int(min(int64(len(room)), hole))
			clear(room[:k])
		}
		if k <= 0 {
			return n, io.ErrNoProgress
		}
		n += k
		off += int64(k)
	}
	return n, nil
}

// Bytes is a file that is in memory.
type Bytes []byte

// Size returns the file's size in bytes.
func (b Bytes) Size() int64 { return int64(len(b)) }

// Close does nothing.
func (b Bytes) Close() error { return nil }

// ReadAt makes Bytes an io.ReaderAt.
func (b Bytes) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read at a negative offset")
	}
	if off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
