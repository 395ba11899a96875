package cramfs

import (
	"fmt"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/lazy"
)

// Bits of a block pointer, where the superblock says that there are any.
const (
	pointerPlain  = 1 << 31
	pointerDirect = 1 << 30 // it is where the block begins, by 4 bytes; otherwise where the block ends
)

// page is where a block of a file stands.
type page struct {
	at, size int64 // size 0: a hole
	plain    bool
}

func (i *image) open(n inode) (biopsy.Content, error) {
	if n.size == 0 {
		return lazy.Bytes(nil), nil
	}
	count := (n.size-1)/pageSize + 1
	start := n.offset + i.shift
	pointers, err := i.read(start, 4*count)
	if err != nil {
		return nil, fmt.Errorf("block pointers: %w", err)
	}
	return &lazy.Content{Length: n.size, At: func(off int64) ([]byte, int64, error) {
		k := off / pageSize
		want := min(n.size-k*pageSize, pageSize)
		p, err := i.page(pointers, start, k, want)
		if err != nil {
			return nil, 0, fmt.Errorf("at byte %d: %w", off, err)
		}
		if p.size == 0 {
			return nil, want - off%pageSize, nil
		}
		b, err := i.pages.Block(p.at, func() ([]byte, error) { return i.unpack(p, want) }, nil)
		if err == nil && int64(len(b)) < want {
			err = fmt.Errorf("block at offset %d has %d bytes, not %d", p.at, len(b), want)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("at byte %d: %w", off, err)
		}
		return b[off%pageSize : want], 0, nil
	}}, nil
}

// page finds block k of a file whose pointers stand at start. Those of blocks behind each other say where each ends.
func (i *image) page(pointers []byte, start, k, want int64) (page, error) {
	this := i.order.Uint32(pointers[4*k:])
	if i.flags&extPointers == 0 {
		from := start + int64(len(pointers))
		if k > 0 {
			from = int64(i.order.Uint32(pointers[4*k-4:])) + i.shift
		}
		return between(from, int64(this)+i.shift, false)
	}
	if this&pointerDirect != 0 {
		return i.direct(this, want)
	}
	from := start + int64(len(pointers))
	if k > 0 {
		before := i.order.Uint32(pointers[4*k-4:])
		from = int64(before&^pointerPlain) + i.shift
		if before&pointerDirect != 0 {
			p, err := i.direct(before, pageSize)
			if err != nil {
				return page{}, err
			}
			from = p.at + p.size
		}
	}
	return between(from, int64(this&^pointerPlain)+i.shift, this&pointerPlain != 0)
}

// maxPage is what a block may take packed: zlib makes the worst page a little longer, Linux refuses more than two.
const maxPage = 2 * pageSize

func between(from, to int64, plain bool) (page, error) {
	if to < from || to-from > maxPage {
		return page{}, fmt.Errorf("block from offset %d to %d", from, to)
	}
	return page{at: from, size: to - from, plain: plain}, nil
}

// direct follows a pointer to where a block begins: plain bytes, or packed ones behind their length of 16 bits.
func (i *image) direct(pointer uint32, want int64) (page, error) {
	at := int64(pointer&^(pointerPlain|pointerDirect))*4 + i.shift
	if pointer&pointerPlain != 0 {
		return page{at: at, size: want, plain: true}, nil
	}
	b, err := i.read(at, 2)
	if err != nil {
		return page{}, fmt.Errorf("block's length: %w", err)
	}
	return between(at+2, at+2+int64(i.order.Uint16(b)), false)
}

func (i *image) unpack(p page, want int64) ([]byte, error) {
	b, err := i.read(p.at, p.size)
	if err != nil || p.plain {
		return b, err
	}
	out := make([]byte, want)
	n, err := codec.Block(codec.Zlib, out, b)
	if err != nil {
		return nil, fmt.Errorf("zlib block at offset %d: %w", p.at, err)
	}
	return out[:n], nil
}
