// Package cramfs opens cramfs images, the compressed read-only file systems of older small devices.
//
// What comes in: an image in either order of bytes, with or without 512 bytes of boot code before it, its pages packed by zlib,
// plain, or holes. What goes out: its regular files, read and unpacked when they are opened. It never yields links or devices.
//
// The format is that of Linux, fs/cramfs/README and include/uapi/linux/cramfs_fs.h (6.8, 2024).
package cramfs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
	"github.com/biopsy-sca/biopsy/internal/ledger"
)

// Image opens cramfs images.
var Image = biopsy.Unpacker{
	Name: "cramfs",
	Match: func(_ biopsy.File, head []byte) bool {
		_, ok := find(head)
		return ok
	},
	Magics: []biopsy.Magic{{Bytes: []byte("\x45\x3d\xcd\x28")}, {Bytes: []byte("\x28\xcd\x3d\x45")}},
	Extent: extent,
	Unpack: unpack,
}

const (
	magic     = 0x28cd3d45
	signature = "Compressed ROMFS"
	superSize = 64 + inodeSize
	inodeSize = 12
	bootSize  = 512 // code before the superblock
	pageSize  = 4096

	sizeKnown   = 0x1   // flag: the size is the image's
	extPointers = 0x800 // flag: block pointers have flags
	knownFlags  = 0xfff
)

// super is the superblock.
type super struct {
	order binary.ByteOrder
	at    int64 // where it stands: 0 or bootSize
	shift int64 // what is added to offsets: they count from before the boot code, which may not be there
	size  int64 // from the beginning of the content; 0 unknown
	flags uint32
	files uint32
	root  inode
}

// find looks for the superblock at the beginning and behind boot code.
func find(head []byte) (super, bool) {
	for _, at := range [...]int64{0, bootSize} {
		if int64(len(head)) < at+superSize {
			break
		}
		if s, ok := parseSuper(head[at:], at); ok {
			return s, true
		}
	}
	return super{}, false
}

func parseSuper(b []byte, at int64) (super, bool) {
	s := super{at: at}
	switch {
	case binary.LittleEndian.Uint32(b) == magic:
		s.order = binary.LittleEndian
	case binary.BigEndian.Uint32(b) == magic:
		s.order = binary.BigEndian
	default:
		return s, false
	}
	s.flags = s.order.Uint32(b[8:])
	s.root = s.inode(b[64:])
	if string(b[16:32]) != signature || s.flags&^knownFlags != 0 || !s.root.isDir() {
		return s, false
	}
	if s.flags&sizeKnown != 0 {
		s.size, s.files = int64(s.order.Uint32(b[4:])), s.order.Uint32(b[44:])
		if s.size < superSize || s.files == 0 {
			return s, false
		}
	}
	if at == 0 && s.root.offset == bootSize+superSize {
		s.shift = -bootSize
		s.size -= min(s.size, bootSize)
	}
	return s, s.root.offset == 0 || s.root.offset+s.shift >= at+superSize
}

func extent(c io.ReaderAt, off, max int64) (int64, bool) {
	var b [superSize]byte
	if n, _ := c.ReadAt(b[:], off); n < len(b) {
		return 0, false
	}
	s, ok := parseSuper(b[:], 0)
	return s.size, ok && s.size > 0 && s.size <= max
}

func unpack(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	head := make([]byte, bootSize+superSize)
	n, err := c.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return fmt.Errorf("superblock: %w", err)
	}
	s, ok := find(head[:n])
	if !ok {
		return errors.New("superblock: not of a cramfs image")
	}
	if s.size == 0 {
		s.size = c.Size()
	}
	if short := s.size - c.Size(); short > 0 {
		u.Gap(biopsy.Gap{Reason: fmt.Sprintf("the image is cut off: %d of %d bytes are missing", short, s.size), Size: short})
	}
	i := &image{super: s, UnpackOptions: u, ctx: ctx, c: c, end: min(s.size, c.Size()), pages: lazy.NewCache(pageRoom), seen: map[int64]bool{}}
	if err := i.list("", s.root, 0); err != nil || u.Ledger == nil {
		return err
	}
	spans, err := ledger.Complete(c, []biopsy.Span{
		{Size: s.at, What: "boot code"},
		{Offset: s.at, Size: superSize, Status: biopsy.BytesParsed, What: "superblock"},
		{Offset: s.at + superSize, Size: s.size - s.at - superSize, Status: biopsy.BytesParsed, What: "inodes and files"},
	})
	if err == nil {
		u.Ledger(spans)
	}
	return err
}
