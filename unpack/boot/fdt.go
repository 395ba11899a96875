package boot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// FDT opens flattened image trees (FIT: flat_image_tree specification 0.8 of 2023), with the data inside or behind the tree, and knows
// plain device trees (Devicetree Specification 0.4 of 2023), which hold nothing to open.
var FDT = biopsy.Unpacker{
	Name:   "dtb",
	Match:  func(_ biopsy.File, head []byte) bool { _, ok := fdtHeader(head, 1<<40); return ok },
	Magics: []biopsy.Magic{{Bytes: []byte{0xd0, 0x0d, 0xfe, 0xed}}},
	Extent: extentFDT,
	Unpack: openFDT,
}

// tree is a flattened device tree: where its blocks are.
type tree struct {
	r               io.ReaderAt
	off             int64 // of the tree in r
	size            int64
	nodes, nodesEnd int64 // structure block, from off
	names, namesEnd int64 // strings block, from off
}

const (
	fdtHeaderSize = 40
	fdtMax        = 2 << 30
	fdtDepth      = 32
	fdtNodes      = 100_000
	fdtName       = 256
	fdtValue      = 4096 // bytes of a property that are looked at
)

// fdtHeader checks a header against the room that is there.
func fdtHeader(h []byte, max int64) (tree, bool) {
	if len(h) < fdtHeaderSize || be.Uint32(h) != 0xd00dfeed {
		return tree{}, false
	}
	n := func(at int) int64 { return int64(be.Uint32(h[at:])) }
	t := tree{size: n(4), nodes: n(8), names: n(12)}
	version, compatible := n(20), n(24)
	t.namesEnd, t.nodesEnd = t.names+n(32), t.nodes+n(36)
	if version == 16 {
		t.nodesEnd = t.size
	}
	ok := version >= 16 && version < 32 && compatible >= 16 && compatible <= version && t.size >= fdtHeaderSize+16 && t.size <= min(max, fdtMax) &&
		t.nodes >= fdtHeaderSize && t.nodes%4 == 0 && t.nodes < t.nodesEnd && t.nodesEnd <= t.size && t.names >= fdtHeaderSize && t.namesEnd <= t.size && n(16) < t.size
	return t, ok
}

func readTree(r io.ReaderAt, off, max int64) (tree, bool) {
	t, ok := fdtHeader(header(r, off, max, fdtHeaderSize), max)
	if !ok {
		return tree{}, false
	}
	t.r, t.off = r, off
	root := header(r, off+t.nodes, t.size-t.nodes, 8)
	return t, len(root) == 8 && be.Uint64(root) == 1<<32 // a node that has no name
}

// extentFDT includes the data that a FIT keeps behind its tree.
func extentFDT(r io.ReaderAt, off, room int64) (int64, bool) {
	t, ok := readTree(r, off, room)
	if !ok {
		return 0, false
	}
	end := t.size
	if images, err := t.images(context.Background()); err == nil {
		for _, i := range images {
			if i.off >= off && i.size <= room && i.off-off <= room-i.size {
				end = max(end, i.off-off+i.size)
			}
		}
	}
	return end, true
}

// property is one value, where it stands, and the path of its node: "/images/kernel-1".
type property struct {
	node, name string
	off, size  int64  // in the tree's reader
	value      []byte // at most fdtValue bytes
}

var errTree = errors.New("device tree is damaged")

// walk visits every property in order.
func (t tree) walk(ctx context.Context, visit func(property) error) error {
	at, end := t.nodes, t.nodesEnd
	var path []string
	for count := 0; at+4 <= end; count++ {
		if count > fdtNodes {
			return errors.New("device tree has too many nodes")
		}
		if count%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		b := header(t.r, t.off+at, end-at, 12)
		if len(b) < 4 {
			return errTree
		}
		at += 4
		switch be.Uint32(b) {
		case 1: // begin of a node
			name, ok := t.text(at, end)
			if !ok || len(path) >= fdtDepth {
				return errTree
			}
			path = append(path, name)
			at = align(at+int64(len(name))+1, 4)
		case 2: // end of a node
			if len(path) == 0 {
				return errTree
			}
			path = path[:len(path)-1]
		case 3:
			if len(b) < 12 || len(path) == 0 {
				return errTree
			}
			size, name := int64(be.Uint32(b[4:])), t.names+int64(be.Uint32(b[8:]))
			at += 8
			word, ok := t.text(name, t.namesEnd)
			if !ok || size > end-at {
				return errTree
			}
			p := property{node: strings.Join(path, "/"), name: word, off: t.off + at, size: size, value: header(t.r, t.off+at, size, fdtValue)}
			if err := visit(p); err != nil {
				return err
			}
			at = align(at+size, 4)
		case 4: // nothing
		case 9:
			return nil
		default:
			return errTree
		}
	}
	return errTree
}

