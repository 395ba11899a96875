package yaffs2

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"
	"slices"

	"github.com/biopsy-sca/biopsy/internal/flash"
)

// layout tells how chunks stand in an image.
type layout struct {
	page, spare int64
	order       binary.ByteOrder
	tagsAt      int64 // of the tags in the spare bytes
	first       bool  // YAFFS1, whose tags are scattered over 16 spare bytes
}

// whole is the size of a chunk with its spare bytes.
func (l layout) whole() int64 { return l.page + l.spare }

// tag is what the spare bytes say of a chunk.
type tag struct {
	sequence uint32 // of the erase block: higher is newer
	object   uint32
	number   uint32 // of the chunk in its file, from 1; 0 is the object's header
	bytes    uint32
}

const (
	tagSize     = 16
	maxNumber   = 1 << 28
	maxObject   = 1 << 28
	lowSequence = 0x1000 // below are checkpoints, which repeat what the chunks say
	topSequence = 0xefffff00
	extraHeader = 1 << 31 // in a chunk's number: a header, and the upper four bits of the object are its type
)

// tags reads the tags of a chunk; false when it is erased, deleted, or no chunk of files.
func (l layout) tags(spare []byte) (tag, bool) {
	if l.first {
		return l.tags1(spare)
	}
	b := spare[l.tagsAt:][:tagSize]
	t := tag{l.order.Uint32(b), l.order.Uint32(b[4:]), l.order.Uint32(b[8:]), l.order.Uint32(b[12:])}
	if t.number&extraHeader != 0 {
		t.number, t.bytes = 0, 0
		t.object &= maxObject - 1
	}
	return t, t.sequence >= lowSequence && t.sequence < topSequence && t.object > 0 && t.object < maxObject && t.number < maxNumber &&
		(t.number == 0 || t.bytes <= uint32(l.page))
}

// tags1 reads the tags of YAFFS1: eight bytes of bit fields, of 20, 2, 10, 18, 12 and 2 bits. A page is deleted when more than
// one bit of its fifth spare byte is zero.
func (l layout) tags1(s []byte) (tag, bool) {
	b := [8]byte{s[0], s[1], s[2], s[3], s[6], s[7], s[11], s[12]}
	v, w := l.order.Uint32(b[:]), l.order.Uint32(b[4:])
	if bits.OnesCount8(s[4]) < 7 || v == 1<<32-1 && w == 1<<32-1 {
		return tag{}, false
	}
	t := tag{sequence: lowSequence, number: v & 0xfffff, bytes: v >> 22 & 0x3ff, object: w & 0x3ffff}
	if l.order == binary.BigEndian {
		t = tag{sequence: lowSequence, number: v >> 12, bytes: v & 0x3ff, object: w >> 14}
	}
	return t, t.object > 0 && (t.number == 0 || t.bytes <= uint32(l.page))
}

// sound looks whether a chunk's header is one.
func (l layout) sound(t tag, chunk []byte) bool {
	if t.number > 0 {
		return true
	}
	_, ok := parseHeader(chunk, l.order)
	return ok
}

// tried is how many chunks tell a layout.
const tried = 200

// enough is the score from which chunks tell an image that does not begin with a header: some headers, or a page of data in each.
const enough = 16

// detect finds the layout under which the most chunks make sense. Dumps of devices may begin with any chunk.
func detect(c io.ReaderAt, size int64) (layout, bool) {
	var head [headerSize]byte
	if n, _ := c.ReadAt(head[:], 0); n < len(head) {
		return layout{}, false
	}
	first, ok := firstHeader(head[:])
	if ok {
		l, score := detectIn(c, size, first, true)
		return l, score > 0
	}
	little, n := detectIn(c, size, binary.LittleEndian, false)
	big, m := detectIn(c, size, binary.BigEndian, false)
	if m > n {
		return big, m >= enough
	}
	return little, n >= enough
}

// detectIn finds the layout in one byte order.
func detectIn(c io.ReaderAt, size int64, order binary.ByteOrder, headerFirst bool) (best layout, most int) {
	for _, g := range append([]flash.Geometry{{Page: 1024, Spare: 32}}, flash.Geometries...) {
		l, n := fit(c, size, layout{page: g.Page, spare: g.Spare, order: order}, headerFirst)
		if n > most {
			best, most = l, n
		}
	}
	return best, most
}

