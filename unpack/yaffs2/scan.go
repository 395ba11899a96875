package yaffs2

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash"
)

// chunk is what we remember of a chunk of data.
type chunk struct {
	object, number uint32
	sequence, at   uint32 // at is its index in the image
	bytes          uint32
}

// order tells which chunk is newer: blocks are numbered, and written from their start.
func (c chunk) order() uint64 { return uint64(c.sequence)<<32 | uint64(c.at) }

// object is the newest header of an object.
type object struct {
	header
	order uint64
}

// cut says that a file lost its bytes from an offset on.
type cut struct {
	order  uint64
	object uint32
	from   int64
}

// Bounds of the memory that hostile images can take.
const (
	maxChunks  = 8 << 20
	maxObjects = 2 << 20
)

var errMany = errors.New("more chunks than we can hold")

// scan reads the tags of all chunks.
func (im *image) scan(ctx context.Context) error {
	size := im.content.Size()
	w := flash.NewWindow(im.content, size)
	at := uint32(0)
	for off := int64(0); off+im.whole() <= size; off += im.whole() {
		b, err := w.Bytes(off, int(im.whole()))
		if err != nil {
			return err
		}
		t, ok := im.tags(b[im.page:])
		switch {
		case ok && im.sound(t, b):
			im.spans.Add(im.whole(), biopsy.BytesParsed, "chunks")
			if err := im.take(t, at, b); err != nil {
				return err
			}
		case flash.Ones(b) == len(b):
			im.spans.Add(im.whole(), biopsy.BytesPadding, "")
		default:
			im.spans.Add(im.whole(), biopsy.BytesUnknown, "")
		}
		if at++; at%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	im.spans.Add(size%im.whole(), biopsy.BytesUnknown, "")
	im.settle()
	return nil
}

// take keeps what a chunk says.
func (im *image) take(t tag, at uint32, b []byte) error {
	c := chunk{t.object, t.number, t.sequence, at, t.bytes}
	if t.number > 0 {
		if len(im.chunks) == maxChunks {
			return errMany
		}
		im.chunks = append(im.chunks, c)
		return nil
	}
	h, _ := parseHeader(b, im.layout.order)
	order := c.order()
	if h.shrinks {
		im.cuts = append(im.cuts, cut{order, t.object, h.size})
	}
	if h.shadows > 0 {
		im.shadows[h.shadows] = max(im.shadows[h.shadows], order)
	}
	if o, ok := im.objects[t.object]; ok && o.order > order {
		return nil
	}
	if len(im.objects) == maxObjects || len(im.cuts) == maxObjects || len(im.shadows) == maxObjects {
		return errMany
	}
	im.objects[t.object] = object{h, order}
	return nil
}

// settle sorts the chunks and keeps the newest of each, without those that were cut off later.
func (im *image) settle() {
	slices.SortFunc(im.chunks, func(a, b chunk) int {
		return cmp.Or(cmp.Compare(a.object, b.object), cmp.Compare(a.number, b.number), cmp.Compare(b.order(), a.order()))
	})
	im.chunks = slices.CompactFunc(im.chunks, func(a, b chunk) bool { return a.object == b.object && a.number == b.number })
	slices.SortFunc(im.cuts, func(a, b cut) int {
		return cmp.Or(cmp.Compare(a.object, b.object), cmp.Compare(a.order, b.order))
	})
	for i := len(im.cuts) - 2; i >= 0; i-- { // each cut learns how far the later ones of its object go
		if next := im.cuts[i+1]; next.object == im.cuts[i].object {
			im.cuts[i].from = min(im.cuts[i].from, next.from)
		}
	}
	im.chunks = slices.DeleteFunc(im.chunks, im.wasCut)
}

func (im *image) wasCut(c chunk) bool {
	i := sort.Search(len(im.cuts), func(i int) bool {
		k := im.cuts[i]
		return k.object > c.object || k.object == c.object && k.order > c.order()
	})
	return i < len(im.cuts) && im.cuts[i].object == c.object && im.offset(c) >= im.cuts[i].from
}

// of returns the chunks of an object in their order.
func (im *image) of(id uint32) []chunk {
	from := sort.Search(len(im.chunks), func(i int) bool { return im.chunks[i].object >= id })
	to := from
	for to < len(im.chunks) && im.chunks[to].object == id {
		to++
	}
	return im.chunks[from:to]
}
