package squashfs

import (
	"fmt"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
)

// file is an opened file.
type file struct {
	*image
	node
	lengths []uint32 // of the blocks as they are stored
	starts  []int64  // their offsets
}

// open reads a file's list of blocks.
func (i *image) open(n node) (biopsy.Content, error) {
	if n.size == 0 {
		return lazy.Bytes(nil), nil
	}
	count := n.size / i.block
	if n.frag == noBlock && n.size%i.block != 0 {
		count++
	}
	// A length takes four bytes of metadata, which does not unpack to more than a thousand times its size.
	if count > i.end*256 {
		return nil, fmt.Errorf("%d blocks in an image of %d bytes", count, i.end)
	}
	f := &file{image: i, node: n}
	if err := f.list(count); err != nil {
		return nil, fmt.Errorf("list of blocks: %w", err)
	}
	if n.frag != noBlock && count == 0 {
		b, err := f.tail()
		return lazy.Bytes(b), err
	}
	return &lazy.Content{Length: n.size, At: f.at}, nil
}

// list reads the lengths of count blocks.
func (f *file) list(count int64) error {
	c := f.node.blocks
	at := f.start
	var b [4 * 256]byte
	for left := count; left > 0; {
		k := min(left, 256)
		if err := c.read(b[:4*k]); err != nil {
			return err
		}
		for j := range k {
			length := f.order.Uint32(b[4*j:])
			f.lengths, f.starts = append(f.lengths, length), append(f.starts, at)
			at += int64(length &^ dataPlain)
		}
		left -= k
	}
	return nil
}

// at returns the bytes from off to the end of its block.
func (f *file) at(off int64) (b []byte, hole int64, err error) {
	i := off / f.block
	within := off % f.block
	want := min(f.size-i*f.block, f.block)
	switch {
	case i >= int64(len(f.lengths)):
		b, err = f.tail()
	case f.lengths[i]&^dataPlain == 0:
		return nil, want - within, nil
	default:
		b, err = f.data(i, want)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("at byte %d: %w", off, err)
	}
	return b[within:], 0, nil
}

// data returns block i, of want bytes.
func (f *file) data(i, want int64) ([]byte, error) {
	length, start := f.lengths[i], f.starts[i]
	n := length &^ dataPlain
	if int64(n) > f.block {
		return nil, fmt.Errorf("block of %d bytes at offset %d, blocks have %d", n, start, f.block)
	}
	b, err := f.datas.Block(start, func() ([]byte, error) {
		return f.unpackAt(start, int(n), length&dataPlain != 0, want)
	}, nil)
	if err == nil && int64(len(b)) != want {
		err = fmt.Errorf("block at offset %d has %d bytes, not %d", start, len(b), want)
	}
	return b, err
}

// tail returns the end of the file, which it shares a block with others for.
func (f *file) tail() ([]byte, error) {
	b, err := f.fragment(f.frag)
	if err != nil {
		return nil, fmt.Errorf("fragment %d: %w", f.frag, err)
	}
	size := int(f.node.size % f.block)
	if f.offset < 0 || f.offset > len(b) || size > len(b)-f.offset {
		return nil, fmt.Errorf("fragment %d has %d bytes, not %d at %d", f.frag, len(b), size, f.offset)
	}
	return b[f.offset:][:size:size], nil
}

// fragment returns a fragment block. Files lie in fragments in the order of the walk: who would have to wait for a block makes
// the next one.
func (i *image) fragment(n uint32) ([]byte, error) {
	at, length, err := i.fragmentAt(n)
	if err != nil {
		return nil, err
	}
	return i.datas.Block(at, i.makeFragment(at, length), func() {
		if at, length, err := i.fragmentAt(n + 1); err == nil {
			i.datas.Prepare(at, i.makeFragment(at, length))
		}
	})
}

func (i *image) makeFragment(at int64, length uint32) func() ([]byte, error) {
	return func() ([]byte, error) {
		n := length &^ dataPlain
		if n == 0 || int64(n) > i.block {
			return nil, fmt.Errorf("%d bytes at offset %d, blocks have %d", n, at, i.block)
		}
		return i.unpackAt(at, int(n), length&dataPlain != 0, i.block)
	}
}

// fragmentAt looks a fragment block up: a list of offsets leads to metadata blocks of 512 entries.
func (i *image) fragmentAt(n uint32) (at int64, length uint32, err error) {
	if n >= i.fragments {
		return 0, 0, fmt.Errorf("there are %d", i.fragments)
	}
	var b [16]byte
	if _, err := i.read(int64(i.fragTable)+8*int64(n/512), 8, b[:8]); err != nil {
		return 0, 0, err
	}
	c, err := i.at(int64(i.order.Uint64(b[:])), int(n%512)*16)
	if err != nil {
		return 0, 0, err
	}
	err = c.read(b[:])
	return int64(i.order.Uint64(b[:])), i.order.Uint32(b[8:]), err
}
