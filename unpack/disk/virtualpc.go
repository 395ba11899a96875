package disk

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// VDI opens a disk of VirtualBox.
var VDI = biopsy.Unpacker{
	Name:  "vdi",
	Match: func(_ biopsy.File, head []byte) bool { return len(head) >= 512 && le.Uint32(head[0x40:]) == 0xbeda107f },
	Unpack: func(ctx context.Context, f biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		d, err := openVDI(c)
		if err != nil {
			return err
		}
		all(c, "vdi", u)
		return virtual(ctx, f, d, u)
	},
}

// blockTable is a disk of large blocks with one table, which is kept.
type blockTable struct {
	order  binary.ByteOrder
	table  []byte // of 32 bits each
	holes  uint32 // this number and all above are blocks of zeros
	place  func(n int64) int64
	blocks *mapped
}

func (t *blockTable) read(c reader, at, entries int64) error {
	if entries > c.Size()/4 || entries > 64<<20 {
		return fmt.Errorf("table of %d blocks in an image of %d bytes", entries, c.Size())
	}
	t.table = make([]byte, entries*4)
	if err := readAt(c, t.table, at); err != nil {
		return fmt.Errorf("table of blocks: %w", err)
	}
	t.blocks.locate = func(i int64) (place, error) {
		n := t.order.Uint32(t.table[i*4:])
		if n >= t.holes {
			return place{}, nil
		}
		return place{stored: true, from: t.place(int64(n))}, nil
	}
	return nil
}

func openVDI(c reader) (*mapped, error) {
	var h [512]byte
	if err := readAt(c, h[:], 0); err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	size, block, extra := int64(le.Uint64(h[0x170:])), int64(le.Uint32(h[0x178:])), int64(le.Uint32(h[0x17c:]))
	table, data := int64(le.Uint32(h[0x154:])), int64(le.Uint32(h[0x158:]))
	switch {
	case le.Uint16(h[0x46:]) != 1:
		return nil, fmt.Errorf("version %d, which we do not know", le.Uint16(h[0x46:]))
	case le.Uint32(h[0x4c:]) == 4:
		return nil, errors.New("holds only what differs from another file, which is not here")
	case size < 0 || size > maxDisk || !isPower(block, 512, 64<<20):
		return nil, fmt.Errorf("header: disk of %d bytes in blocks of %d", size, block)
	}
	t := blockTable{order: le, holes: 0xfffffffe, blocks: newMapped(c, size, block), place: func(n int64) int64 { return data + n*(block+extra) + extra }}
	return t.blocks, t.read(c, table, (size+block-1)/block)
}

// VHD opens a disk of Virtual PC. A fixed one has its mark at the end, so only its name tells what it is.
var VHD = biopsy.Unpacker{
	Name: "vhd",
	Match: func(f biopsy.File, head []byte) bool {
		return bytes.HasPrefix(head, []byte("conectix")) || strings.HasSuffix(strings.ToLower(f.Path), ".vhd")
	},
	Unpack: func(ctx context.Context, f biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		d, err := openVHD(c)
		if err != nil {
			return err
		}
		all(c, "vhd", u)
		return virtual(ctx, f, d, u)
	},
}

func openVHD(c biopsy.Content) (reader, error) {
	var h [512]byte
	for _, at := range [...]int64{0, c.Size() - 512} {
		if err := readAt(c, h[:], at); err != nil {
			return nil, fmt.Errorf("read footer: %w", err)
		}
		if string(h[:8]) == "conectix" {
			break
		}
	}
	if string(h[:8]) != "conectix" {
		return plain{c, c.Size()}, nil // a raw disk of that name
	}
	size := int64(be.Uint64(h[48:]))
	switch kind := be.Uint32(h[60:]); {
	case size < 0 || size > maxDisk:
		return nil, fmt.Errorf("footer: disk of %d bytes", size)
	case kind == 2:
		if size > c.Size() {
			return nil, fmt.Errorf("footer: disk of %d bytes in an image of %d", size, c.Size())
		}
		return plain{c, size}, nil
	case kind == 4:
		return nil, errors.New("holds only what differs from another file, which is not here")
	case kind != 3:
		return nil, fmt.Errorf("kind %d, which we do not know", kind)
	}
	return dynamicVHD(c, size, be.Uint64(h[16:]))
}

// plain is the first size bytes of an image.
type plain struct {
	biopsy.Content
	size int64
}

// Size returns the disk's size in bytes.
func (p plain) Size() int64 { return p.size }

func dynamicVHD(c reader, size int64, at uint64) (reader, error) {
	var h [1024]byte
	if at > maxDisk {
		return nil, fmt.Errorf("dynamic header at offset %d", at)
	}
	if err := readAt(c, h[:], int64(at)); err != nil {
		return nil, fmt.Errorf("dynamic header: %w", err)
	}
	block, table := int64(be.Uint32(h[32:])), be.Uint64(h[16:])
	if string(h[:8]) != "cxsparse" || !isPower(block, 4096, 256<<20) || table > maxDisk {
		return nil, fmt.Errorf("dynamic header at offset %d: blocks of %d bytes, table at offset %d", at, block, table)
	}
	bitmap := (block/512/8 + 511) &^ 511
	t := blockTable{order: be, holes: 0xffffffff, blocks: newMapped(c, size, block), place: func(n int64) int64 { return n*512 + bitmap }}
	return t.blocks, t.read(c, int64(table), (size+block-1)/block)
}
