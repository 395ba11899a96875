package iso9660

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/lazy"
)

// zisofs (Linux, fs/isofs/compress.c; version 1 of 2001): a file is a header, a table of places, and blocks packed by zlib.

const (
	zisofsMagic = "\x37\xe4\x53\x96\xc9\xdb\xd6\x07"
	zisofsCache = 1 << 20
)

// zisofs is a packed file.
type zisofs struct {
	packed biopsy.Content
	size   int64 // unpacked
	block  int64
	places []byte // of each block, and of the end: 32 bits
	cache  *lazy.Cache
}

// openZisofs reads header and table; size is what Rock Ridge says.
func openZisofs(packed biopsy.Content, size int64) (biopsy.Content, error) {
	var h [16]byte
	if err := readAt(packed, h[:], 0); err != nil {
		return nil, err
	}
	if string(h[:8]) != zisofsMagic || int64(le.Uint32(h[8:])) != size || h[13] < 15 || h[13] > 17 {
		return nil, errors.New("zisofs: header is damaged")
	}
	z := &zisofs{packed: packed, size: size, block: 1 << h[13], cache: lazy.NewCache(zisofsCache)}
	start, n := int64(h[12])*4, ((size+z.block-1)/z.block+1)*4
	if n > packed.Size()-start {
		return nil, errors.New("zisofs: table of blocks is cut off")
	}
	z.places = make([]byte, n)
	if err := readAt(packed, z.places, start); err != nil {
		return nil, err
	}
	return &lazy.Content{Length: size, At: z.at}, nil
}

// at returns what is left of the block that holds an offset. One without packed bytes is zeros.
func (z *zisofs) at(off int64) ([]byte, int64, error) {
	i := off / z.block
	size := min(z.block, z.size-i*z.block)
	from, to := int64(le.Uint32(z.places[4*i:])), int64(le.Uint32(z.places[4*i+4:]))
	if from == to {
		return nil, i*z.block + size - off, nil
	}
	b, err := z.cache.Block(i, func() ([]byte, error) {
		if from > to || to > z.packed.Size() || to-from > 2*z.block {
			return nil, fmt.Errorf("zisofs: block %d from %d to %d", i, from, to)
		}
		src, dst := make([]byte, to-from), make([]byte, size)
		if err := readAt(z.packed, src, from); err != nil {
			return nil, err
		}
		n, err := codec.Block(codec.Zlib, dst, src)
		if err == nil && int64(n) < size {
			err = errors.New("is too short")
		}
		if err != nil {
			return nil, fmt.Errorf("zisofs: block %d: %w", i, err)
		}
		return dst, nil
	}, nil)
	if err != nil {
		return nil, 0, err
	}
	return b[off-i*z.block:], 0, nil
}

// zisofsSize reads the field ZF of Rock Ridge; false when it is packed by anything but zlib.
func zisofsSize(f []byte) (int64, bool) {
	if len(f) < 16 || !bytes.Equal(f[4:6], []byte("pz")) {
		return 0, false
	}
	return int64(le.Uint32(f[8:])), true
}
