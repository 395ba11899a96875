// Package yaffs2 opens images of YAFFS2 and YAFFS1, file systems of NAND flash chips.
//
// What comes in: pages with their spare bytes, as mkyaffs2image makes them and as chips are dumped, in either byte order
// (yaffs_packedtags2.h, yaffs_guts.h and yaffs_packedtags1.h of yaffs.net, 2022). What goes out: the regular files as the newest
// chunks tell them. The format has no superblock: the size of pages and where their tags stand is found by trying. Images without spare
// bytes, with tags inside the pages, are not known. It keeps 20 bytes in memory for each page.
package yaffs2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash"
)

// Image is a YAFFS2 or YAFFS1 file system.
var Image = biopsy.Unpacker{
	Name:  "yaffs2",
	Match: match,
	Magics: []biopsy.Magic{ // the root directory: type 3, parent 1, a checksum that nobody uses, no name
		{Bytes: []byte{3, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0}},
		{Bytes: []byte{0, 0, 0, 3, 0, 0, 0, 1, 0xff, 0xff, 0}},
	},
	Extent: extent,
	Unpack: unpack,
}

// match takes what begins with an object's header, and what is named as such an image: a dump may begin with any chunk.
func match(f biopsy.File, head []byte) bool {
	if _, ok := firstHeader(head); ok {
		return true
	}
	switch strings.ToLower(path.Ext(f.Path)) {
	case ".yaffs", ".yaffs2":
		return len(head) >= headerSize
	}
	return false
}

// maxGap is how many bytes that are no chunks an image may hold between chunks: erased and bad blocks.
const maxGap = 4 << 20

func extent(c io.ReaderAt, off, max int64) (int64, bool) {
	section := io.NewSectionReader(c, off, max)
	l, ok := detect(section, max)
	if !ok {
		return 0, false
	}
	w := flash.NewWindow(section, max)
	end := int64(0)
	for at := int64(0); at-end <= maxGap; at += l.whole() {
		b, err := w.Bytes(at, int(l.whole()))
		if err != nil {
			break
		}
		if t, ok := l.tags(b[l.page:]); ok && l.sound(t, b) {
			end = at + l.whole()
		}
	}
	return end, end > 0
}

func unpack(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	l, ok := detect(c, c.Size())
	if !ok {
		return errors.New("no size of pages fits the tags of the chunks")
	}
	im := &image{UnpackOptions: u, layout: l, content: c, objects: map[uint32]object{}, shadows: map[uint32]uint64{}}
	if err := im.scan(ctx); err != nil {
		return err
	}
	if u.Ledger != nil {
		u.Ledger(im.spans)
	}
	return im.tree(ctx)
}

// image is a file system being read; nothing of it changes once the tree is walked.
type image struct {
	biopsy.UnpackOptions
	layout
	content biopsy.Content
	objects map[uint32]object
	shadows map[uint32]uint64 // objects that others took the place of, and when
	chunks  []chunk
	cuts    []cut
	names   flash.Names
	spans   flash.Spans
}

// tree yields the files.
func (im *image) tree(ctx context.Context) error {
	if err := im.name(); err != nil {
		return err
	}
	return im.names.Walk(rootObject, flash.Visitor{
		Lost: im.lost,
		Stray: func(dir uint32, names int) string {
			path := fmt.Sprintf("directory-%d", dir)
			im.lost(path, fmt.Sprintf("directory of %d names has lost its own, or was deleted", names))
			return path
		},
		Visit: func(path string, id uint32, kind flash.Kind) error {
			if kind != flash.File {
				return ctx.Err()
			}
			if err := im.file(path, id); err != nil {
				return err
			}
			return ctx.Err()
		},
	})
}

// name gives every object that is left its newest name.
func (im *image) name() error {
	ids := make([]uint32, 0, len(im.objects))
	for id := range im.objects {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if _, ok := im.objects[lostObject]; !ok { // its header is often left out
		ids = append(ids, lostObject)
		im.objects[lostObject] = object{header: header{kind: kindDir, parent: rootObject, name: "lost+found"}}
	}
	for _, id := range ids {
		o := im.objects[id]
		if id == rootObject || o.parent == unlinkedObject || o.parent == deletedObject || im.shadows[id] > o.order {
			continue
		}
		kind, target := flash.Other, id
		switch o.kind {
		case kindFile:
			kind = flash.File
		case kindDir:
			kind = flash.Dir
		case kindHard:
			kind, target = flash.File, o.equal
		}
		if err := im.names.Add(o.parent, target, o.order, []byte(o.name), kind); err != nil {
			return err
		}
	}
	return nil
}

// file yields one file, or says why it cannot.
func (im *image) file(path string, id uint32) error {
	o, ok := im.objects[id]
	if !ok || o.kind != kindFile {
		if !ok {
			im.lost(path, fmt.Sprintf("object %d is not in the image", id))
		}
		return nil
	}
	chunks := im.of(id)
	size := o.size
	for _, c := range chunks {
		if c.order() > o.order { // written after the header: power was lost before the next one
			size = max(size, im.offset(c)+int64(c.bytes))
		}
	}
	im.missing(path, o, chunks)
	return im.Yield(biopsy.File{Path: path, Size: size, Mode: flash.Mode(o.mode), Open: func() (biopsy.Content, error) {
		return im.open(chunks, size), nil
	}})
}

// missing tells of bytes that no chunk holds. YAFFS writes no chunk for a long hole either; the two look alike.
func (im *image) missing(path string, o object, chunks []chunk) {
	held := int64(0)
	for _, c := range chunks {
		held += int64(c.bytes)
	}
	if held < o.size {
		im.Gap(biopsy.Gap{Place: biopsy.Place{Path: path}, Size: o.size - held, Reason: fmt.Sprintf("%d of %d bytes are not in the image: a hole of the file, or lost", o.size-held, o.size)})
	}
}

// lost reports what stays unseen.
func (im *image) lost(path, reason string) {
	im.Gap(biopsy.Gap{Place: biopsy.Place{Path: path}, Reason: reason})
}

// open lists the chunks of a file.
func (im *image) open(chunks []chunk, size int64) biopsy.Content {
	blocks := make([]flash.Block, len(chunks))
	for i, c := range chunks {
		blocks[i] = flash.Block{Off: im.offset(c), Size: int64(c.bytes), Full: int64(c.bytes), Ref: uint64(c.at)}
	}
	return flash.NewContent(size, flash.Overlay(blocks, size), func(b flash.Block, dst []byte) error {
		at := int64(b.Ref) * im.whole()
		if n, err := im.content.ReadAt(dst, at); n < len(dst) {
			return fmt.Errorf("chunk at offset %d: %w", at, err)
		}
		return nil
	})
}

// offset returns where a chunk of data stands in its file.
func (im *image) offset(c chunk) int64 { return (int64(c.number) - 1) * im.page }