// text reads a name that ends with a zero.
func (t tree) text(at, end int64) (string, bool) {
	if at < 0 || at >= end {
		return "", false
	}
	b := header(t.r, t.off+at, end-at, fdtName)
	n := bytes.IndexByte(b, 0)
	return string(b[:max(n, 0)]), n >= 0
}

// fitImage is a node below /images.
type fitImage struct {
	name              string
	kind, compression string
	off, size         int64 // in the tree's reader; size 0 when there is no data
	signed            string
	cipher            string
	inside            bool
}

// images returns the nodes below /images in their order; none when the tree is no FIT.
func (t tree) images(ctx context.Context) ([]fitImage, error) {
	var list []fitImage
	external := t.off + align(t.size, 4)
	err := t.walk(ctx, func(p property) error {
		rest, ok := strings.CutPrefix(p.node, "/images/")
		if !ok {
			return nil
		}
		name, below, deeper := strings.Cut(rest, "/")
		if n := len(list); n == 0 || list[n-1].name != name {
			list = append(list, fitImage{name: name})
		}
		i := &list[len(list)-1]
		if deeper {
			i.below(below, p)
			return nil
		}
		i.own(p, t.off, external)
		return nil
	})
	return list, err
}

func (i *fitImage) own(p property, start, external int64) {
	number := int64(0)
	if len(p.value) == 4 {
		number = int64(be.Uint32(p.value))
	}
	switch p.name {
	case "type":
		i.kind = word(p.value)
	case "compression":
		i.compression = word(p.value)
	case "data":
		i.off, i.size, i.inside = p.off, p.size, true
	case "data-size":
		i.size = number
	case "data-offset":
		i.off = external + number
	case "data-position":
		i.off = start + number
	}
}

// below reads the nodes of an image's signature and cipher.
func (i *fitImage) below(node string, p property) {
	if p.name != "algo" {
		return
	}
	switch {
	case strings.HasPrefix(node, "signature"):
		i.signed = word(p.value)
	case strings.HasPrefix(node, "cipher"):
		i.cipher = word(p.value)
	}
}

// fitFormats are the compressions of a FIT.
var fitFormats = map[string]codec.Format{"gzip": codec.Gzip, "bzip2": codec.Bzip2, "lzma": codec.LZMA, "lzo": codec.Lzop, "lz4": codec.LZ4, "zstd": codec.Zstd}

func openFDT(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	t, ok := readTree(c, 0, c.Size())
	if !ok {
		return fmt.Errorf("device tree: %w", io.ErrUnexpectedEOF)
	}
	images, err := t.images(ctx)
	if err != nil {
		return err
	}
	at := int64(0)
	for _, i := range images {
		if i.inside && i.off >= at && i.off+i.size <= t.size {
			m.is(at, i.off-at, biopsy.BytesParsed, "device tree")
			at = i.off + i.size
		}
		if err := m.fit(i); err != nil {
			return err
		}
	}
	m.is(at, t.size-at, biopsy.BytesParsed, "device tree")
	return m.end()
}

// fit yields one image. A ramdisk's compression is the kernel's business: it stays packed, and opens by its own magic.
func (m *image) fit(i fitImage) error {
	name := slug(i.name)
	if i.signed != "" {
		m.is(i.off, i.size, biopsy.BytesParsed, name+", signed: "+i.signed)
	}
	if i.cipher != "" {
		m.is(i.off, i.size, biopsy.BytesEncrypted, i.cipher)
		m.lost(name, i.off, "encrypted: "+i.cipher, i.size)
		return nil
	}
	f := fitFormats[i.compression]
	if i.kind == "ramdisk" {
		f = ""
	}
	return m.packed(name, i.off, i.size, f)
}
