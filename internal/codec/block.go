package codec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/anchore/go-lzo"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Formats of blocks, which are packed on their own and unpacked in memory.
const (
	Zlib      Format = "zlib"      // RFC 1950
	LZ4Block  Format = "lz4 block" // without frame
	LZ4Fill   Format = "lz4 fill"  // the same, as far as there is room
	LZO       Format = "lzo"       // LZO1X, without header
	Tiano     Format = "tiano"     // of UEFI firmware, with its header of two sizes
	EFI       Format = "efi 1.1"   // the variant of the UEFI specification itself
	MicroLZMA Format = "microlzma" // as XZ Utils 5.4 defines it: the properties stand in the place of the first byte
)

// errLarge says that a block holds more than there is room for.
var errLarge = errors.New("block unpacks to more than it should")

// Block unpacks one block of a file system into dst and returns how many bytes it made. More than dst holds is an error, but for
// MicroLZMA and LZ4Fill, which fill dst and stop. Fewer are none: a block without end mark (LZ4Block) cannot tell that bytes are missing.
// It knows Deflate, Zlib, Zstd, LZ4Block, LZ4Fill, LZO, LZMA (with header), MicroLZMA, Tiano, EFI, and XZ with the filters for all processors.
func Block(f Format, dst, src []byte) (int, error) {
	if len(src) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	switch f {
	case XZ:
		return blockXZ(dst, src)
	case LZMA:
		return blockLZMA(dst, src)
	case MicroLZMA:
		return blockMicroLZMA(dst, src)
	case Zstd:
		return blockZstd(dst, src)
	case Zlib:
		return blockStream(&zlibs, dst, src, newZlib)
	case Deflate:
		return blockStream(&flates, dst, src, newFlate)
	case LZ4Block:
		n, err := lz4.UncompressBlock(src, dst)
		return max(n, 0), err
	case LZ4Fill:
		return blockLZ4Fill(dst, src)
	case Tiano:
		return blockTiano(dst, src, 5)
	case EFI:
		return blockTiano(dst, src, 4)
	case LZO:
		return lzo.Decompress(src, dst)
	}
	return 0, fmt.Errorf("no decoder for blocks of %q", string(f))
}

var zlibs sync.Pool

type zlibReader struct{ io.ReadCloser }

func (z zlibReader) Reset(r io.Reader) error { return z.ReadCloser.(zlib.Resetter).Reset(r, nil) }

func newZlib(r io.Reader) (resetter, error) {
	z, err := zlib.NewReader(r)
	return zlibReader{z}, err
}

// blockStream unpacks a block with a decoder of streams.
func blockStream(pool *sync.Pool, dst, src []byte, make func(io.Reader) (resetter, error)) (n int, err error) {
	r, err := newPooled(pool, bytes.NewReader(src), make)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for n < len(dst) {
		k, err := r.Read(dst[n:])
		n += k
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	var more [1]byte
	switch k, err := io.ReadFull(r, more[:]); {
	case k > 0:
		return n, errLarge
	case err != io.EOF:
		return n, err
	}
	return n, nil
}

// zstdBlocks may be used from many goroutines.
var zstdBlocks = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(maxWindow))
})

func blockZstd(dst, src []byte) (int, error) {
	d, err := zstdBlocks()
	if err != nil {
		return 0, err
	}
	out, err := d.DecodeAll(src, dst[:0:len(dst)])
	return min(len(out), len(dst)), err
}
