// Package romfs opens romfs images, the smallest read-only file systems of Linux.
//
// What comes in: an image whose header's check sum fits. What goes out: its regular files, hard links under each name, read where
// they are. It never yields symbolic links or devices.
//
// The format is that of Linux, Documentation/filesystems/romfs.rst (6.8, 2024).
package romfs

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/ledger"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// Image opens romfs images.
var Image = biopsy.Unpacker{
	Name: "romfs",
	Match: func(_ biopsy.File, head []byte) bool {
		_, ok := parseSuper(head)
		return ok
	},
	Magics: []biopsy.Magic{{Bytes: []byte(magic)}},
	Extent: extent,
	Unpack: unpack,
}

const (
	magic   = "-rom1fs-"
	maxSum  = 512 // bytes that the check sum covers
	maxName = 256 // with its padding
	// maxDepth bounds how deep directories lie; names of more are too long for Linux.
	maxDepth = 1024
)

var be = binary.BigEndian

// super is the image's header.
type super struct {
	size  int64
	first int64 // offset of the first file's header
}

// parseSuper reads the header and checks its sum, for which it needs up to 512 bytes.
func parseSuper(b []byte) (super, bool) {
	if len(b) < 48 || !bytes.HasPrefix(b, []byte(magic)) {
		return super{}, false
	}
	s := super{size: int64(be.Uint32(b[8:]))}
	covered := min(s.size, maxSum)
	name := bytes.IndexByte(b[16:min(len(b), 16+maxName)], 0)
	if s.size < 48 || s.size%16 != 0 || int64(len(b)) < covered || name < 0 {
		return super{}, false
	}
	s.first = 16 + int64(name)&^15 + 16
	sum := uint32(0)
	for at := int64(0); at < covered; at += 4 {
		sum += be.Uint32(b[at:])
	}
	return s, sum == 0 && s.first <= s.size
}

// readSuper reads as much of the header as there is.
func readSuper(c io.ReaderAt, off int64) (super, bool) {
	b := make([]byte, maxSum)
	n, _ := c.ReadAt(b, off)
	return parseSuper(b[:n])
}

func extent(c io.ReaderAt, off, max int64) (int64, bool) {
	s, ok := readSuper(c, off)
	return s.size, ok && s.size <= max
}

func unpack(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	s, ok := readSuper(c, 0)
	if !ok {
		return errors.New("header: not of a romfs image")
	}
	if short := s.size - c.Size(); short > 0 {
		u.Gap(biopsy.Gap{Reason: fmt.Sprintf("the image is cut off: %d of %d bytes are missing", short, s.size), Size: short})
	}
	i := image{UnpackOptions: u, ctx: ctx, c: c, end: min(s.size, c.Size()), seen: map[int64]bool{}}
	err := i.list("", s.first, 0)
	if u.Ledger == nil || err != nil {
		return err
	}
	spans, err := ledger.Complete(c, []biopsy.Span{
		{Size: s.first, Status: biopsy.BytesParsed, What: "header"},
		{Offset: s.first, Size: s.size - s.first, Status: biopsy.BytesParsed, What: "files"},
	})
	if err == nil {
		u.Ledger(spans)
	}
	return err
}

// image is an image being walked.
type image struct {
	biopsy.UnpackOptions
	ctx  context.Context
	c    biopsy.Content
	end  int64
	seen map[int64]bool // headers that a list led to
}

// Kinds of file; others are links, devices, pipes and sockets.
const (
	kindHard = 0
	kindDir  = 1
	kindFile = 2
)

// node is a file's header.
type node struct {
	next, spec int64
	kind       int
	exec       bool
	size, data int64
	name       string
}

func (i *image) node(at int64) (node, error) {
	var b [16 + maxName]byte
	k, err := i.c.ReadAt(b[:min(int64(len(b)), max(i.end-at, 0))], at)
	if k < 32 {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return node{}, fmt.Errorf("header at offset %d: %w", at, err)
	}
	name := bytes.IndexByte(b[16:k], 0)
	if name < 0 {
		return node{}, fmt.Errorf("header at offset %d: its name has no end", at)
	}
	next := be.Uint32(b[:])
	n := node{next: int64(next &^ 15), kind: int(next & 7), exec: next&8 != 0, spec: int64(be.Uint32(b[4:]) &^ 15), size: int64(be.Uint32(b[8:])), name: string(b[16 : 16+name])}
	n.data = at + 16 + int64(name)&^15 + 16
	return n, nil
}

func (i *image) lost(path string, err error, size int64) {
	i.Gap(biopsy.Gap{Place: biopsy.Place{Path: path}, Reason: err.Error(), Size: size})
}

// list goes through the headers of a directory, each of which names the next. It returns an error only to end the walk.
func (i *image) list(dir string, at int64, depth int) error {
	for at != 0 {
		if err := i.ctx.Err(); err != nil {
			return err
		}
		if i.seen[at] {
			i.lost(dir, fmt.Errorf("directory: the header at offset %d is in the tree twice", at), 0)
			return nil
		}
		if i.seen[at] = true; i.Limits.Files > 0 && len(i.seen) > 2*i.Limits.Files {
			return fmt.Errorf("more than %d names: the limit is reached", 2*i.Limits.Files)
		}
		n, err := i.node(at)
		if err != nil {
			i.lost(dir, fmt.Errorf("directory: %w", err), 0)
			return nil
		}
		if n.name != "." && n.name != ".." {
			if err := i.show(dir, n, depth); err != nil {
				return err
			}
		}
		at = n.next
	}
	return nil
}

// show yields a file, or lists a directory.
func (i *image) show(dir string, n node, depth int) error {
	path, err := treepath.Child(dir, n.name)
	if err != nil {
		i.lost(dir, err, n.size)
		return nil
	}
	if n.kind == kindHard {
		target, err := i.node(n.spec)
		if err != nil {
			i.lost(path, fmt.Errorf("hard link: %w", err), 0)
			return nil
		}
		if target.kind != kindFile { // of directories there are only "." and ".."
			return nil
		}
		n = target
	}
	switch {
	case n.kind == kindFile:
		return i.file(path, n)
	case n.kind != kindDir:
		return nil
	case depth >= maxDepth:
		i.lost(path, fmt.Errorf("directories lie more than %d deep", maxDepth), 0)
		return nil
	}
	return i.list(path, n.spec, depth+1)
}

func (i *image) file(path string, n node) error {
	if n.data > i.end || n.size > i.end-n.data {
		i.lost(path, fmt.Errorf("%d bytes at offset %d lie outside the image", n.size, n.data), n.size)
		return nil
	}
	mode := fs.FileMode(0o644)
	if n.exec {
		mode = 0o755
	}
	return i.Yield(biopsy.File{Path: path, Size: n.size, Mode: mode, Open: func() (biopsy.Content, error) {
		return part{io.NewSectionReader(i.c, n.data, n.size)}, nil
	}})
}

// part is a run of bytes of the image; the walk closes the image.
type part struct{ *io.SectionReader }

func (part) Close() error { return nil }
