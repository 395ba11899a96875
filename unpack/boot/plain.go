package boot

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"hash/crc32"
	"io"

	"github.com/biopsy-sca/biopsy/internal/codec"
)

// plain unpacks a stream that other bytes may follow: kernels and boot images put sizes, padding and code behind it.
func plain(f codec.Format, r io.ReaderAt, off, max int64) (io.ReadCloser, error) {
	switch f {
	case codec.Gzip:
		z, err := gzip.NewReader(bufio.NewReaderSize(io.NewSectionReader(r, off, max), 64<<10))
		if err != nil {
			return nil, err
		}
		z.Multistream(false)
		return z, nil
	case codec.XZ:
		max = xzLength(r, off, max)
	case codec.Zstd:
		max = zstdLength(r, off, max)
	case codec.LZ4:
		max = lz4Length(r, off, max)
	}
	return codec.NewReader(f, bufio.NewReaderSize(io.NewSectionReader(r, off, max), 64<<10))
}

// xzLength looks for the footer that closes the stream at off (xz file format 1.2.1, 2.1.2): its check sum and flags must hold up.
// max when there is none.
func xzLength(r io.ReaderAt, off, max int64) int64 {
	head := header(r, off, max, 12)
	if len(head) < 12 {
		return max
	}
	const piece = 256 << 10
	buf := make([]byte, piece+12)
	for at := int64(12); at < max; at += piece {
		n, _ := r.ReadAt(buf[:min(int64(len(buf)), max-at)], off+at)
		for i := 8; i+4 <= n; i += 4 { // the footer ends at a multiple of four
			if buf[i+2] != 'Y' || buf[i+3] != 'Z' {
				continue
			}
			f := buf[i-8 : i+4]
			if bytes.Equal(f[8:10], head[6:8]) && crc32.ChecksumIEEE(f[4:10]) == le.Uint32(f) {
				return at + int64(i) + 4
			}
		}
	}
	return max
}

// zstdLength follows the blocks of the frame at off (RFC 8878, 3.1.1). max when it breaks off.
func zstdLength(r io.ReaderAt, off, max int64) int64 {
	head := header(r, off, max, 18)
	if len(head) < 18 {
		return max
	}
	flags := head[4]
	at := int64(5) + [...]int64{0, 1, 2, 4}[flags&3]
	if single := flags&0x20 != 0; !single {
		at++
	} else if flags>>6 == 0 {
		at++
	}
	at += [...]int64{0, 2, 4, 8}[flags>>6]
	for {
		b := header(r, off+at, max-at, 3)
		if len(b) < 3 {
			return max
		}
		block := int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16
		size := block >> 3
		if block>>1&3 == 1 {
			size = 1 // one byte, repeated
		}
		at += 3 + size
		if block&1 != 0 {
			break
		}
	}
	if flags&4 != 0 {
		at += 4
	}
	return min(at, max)
}

// lz4Length follows the blocks of a legacy frame: the kernel's build puts the unpacked size behind the last one. max for other frames.
func lz4Length(r io.ReaderAt, off, max int64) int64 {
	if b := header(r, off, max, 4); len(b) < 4 || le.Uint32(b) != 0x184c2102 {
		return max
	}
	const largest = 8<<20 + 8<<20/255 + 16 // what 8 MiB may take
	at := int64(4)
	for {
		b := header(r, off+at, max-at, 4)
		if len(b) < 4 {
			return at
		}
		size := int64(le.Uint32(b))
		if size == 0 || size > largest || size > max-at-4 {
			return at
		}
		at += 4 + size
	}
}