// fit tries the places where tags may stand, and returns the best with its score: chunks that make sense less those that do not.
func fit(c io.ReaderAt, size int64, l layout, headerFirst bool) (layout, int) {
	size = min(size, tried*l.whole())
	w := flash.NewWindow(c, size)
	layouts := []layout{l}
	for at := int64(1); at <= min(l.spare-tagSize, 64); at++ {
		next := l
		next.tagsAt = at
		layouts = append(layouts, next)
	}
	if l.page == 512 {
		next := l
		next.first = true
		layouts = append(layouts, next)
	}
	if headerFirst {
		layouts = slices.DeleteFunc(layouts, func(l layout) bool { return !l.beginsWithHeader(w) })
	}
	if len(layouts) == 0 {
		return l, 0
	}
	scores := make([]int, len(layouts))
	for at := int64(0); at+l.whole() <= size; at += l.whole() {
		b, err := w.Bytes(at, int(l.whole()))
		if err != nil || flash.Ones(b) == len(b) {
			continue
		}
		_, isHeader := parseHeader(b, l.order)
		for i, l := range layouts {
			scores[i] += l.score(b[l.page:], isHeader)
		}
	}
	best := 0
	for i, n := range scores {
		if n > scores[best] {
			best = i
		}
	}
	return layouts[best], scores[best]
}

// beginsWithHeader tells whether the first chunk is tagged as what it is.
func (l layout) beginsWithHeader(w *flash.Window) bool {
	b, err := w.Bytes(0, int(min(l.whole(), w.Size())))
	if err != nil || int64(len(b)) < l.whole() {
		return false
	}
	t, ok := l.tags(b[l.page:])
	return ok && t.number == 0
}

// score judges the tags of one chunk.
func (l layout) score(spare []byte, isHeader bool) int {
	t, ok := l.tags(spare)
	switch {
	case !ok, t.number == 0 && !isHeader:
		return -2
	case t.number == 0:
		return 4
	case t.bytes == uint32(l.page): // most chunks of data are full
		return 2
	}
	return 0
}

// The kinds of object.
const (
	kindFile    = 1
	kindLink    = 2
	kindDir     = 3
	kindHard    = 4
	kindSpecial = 5
)

// Objects that every image has.
const (
	rootObject     = 1
	lostObject     = 2
	unlinkedObject = 3
	deletedObject  = 4
)

// headerSize is that of an object's header, at the start of its chunk.
const headerSize = 512

// header is what an object's header says.
type header struct {
	kind, parent uint32
	name         string
	mode         uint32
	size         int64
	equal        uint32 // the object that a hard link stands for
	shadows      uint32 // the object whose place this one takes; 0 for none
	shrinks      bool   // written because the file was cut
}

// parseHeader reads and checks a header.
func parseHeader(b []byte, order binary.ByteOrder) (header, bool) {
	if len(b) < headerSize || b[8] != 0xff || b[9] != 0xff {
		return header{}, false
	}
	h := header{kind: order.Uint32(b), parent: order.Uint32(b[4:]), mode: order.Uint32(b[268:]), equal: order.Uint32(b[296:])}
	name, _, ended := bytes.Cut(b[10:266], []byte{0})
	h.name = string(name)
	h.size = int64(order.Uint32(b[292:]))
	if high := order.Uint32(b[496:]); high < 1<<16 { // all ones where the writer knew no large files
		h.size |= int64(high) << 32
	}
	if s := order.Uint32(b[504:]); s < maxObject {
		h.shadows = s
	}
	h.shrinks = order.Uint32(b[508:]) == 1
	return h, ended && h.kind >= kindFile && h.kind <= kindSpecial && h.parent > 0 && h.parent < maxObject && bytes.IndexByte(name, '/') < 0 && h.modeFits()
}

// modeFits compares the type bits of the mode with the kind of object. Hard links have no mode of their own.
func (h header) modeFits() bool {
	switch h.kind {
	case kindFile:
		return h.mode&0o170000 == 0o100000
	case kindLink:
		return h.mode&0o170000 == 0o120000
	case kindDir:
		return h.mode&0o170000 == 0o040000
	}
	return true
}

// firstHeader knows an image by its first chunk, and tells the byte order. Only the root has no name.
func firstHeader(b []byte) (binary.ByteOrder, bool) {
	for _, order := range [...]binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		h, ok := parseHeader(b, order)
		if ok && h.kind != kindHard && h.mode>>16 == 0 && (h.name != "" || h.kind == kindDir && h.parent == rootObject) {
			return order, true
		}
	}
	return nil, false
}
