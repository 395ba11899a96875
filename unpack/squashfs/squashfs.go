// Package squashfs opens squashfs images, the root file systems of most small Linux devices.
//
// What comes in: an image of version 4.0, packed by gzip, lzma, xz (with branch filters), lzo, lz4 or zstd, or of version 3 in either
// order of bytes, under any of the magics that vendors use. What goes out: its regular files, hard links under each name, read and
// unpacked when they are opened. Images of versions 1 and 2 are known and left closed, with a gap that says so. It never yields
// links, devices or sockets, and never reads extended attributes.
//
// The format is that of Linux, fs/squashfs/squashfs_fs.h and Documentation/filesystems/squashfs.rst (6.8, 2024), of version 3 that of
// squashfs-tools 3.4 (2008). Vendors keep lzma where the superblock says gzip: a block that does not begin as its format does is
// tried as lzma.
package squashfs

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// Image opens squashfs images.
var Image = biopsy.Unpacker{
	Name: "squashfs",
	Match: func(_ biopsy.File, head []byte) bool {
		s, ok := parseSuper(head)
		return ok && s.sane()
	},
	Magics: magics(),
	Extent: extent,
	Unpack: unpack,
}

func magics() []biopsy.Magic {
	var all []biopsy.Magic
	for _, m := range knownMagics {
		all = append(all, biopsy.Magic{Bytes: []byte(m)})
	}
	return all
}

// extent reads a superblock and believes it when all of its fields fit each other and max.
func extent(c io.ReaderAt, off, max int64) (int64, bool) {
	var b [superSize]byte
	if n, _ := c.ReadAt(b[:], off); n < len(b) {
		return 0, false
	}
	s, ok := parseSuper(b[:])
	return s.size, ok && s.sane() && s.size <= max
}

func unpack(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	var b [superSize]byte
	if n, err := c.ReadAt(b[:], 0); n < len(b) {
		return fmt.Errorf("superblock: %w", cut(err))
	}
	s, ok := parseSuper(b[:])
	if !ok || !s.sane() {
		return errors.New("superblock: not of a squashfs image")
	}
	if short := s.size - c.Size(); short > 0 {
		u.Gap(biopsy.Gap{Reason: fmt.Sprintf("the image is cut off: %d of %d bytes are missing", short, s.size), Size: short})
	}
	if s.major < 3 {
		u.Gap(biopsy.Gap{Reason: fmt.Sprintf("squashfs %d.%d %s: not read", s.major, s.minor, s.endian()), Size: s.size})
		return account(c, s, u)
	}
	i := newImage(ctx, c, s, u)
	err := i.walk()
	return errors.Join(err, account(c, s, u))
}

// cut is the error for bytes that are missing.
func cut(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
