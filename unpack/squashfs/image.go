package squashfs

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/lazy"
)

// Room of the caches, in bytes unpacked.
const (
	metaRoom = 2 << 20
	dataRoom = 24 << 20
)

// image is an image of version 4. After the walk it is only read, by any number of goroutines.
type image struct {
	super
	biopsy.UnpackOptions
	ctx   context.Context
	c     biopsy.Content
	end   int64 // where the bytes end: the superblock's size, or the content's where it is cut off
	metas *lazy.Cache
	datas *lazy.Cache // data blocks and fragment blocks by their offset

	seen    map[uint64]bool // directories that were listed, by their inode
	entries int             // of all directories so far
}

func newImage(ctx context.Context, c biopsy.Content, s super, u biopsy.UnpackOptions) *image {
	return &image{super: s, UnpackOptions: u, ctx: ctx, c: c, end: min(s.size, c.Size()), metas: lazy.NewCache(metaRoom), datas: lazy.NewCache(dataRoom), seen: map[uint64]bool{}}
}

var errBounds = errors.New("lies outside the image")

// read reads n bytes at off into buf, which is made longer if it must be.
func (i *image) read(off int64, n int, buf []byte) ([]byte, error) {
	if off < 0 || off > i.end || int64(n) > i.end-off {
		return nil, fmt.Errorf("%d bytes at offset %d: %w", n, off, errBounds)
	}
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if k, err := i.c.ReadAt(buf, off); k < n {
		return nil, fmt.Errorf("read %d bytes at offset %d: %w", n, off, cut(err))
	}
	return buf, nil
}

var scratches = sync.Pool{New: func() any { return new([]byte) }}

// unpackAt returns the block of n stored bytes at off, which unpacks to at most room bytes.
func (i *image) unpackAt(off int64, n int, plain bool, room int64) ([]byte, error) {
	if plain {
		if int64(n) > room {
			return nil, fmt.Errorf("block of %d bytes at offset %d: has room for %d", n, off, room)
		}
		return i.read(off, n, nil)
	}
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	packed, err := i.read(off, n, *scratch)
	if err != nil {
		return nil, err
	}
	*scratch = packed
	out := make([]byte, room, room+8) // metaBlock appends 8 bytes
	f := i.packing(packed)
	made, err := codec.Block(f, out, packed)
	if err != nil {
		return nil, fmt.Errorf("%s block at offset %d: %w", f, off, err)
	}
	return out[:made], nil
}
