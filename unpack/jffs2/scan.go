package jffs2

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sort"
	"sync"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash"
)

// inodeNode is what we remember of a node that tells of an inode.
type inodeNode struct {
	ino, version uint32
	at           uint32 // in units of align
}

func (n inodeNode) offset() int64 { return int64(n.at) * align }

// maxImage is what inodeNode can tell.
const maxImage = 16 << 30

// maxNodes bounds the memory of hostile images; 8 Mi nodes of a page each are 32 GiB of files.
const maxNodes = 8 << 20

// scan reads all nodes.
func (im *image) scan(ctx context.Context) error {
	s := scanner{window: flash.NewWindow(im.content, im.size), order: im.order}
	if im.size > maxImage {
		return fmt.Errorf("image of %d bytes is larger than we can hold", im.size)
	}
	for count := 0; ; count++ {
		n, err := s.next()
		im.spans.Add(s.gap, biopsy.BytesUnknown, "")
		im.spans.Add(s.free, biopsy.BytesPadding, "")
		if err == io.EOF {
			im.spans.Add(im.size-s.at, biopsy.BytesUnknown, "")
			break
		}
		if err != nil {
			return err
		}
		im.spans.Add(min(n.room(), im.size-n.at), biopsy.BytesParsed, "nodes")
		if err := im.take(n); err != nil {
			return fmt.Errorf("node at offset %d: %w", im.geometry.Raw(n.at), err)
		}
		if count%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	slices.SortFunc(im.nodes, func(a, b inodeNode) int {
		return cmp.Or(cmp.Compare(a.ino, b.ino), cmp.Compare(a.version, b.version), cmp.Compare(a.at, b.at))
	})
	return nil
}

// take keeps what a node says.
func (im *image) take(n node) error {
	if n.obsolete || n.kind != typeName && n.kind != typeInode {
		return nil
	}
	if !n.sound() {
		im.damage(n)
		return nil
	}
	b, o := n.body, im.order
	if n.kind == typeName {
		return im.names.Add(o.Uint32(b[12:]), o.Uint32(b[20:]), uint64(o.Uint32(b[16:])), b[nameSize:][:b[28]], kindOf(b[29]))
	}
	if len(im.nodes) == maxNodes {
		return errMany
	}
	im.nodes = append(im.nodes, inodeNode{o.Uint32(b[12:]), o.Uint32(b[16:]), uint32(n.at / align)})
	return nil
}

// damage remembers a node whose checksum fails; its inode, if its own fields are sound.
func (im *image) damage(n node) {
	b, o := n.body, im.order
	if n.kind == typeInode && len(b) >= inodeSize && flash.CRC0(b[:60]) == o.Uint32(b[64:]) && len(im.damaged) < maxDamaged {
		im.damaged = append(im.damaged, inodeNode{o.Uint32(b[12:]), o.Uint32(b[16:]), uint32(n.at / align)})
		return
	}
	im.broken++
}

// kindOf knows the types of directory entries, which are those of readdir(3).
func kindOf(t byte) flash.Kind {
	switch t {
	case 4:
		return flash.Dir
	case 8:
		return flash.File
	}
	return flash.Other
}

// of returns the nodes of an inode among sorted ones.
func of(nodes []inodeNode, ino uint32) []inodeNode {
	from := sort.Search(len(nodes), func(i int) bool { return nodes[i].ino >= ino })
	to := from
	for to < len(nodes) && nodes[to].ino == ino {
		to++
	}
	return nodes[from:to]
}

// read reads the fields of a node again.
func (im *image) read(n inodeNode) (inodeFields, error) {
	var b [inodeSize]byte
	if got, err := im.content.ReadAt(b[:], n.offset()); got < len(b) {
		return inodeFields{}, fmt.Errorf("read node at offset %d: %w", im.geometry.Raw(n.offset()), err)
	}
	return parseInode(b[:], im.order), nil
}

// holes marks blocks without bytes on flash.
const holes = 1 << 32

// open lays the data of an inode's nodes over each other. Later nodes cover earlier ones.
func (im *image) open(path string, nodes []inodeNode, size int64) (biopsy.Content, error) {
	blocks := make([]flash.Block, 0, len(nodes))
	for age, n := range nodes {
		f, err := im.read(n)
		if err != nil {
			return nil, err
		}
		b := flash.Block{Off: int64(f.offset), Size: int64(f.size), Full: int64(f.size), Ref: uint64(n.at), Age: uint64(age)}
		switch {
		case f.method == methodZero:
			b.Ref |= holes
		case f.size > maxPlain:
			return nil, fmt.Errorf("node at offset %d unpacks to %d bytes", im.geometry.Raw(n.offset()), f.size)
		}
		blocks = append(blocks, b)
	}
	blocks = flash.Overlay(blocks, size)
	missing := size
	for _, b := range blocks {
		missing -= b.Size
	}
	if missing > 0 { // holes have nodes of their own
		im.lost(path, fmt.Sprintf("%d of %d bytes are in no node: zeros stand for them", missing, size), missing)
	}
	blocks = slices.DeleteFunc(blocks, func(b flash.Block) bool { return b.Ref&holes != 0 })
	return flash.NewContent(size, blocks, im.unpack), nil
}

var packedNodes = sync.Pool{New: func() any { return new([]byte) }}

// unpack reads the data of one node.
func (im *image) unpack(b flash.Block, dst []byte) error {
	n := inodeNode{at: uint32(b.Ref)}
	f, err := im.read(n)
	if err != nil {
		return err
	}
	if f.packed > maxNode {
		return fmt.Errorf("node at offset %d holds %d bytes", im.geometry.Raw(n.offset()), f.packed)
	}
	packed := dst
	if f.method != methodNone || int(f.packed) != len(dst) {
		buf := packedNodes.Get().(*[]byte)
		defer packedNodes.Put(buf)
		*buf = slices.Grow((*buf)[:0], int(f.packed))
		packed = (*buf)[:f.packed]
	}
	if got, err := im.content.ReadAt(packed, n.offset()+inodeSize); got < len(packed) {
		return fmt.Errorf("data of node at offset %d: %w", im.geometry.Raw(n.offset()), err)
	}
	if err := plain(f.method, dst, packed); err != nil {
		return fmt.Errorf("data of node at offset %d: %w", im.geometry.Raw(n.offset()), err)
	}
	return nil
}
