// Package jffs2 opens images of the JFFS2 file system.
//
// What comes in: an image in either byte order, or a dump of a NAND chip with the spare bytes of its pages (Linux 6.12,
// include/uapi/linux/jffs2.h). What goes out: the regular files as the newest valid nodes tell them. JFFS2 is a log without an
// index: every node is read once and its checksums are compared, as Linux does when it mounts; nodes that fail are left out and told
// as gaps. It never yields what was deleted, and keeps 12 bytes in memory for each node and 32 for each name.
package jffs2

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash"
)

// Image is a JFFS2 file system.
var Image = biopsy.Unpacker{
	Name:  "jffs2",
	Match: func(_ biopsy.File, head []byte) bool { return orderOf(head) != nil },
	Magics: []biopsy.Magic{ // the nodes that an image begins with: a clean marker of 12 bytes, a name, an inode, padding
		{Bytes: []byte{0x85, 0x19, 0x03, 0x20, 12, 0, 0, 0}}, {Bytes: []byte{0x19, 0x85, 0x20, 0x03, 0, 0, 0, 12}},
		{Bytes: []byte{0x85, 0x19, 0x01, 0xe0}}, {Bytes: []byte{0x19, 0x85, 0xe0, 0x01}},
		{Bytes: []byte{0x85, 0x19, 0x02, 0xe0}}, {Bytes: []byte{0x19, 0x85, 0xe0, 0x02}},
		{Bytes: []byte{0x85, 0x19, 0x04, 0x20}}, {Bytes: []byte{0x19, 0x85, 0x20, 0x04}},
	},
	Extent: extent,
	Unpack: unpack,
}

