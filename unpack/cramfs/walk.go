package cramfs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

const (
	// pageRoom bounds the unpacked pages that are kept.
	pageRoom = 4 << 20
	// maxDepth bounds how deep directories lie; names of more are too long for Linux.
	maxDepth = 1024
)

// image is an image. After the walk it is only read, by any number of goroutines.
type image struct {
	super
	biopsy.UnpackOptions
	ctx     context.Context
	c       biopsy.Content
	end     int64
	pages   *lazy.Cache
	seen    map[int64]bool // directories that were listed, by offset
	entries int
}

// inode is an entry of a directory. Its fields are bits of three words, which the order of bytes turns round too.
type inode struct {
	unix   uint16
	size   int64
	name   int64 // bytes of the name behind it, padded with zeros
	offset int64 // as stored: from before the boot code; 0 when there are no bytes
}

func (s super) inode(b []byte) inode {
	a, c, d := s.order.Uint32(b), s.order.Uint32(b[4:]), s.order.Uint32(b[8:])
	if s.order == binary.ByteOrder(binary.BigEndian) {
		return inode{unix: uint16(a >> 16), size: int64(c >> 8), name: int64(d>>26) * 4, offset: int64(d&(1<<26-1)) * 4}
	}
	return inode{unix: uint16(a), size: int64(c & 0xffffff), name: int64(d&63) * 4, offset: int64(d>>6) * 4}
}

func (n inode) isDir() bool  { return n.unix&0o170000 == 0o040000 }
func (n inode) isFile() bool { return n.unix&0o170000 == 0o100000 }

func (n inode) mode() fs.FileMode {
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

var errBounds = errors.New("lies outside the image")

// read returns n bytes at off of the content.
func (i *image) read(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > i.end || n > i.end-off {
		return nil, fmt.Errorf("%d bytes at offset %d: %w", n, off, errBounds)
	}
	b := make([]byte, n)
	if k, err := i.c.ReadAt(b, off); int64(k) < n {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read %d bytes at offset %d: %w", n, off, err)
	}
	return b, nil
}

func (i *image) lost(path string, err error, size int64) {
	i.Gap(biopsy.Gap{Place: biopsy.Place{Path: path}, Reason: err.Error(), Size: size})
}

// list goes through a directory. It returns an error only to end the walk.
func (i *image) list(path string, dir inode, depth int) error {
	if err := i.ctx.Err(); err != nil {
		return err
	}
	if dir.size == 0 {
		return nil
	}
	if i.seen[dir.offset] {
		i.lost(path, fmt.Errorf("directory at offset %d is in the tree twice", dir.offset), 0)
		return nil
	}
	i.seen[dir.offset] = true
	b, err := i.read(dir.offset+i.shift, dir.size)
	if err != nil {
		i.lost(path, fmt.Errorf("directory: %w", err), 0)
		return nil
	}
	for len(b) > 0 {
		if len(b) < inodeSize {
			i.lost(path, fmt.Errorf("directory: an entry of %d bytes", len(b)), 0)
			return nil
		}
		n := i.inode(b)
		b = b[inodeSize:]
		if n.name > int64(len(b)) {
			i.lost(path, fmt.Errorf("directory: a name of %d bytes, %d are left", n.name, len(b)), 0)
			return nil
		}
		name := strings.TrimRight(string(b[:n.name]), "\x00")
		b = b[n.name:]
		if err := i.show(path, name, n, depth); err != nil {
			return err
		}
	}
	return nil
}

// show yields a file, or lists a directory.
func (i *image) show(dir, name string, n inode, depth int) error {
	if i.entries++; i.Limits.Files > 0 && i.entries > 2*i.Limits.Files {
		return fmt.Errorf("more than %d names: the limit is reached", 2*i.Limits.Files)
	}
	path, err := treepath.Child(dir, name)
	switch {
	case err != nil:
		i.lost(dir, err, 0)
	case n.isFile():
		return i.Yield(biopsy.File{Path: path, Size: n.size, Mode: n.mode(), Open: func() (biopsy.Content, error) { return i.open(n) }})
	case !n.isDir():
	case depth >= maxDepth:
		i.lost(path, fmt.Errorf("directories lie more than %d deep", maxDepth), 0)
	default:
		return i.list(path, n, depth+1)
	}
	return nil
}
