package erofs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
)

// dataRoom bounds the unpacked clusters that are kept.
const dataRoom = 24 << 20

// image is an opened image. After the walk it is only read, by any number of goroutines.
type image struct {
	super
	biopsy.UnpackOptions
	ctx     context.Context
	c       biopsy.Content
	end     int64 // where the bytes end
	datas   *lazy.Cache
	seen    map[uint64]bool // directories that were listed
	entries int
}

var errBounds = errors.New("lies outside the image")

// read returns n bytes at off.
func (i *image) read(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > i.end || n > i.end-off {
		return nil, fmt.Errorf("%d bytes at offset %d: %w", n, off, errBounds)
	}
	b := make([]byte, n)
	if k, err := i.c.ReadAt(b, off); int64(k) < n {
		return nil, fmt.Errorf("read %d bytes at offset %d: %w", n, off, missing(err))
	}
	return b, nil
}

// How a file's bytes lie.
const (
	flatPlain   = 0
	packedFull  = 1 // with an index of 8 bytes a cluster
	flatInline  = 2 // the last, partial block behind the inode
	packedShort = 3 // with an index of 2 or 4 bytes a cluster
	inChunks    = 4
)

// node is an inode.
type node struct {
	number uint64
	layout int
	unix   uint16
	size   int64
	extra  uint32 // raw block, or how chunks lie
	behind int64  // offset of what follows the inode and its attributes
}

func (n node) isDir() bool  { return n.unix&0o170000 == 0o040000 }
func (n node) isFile() bool { return n.unix&0o170000 == 0o100000 }

func (n node) mode() fs.FileMode {
	f := fs.FileMode(n.unix & 0o777)
	if n.unix&0o4000 != 0 {
		f |= fs.ModeSetuid
	}
	if n.unix&0o2000 != 0 {
		f |= fs.ModeSetgid
	}
	if n.unix&0o1000 != 0 {
		f |= fs.ModeSticky
	}
	return f
}

// node reads an inode: inodes are numbered by 32 bytes.
func (i *image) node(number uint64) (node, error) {
	if number >= uint64(i.end)/32 {
		return node{}, fmt.Errorf("inode %d: %w", number, errBounds)
	}
	at := i.metaBlock<<i.bits + int64(number)*32
	b, err := i.read(at, 32)
	if err != nil {
		return node{}, fmt.Errorf("inode %d: %w", number, err)
	}
	format := le.Uint16(b)
	n := node{number: number, layout: int(format >> 1 & 7), unix: le.Uint16(b[4:]), size: int64(le.Uint32(b[8:])), extra: le.Uint32(b[16:])}
	size := int64(32)
	if format&1 != 0 {
		size, n.size = 64, int64(le.Uint64(b[8:]))
	}
	if attributes := int64(le.Uint16(b[2:])); attributes > 0 {
		size += 12 + 4*(attributes-1)
	}
	n.behind = at + size
	if n.size < 0 || format>>4 != 0 {
		return node{}, fmt.Errorf("inode %d at offset %d: format %#x, size %d", number, at, format, n.size)
	}
	return n, nil
}

// open returns a file's content.
func (i *image) open(n node) (biopsy.Content, error) {
	if n.size == 0 {
		return lazy.Bytes(nil), nil
	}
	switch n.layout {
	case flatPlain:
		return i.plain(n, n.size, nil)
	case flatInline:
		whole := n.size &^ (1<<i.bits - 1)
		tail, err := i.read(n.behind, n.size-whole)
		if err != nil {
			return nil, fmt.Errorf("end of the file: %w", err)
		}
		return i.plain(n, whole, tail)
	case inChunks:
		return i.chunks(n)
	case packedFull, packedShort:
		return i.packed(n, true)
	}
	return nil, fmt.Errorf("layout %d is not known", n.layout)
}

// plain returns a file of whole bytes in one run, and a tail.
func (i *image) plain(n node, whole int64, tail []byte) (biopsy.Content, error) {
	start := int64(n.extra) << i.bits
	if whole > 0 && (start > i.end || whole > i.end-start) {
		return nil, fmt.Errorf("%d bytes at offset %d: %w", whole, start, errBounds)
	}
	return &lazy.Content{Length: n.size, At: func(off int64) ([]byte, int64, error) {
		if off >= whole {
			return tail[off-whole:], 0, nil
		}
		b, err := i.read(start+off, min(whole-off, 64<<10))
		return b, 0, err
	}}, nil
}
