// Package codec turns compressed streams into plain ones.
//
// What comes in: a reader and the name of its compression, which Detect knows from the first bytes: gzip (RFC 1952), bzip2,
// xz (tukaani.org, 1.2.0 of 2024), lzma (the "alone" format of LZMA SDK), lzip, zstd (RFC 8878), lz4 (frame format 1.6.4 of 2023, and
// the legacy frames of Linux kernels), lzop and compress. What goes out: a reader of the plain bytes. It never bounds how many come
// out; the caller does. Blocks of file systems, which are packed on their own, are unpacked by Block, into the room that the caller
// gives; what archives tell apart by headers of their own has a function each. A decoder's own memory stays below 130 MiB whatever
// the bytes claim, but for 7-Zip's dictionaries (NewLZMA).
package codec

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
)

// Format is a compression. "" is none that we know.
type Format string

// The formats.
const (
	Gzip    Format = "gzip"
	Bzip2   Format = "bzip2"
	XZ      Format = "xz"
	LZMA    Format = "lzma"
	Zstd    Format = "zstd"
	LZ4     Format = "lz4"
	Deflate Format = "deflate" // bare, without header: members of zip

	Lzip     Format = "lzip"
	Lzop     Format = "lzop"
	Compress Format = "compress" // LZW, as compress(1) of Unix writes it
)

// maxWindow bounds a decoder's dictionary: "xz -9" and "zstd --ultra -22" need as much.
const maxWindow = 128 << 20

// Detect knows a format by the first bytes of a stream (18 are enough). It never answers Deflate, which has no header.
func Detect(head []byte) Format {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}) && len(head) >= 18 && head[3]&0xe0 == 0:
		return Gzip
	case bytes.HasPrefix(head, []byte("BZh")) && isBzip2(head):
		return Bzip2
	case bytes.HasPrefix(head, []byte{0xfd, '7', 'z', 'X', 'Z', 0, 0}):
		return XZ
	case isZstd(head):
		return Zstd
	case bytes.HasPrefix(head, []byte{4, 0x22, 0x4d, 0x18}), bytes.HasPrefix(head, []byte{2, 0x21, 0x4c, 0x18}):
		return LZ4
	case bytes.HasPrefix(head, []byte(lzipMagic)) && len(head) >= 18 && head[5]&31 >= 12 && head[5]&31 <= 29:
		return Lzip
	case bytes.HasPrefix(head, []byte(lzopMagic)):
		return Lzop
	case bytes.HasPrefix(head, []byte{0x1f, 0x9d}) && len(head) >= 4 && head[2] >= 0x8c && head[2] <= 0x90: // 12 to 16 bits
		return Compress
	case isLZMA(head):
		return LZMA
	}
	return ""
}

// isBzip2 looks behind "BZh": the level, then the magic of a block or of the end.
func isBzip2(head []byte) bool {
	if len(head) < 10 || head[3] < '1' || head[3] > '9' {
		return false
	}
	magic := head[4:10]
	return bytes.Equal(magic, []byte{0x31, 0x41, 0x59, 0x26, 0x53, 0x59}) || bytes.Equal(magic, []byte{0x17, 0x72, 0x45, 0x38, 0x50, 0x90})
}

func isZstd(head []byte) bool {
	if len(head) < 9 {
		return false
	}
	magic := binary.LittleEndian.Uint32(head)
	return magic == 0xfd2fb528
}

// isLZMA is strict, for the format has no magic: properties 5D as every encoder writes them, a dictionary of 2^n or 2^n+2^(n-1)
// bytes from 4 KiB to maxWindow, an unpacked size below 1 TiB or unknown, and the range coder's first byte 0.
func isLZMA(head []byte) bool {
	if len(head) < 18 || head[0] != 0x5d || head[13] != 0 {
		return false
	}
	dict := binary.LittleEndian.Uint32(head[1:])
	size := binary.LittleEndian.Uint64(head[5:])
	low := dict & -dict
	return dict >= 4096 && dict <= maxWindow && (dict == low || dict == low*3) && (size == 1<<64-1 || size < 1<<40)
}

// NewReader returns the plain bytes of r. Streams of one format behind each other are one, where the format says so. The
// reader fails with io.ErrUnexpectedEOF where r ends too early; Close frees the decoder and does not close r.
func NewReader(f Format, r io.Reader) (io.ReadCloser, error) {
	switch f {
	case Gzip:
		return newPooled(&gzips, r, newGzip)
	case Deflate:
		return newPooled(&flates, r, newFlate)
	case Zstd:
		return newZstd(r)
	case Bzip2:
		return io.NopCloser(bzip2.NewReader(r)), nil
	case LZ4:
		return newLZ4(r), nil
	case XZ:
		x, err := xz.NewReader(r, maxWindow)
		return plain{x}, err
	case LZMA:
		x, err := newLZMA(r)
		return plain{x}, err
	case Lzip:
		return plain{&lzipReader{r: r}}, nil
	case Lzop:
		x, err := newLzop(r)
		return plain{x}, err
	case Compress:
		x, err := newLZW(r)
		return plain{x}, err
	}
	return nil, fmt.Errorf("no decoder for %q", string(f))
}

var gzips, flates, zstds sync.Pool

// resetter is a decoder that can be used again.
type resetter interface {
	io.Reader
	Reset(io.Reader) error
}

type flateReader struct{ io.ReadCloser }

func (f flateReader) Reset(r io.Reader) error { return f.ReadCloser.(flate.Resetter).Reset(r, nil) }

func newFlate(r io.Reader) (resetter, error) { return flateReader{flate.NewReader(r)}, nil }
func newGzip(r io.Reader) (resetter, error)  { return gzip.NewReader(r) }

func newZstd(r io.Reader) (io.ReadCloser, error) {
	return newPooled(&zstds, r, func(r io.Reader) (resetter, error) {
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow))
	})
}

// pooled hands its decoder back when it is closed.
type pooled struct {
	resetter
	pool *sync.Pool
}

func newPooled(pool *sync.Pool, r io.Reader, make func(io.Reader) (resetter, error)) (io.ReadCloser, error) {
	if d, ok := pool.Get().(resetter); ok {
		if err := d.Reset(r); err != nil {
			return nil, err
		}
		return &pooled{d, pool}, nil
	}
	d, err := make(r)
	if err != nil {
		return nil, err
	}
	return &pooled{d, pool}, nil
}

// Close hands the decoder back without the reader it read from.
func (p *pooled) Close() error {
	if p.resetter == nil {
		return nil
	}
	d := p.resetter
	p.resetter = nil
	if z, ok := d.(*zstd.Decoder); ok {
		if err := z.Reset(nil); err != nil {
			return err
		}
	}
	p.pool.Put(d)
	return nil
}

func (p *pooled) Read(b []byte) (int, error) {
	if p.resetter == nil {
		return 0, errors.New("read from a closed decoder")
	}
	return p.resetter.Read(b)
}

// plain gives the errors of xz and lzma decoders the name every other decoder uses for a stream that breaks off.
type plain struct{ io.Reader }

func (p plain) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if err == xz.ErrBuf {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (plain) Close() error { return nil }
