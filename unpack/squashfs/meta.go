package squashfs

import (
	"fmt"
	"io"
)

// cursor reads metadata, which lies in blocks behind each other.
type cursor struct {
	i    *image
	next int64  // offset of the block behind this one
	rest []byte // what is left of this one
}

// metaBlock is a block of metadata with the offset of the next one in its last 8 bytes.
func (i *image) metaBlock(off int64) (b []byte, next int64, err error) {
	b, err = i.metas.Block(off, func() ([]byte, error) {
		var h [2]byte
		if _, err := i.read(off, 2, h[:]); err != nil {
			return nil, fmt.Errorf("metadata: %w", err)
		}
		size, start := int(i.order.Uint16(h[:])), off+2
		if i.marked {
			start++
		}
		n := size &^ metaPlain
		if n == 0 || n > metaSize {
			return nil, fmt.Errorf("metadata block at offset %d: %d bytes", off, n)
		}
		b, err := i.unpackAt(start, n, size&metaPlain != 0, metaSize)
		if err != nil {
			return nil, fmt.Errorf("metadata: %w", err)
		}
		return le.AppendUint64(b, uint64(start+int64(n))), nil
	}, nil)
	if err != nil {
		return nil, 0, err
	}
	tail := len(b) - 8
	return b[:tail], int64(le.Uint64(b[tail:])), nil
}

// at returns a cursor at an offset within the unpacked block at off.
func (i *image) at(off int64, within int) (cursor, error) {
	b, next, err := i.metaBlock(off)
	if err != nil {
		return cursor{}, err
	}
	if within > len(b) {
		return cursor{}, fmt.Errorf("metadata block at offset %d: has %d bytes, not %d: %w", off, len(b), within, io.ErrUnexpectedEOF)
	}
	return cursor{i: i, next: next, rest: b[within:]}, nil
}

// inode returns a cursor at an inode: the offset of its block in the table, and within the block.
func (i *image) inode(ref uint64) (cursor, error) {
	if ref>>16 >= i.dirTable-i.inodeTable {
		return cursor{}, fmt.Errorf("inode %#x: %w", ref, errBounds)
	}
	return i.at(int64(i.inodeTable+ref>>16), int(ref&0xffff))
}

// read fills p from one or more blocks.
func (c *cursor) read(p []byte) error {
	for len(p) > 0 {
		if len(c.rest) == 0 {
			b, next, err := c.i.metaBlock(c.next)
			if err != nil {
				return err
			}
			if len(b) == 0 {
				return fmt.Errorf("metadata block at offset %d is empty", c.next)
			}
			c.rest, c.next = b, next
		}
		n := copy(p, c.rest)
		p, c.rest = p[n:], c.rest[n:]
	}
	return nil
}