// orderOf returns the byte order of the node at the start of b, nil when there is none.
func orderOf(b []byte) binary.ByteOrder {
	if len(b) < headerSize {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 0x19 {
		order = binary.BigEndian
	}
	if _, ok := parseHeader(b, order); !ok {
		return nil
	}
	return order
}

// maxGap is how many bytes without a node an image may hold: erase blocks that are worn out, free or foreign. Beyond it begins
// something else.
const maxGap = 4 << 20

// extent goes from node to node until there are no more. The first must be sound.
func extent(c io.ReaderAt, off, max int64) (int64, bool) {
	head := make([]byte, min(max, headerSize))
	if n, _ := c.ReadAt(head, off); n < len(head) {
		return 0, false
	}
	order := orderOf(head)
	if order == nil {
		return 0, false
	}
	section := io.NewSectionReader(c, off, max)
	first := scanner{window: flash.NewWindow(section, max), order: order}
	if n, err := first.next(); err != nil || !n.sound() {
		return 0, false
	}
	g := geometry(section, max, order)
	w := flash.NewWindow(g.Strip(section), g.Net(max))
	end := int64(0)
	for s := (scanner{window: w, order: order, reach: maxGap}); ; {
		n, err := s.next()
		if err != nil {
			break
		}
		end = min(n.at+n.room(), w.Size())
	}
	blank, err := w.Blank(end, min(w.Size(), (end+eraseBlock-1)/eraseBlock*eraseBlock))
	end += blank
	if g.Page != 0 {
		end = (end + g.Page - 1) / g.Page * (g.Page + g.Spare)
	}
	return min(end, max), err == nil
}

// eraseBlock is as large as those of common chips: what is blank up to its end belongs to an image.
const eraseBlock = 256 << 10

func unpack(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	head := make([]byte, min(c.Size(), headerSize))
	if _, err := c.ReadAt(head, 0); err != nil && err != io.EOF {
		return fmt.Errorf("read the first node: %w", err)
	}
	order := orderOf(head)
	if order == nil {
		return errors.New("no node at the start")
	}
	g := geometry(c, c.Size(), order)
	im := &image{UnpackOptions: u, order: order, geometry: g, content: g.Strip(c), size: g.Net(c.Size())}
	if err := im.scan(ctx); err != nil {
		return err
	}
	im.ledger(c.Size())
	return im.tree(ctx)
}

// image is a file system being read; nothing of it changes once the tree is walked.
type image struct {
	biopsy.UnpackOptions
	order    binary.ByteOrder
	geometry flash.Geometry
	content  io.ReaderAt
	size     int64
	nodes    []inodeNode
	names    flash.Names
	spans    flash.Spans
	damaged  []inodeNode // nodes whose data fails its checksum, at most maxDamaged
	broken   int         // other nodes that fail theirs
}

// maxDamaged bounds how many damaged nodes are told by their files.
const maxDamaged = 1000

// ledger tells what the bytes are. Spare bytes are not told one page at a time.
func (im *image) ledger(size int64) {
	if im.Ledger == nil {
		return
	}
	g := im.geometry
	if g.Page != 0 {
		what := fmt.Sprintf("pages of %d bytes, each followed by %d spare bytes", g.Page, g.Spare)
		im.Ledger([]biopsy.Span{{Size: size, Status: biopsy.BytesParsed, What: what}})
		return
	}
	im.Ledger(im.spans)
}

// tree yields the files.
func (im *image) tree(ctx context.Context) error {
	lost := func(path, reason string) { im.lost(path, reason, 0) }
	sound := !im.tellDamage() && len(im.damaged) == 0
	slices.SortFunc(im.damaged, func(a, b inodeNode) int { return cmp.Or(cmp.Compare(a.ino, b.ino), cmp.Compare(a.at, b.at)) })
	stray := func(dir uint32, names int) string {
		if sound { // names of deleted directories stay on flash until they are erased, and need not be erased at once
			return ""
		}
		path := fmt.Sprintf("directory-%d", dir)
		im.lost(path, fmt.Sprintf("directory of %d names has lost its own, or was deleted", names), 0)
		return path
	}
	return im.names.Walk(rootInode, flash.Visitor{Lost: lost, Stray: stray, Visit: func(path string, ino uint32, kind flash.Kind) error {
		if kind != flash.File {
			return ctx.Err()
		}
		if err := im.file(path, ino); err != nil {
			return err
		}
		return ctx.Err()
	}})
}

// file yields one file, or says why it cannot.
func (im *image) file(path string, ino uint32) error {
	for _, n := range of(im.damaged, ino) {
		im.lost(path, fmt.Sprintf("node at offset %d fails its checksum: older bytes or zeros stand for its own", im.geometry.Raw(n.offset())), 0)
	}
	nodes := of(im.nodes, ino)
	if len(nodes) == 0 {
		im.lost(path, fmt.Sprintf("no valid node of inode %d is in the image", ino), 0)
		return nil
	}
	newest, err := im.read(nodes[len(nodes)-1])
	if err != nil {
		im.lost(path, err.Error(), 0)
		return nil
	}
	if newest.mode&0o170000 != 0o100000 {
		return nil
	}
	size := int64(newest.isize)
	return im.Yield(biopsy.File{Path: path, Size: size, Mode: flash.Mode(newest.mode), Open: func() (biopsy.Content, error) {
		return im.open(path, nodes, size)
	}})
}

// lost reports what stays unseen.
func (im *image) lost(path, reason string, size int64) {
	im.Gap(biopsy.Gap{Place: biopsy.Place{Path: path}, Reason: reason, Size: size})
}

// tellDamage reports what was left out and cannot be told of which file it is. It returns whether there was any.
func (im *image) tellDamage() bool {
	var strange biopsy.Span
	for _, s := range im.spans {
		if s.Status == biopsy.BytesUnknown && s.Size > 0 {
			strange = biopsy.Span{Offset: cmp.Or(strange.Offset, im.geometry.Raw(s.Offset)), Size: strange.Size + s.Size}
		}
	}
	if strange.Size > 0 {
		im.lost("", fmt.Sprintf("%d bytes, from offset %d on, are neither nodes nor blank", strange.Size, strange.Offset), strange.Size)
	}
	if im.broken > 0 {
		im.lost("", fmt.Sprintf("%d nodes fail their checksums and were left out", im.broken), 0)
	}
	return strange.Size > 0 || im.broken > 0
}

// geometry finds out whether the image is a dump with spare bytes, by the checksums of its first nodes. They break wherever a node
// goes from one page into the next.
func geometry(c io.ReaderAt, size int64, order binary.ByteOrder) flash.Geometry {
	best := flash.Geometry{}
	most := sample(c, size, order, best)
	if most.bad == 0 {
		return best
	}
	for _, g := range flash.Geometries {
		s := sample(c, size, order, g)
		if s.good > most.good && s.bad < most.bad {
			best, most = g, s
		}
	}
	return best
}

type tally struct{ good, bad int }

// samples is how many nodes tell a geometry, doubt how many may fail before the first that does not.
const (
	samples = 200
	doubt   = 8
)

func sample(c io.ReaderAt, size int64, order binary.ByteOrder, g flash.Geometry) (t tally) {
	size = min(g.Net(size), 4<<20)
	s := scanner{window: flash.NewWindow(g.Strip(c), size), order: order}
	for others := 0; t.good+t.bad < samples && others < 10*samples && (t.good > 0 || t.bad < doubt); {
		n, err := s.next()
		if err != nil {
			return t
		}
		switch {
		case n.kind != typeName && n.kind != typeInode:
			others++
		case n.sound():
			t.good++
		default:
			t.bad++
		}
	}
	return t
}
