package erofs

import (
	"errors"
	"fmt"
	"sort"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/lazy"
)

// How a packed file lies, by the bits of its header.
const (
	packedTwoBytes   = 0x1
	packedBig1       = 0x2
	packedBig2       = 0x4
	packedInline     = 0x8  // the last cluster stands behind the index
	packedInterlaced = 0x10 // plain clusters are turned by where they begin in a block
	packedFragment   = 0x20 // the end of the file is in the packed file
)

// Bounds of a cluster that Linux keeps to: 1 MiB packed, 12 MiB unpacked.
const (
	maxPacked   = 1 << 20
	maxUnpacked = 12 << 20
)

// header stands before the index of a packed file.
type header struct {
	fragment int64 // where the end begins in the packed file
	inline   int64 // bytes of the last cluster, when it is inline
	flags    uint16
	formats  byte
	bits     uint // of a logical cluster's size
	all      bool // the whole file is in the packed file
	indexes  int64
}

// run is a part of a file that was packed by itself.
type run struct {
	from   int64 // offset in the file
	at     int64 // offset in the image
	size   int64 // packed bytes at most
	format byte  // plain or a number of packings
	part   bool  // only the beginning of what unpacks
	turned bool  // plain bytes stand in their block where they stand in the file's, and go on at its beginning
	inTail bool  // bytes are in the packed file, from at
}

const plain = 0xff

var packings = [...]codec.Format{codec.LZ4Fill, codec.MicroLZMA, codec.Deflate, codec.Zstd}

// packed returns a file packed in clusters. fragments allows that its end is in the packed file, which itself has none.
func (i *image) packed(n node, fragments bool) (biopsy.Content, error) {
	h, err := i.header(n)
	if err != nil {
		return nil, err
	}
	var tail biopsy.Content
	if h.all || h.flags&packedFragment != 0 {
		if !fragments {
			return nil, errors.New("the packed file has fragments itself")
		}
		if tail, err = i.packedFile(); err != nil {
			return nil, fmt.Errorf("packed file: %w", err)
		}
	}
	extents := []run{{at: h.fragment, inTail: true}}
	if !h.all {
		if extents, err = i.index(n, h); err != nil {
			return nil, fmt.Errorf("index of clusters: %w", err)
		}
	}
	return &lazy.Content{Length: n.size, At: func(off int64) ([]byte, int64, error) {
		k := sort.Search(len(extents), func(k int) bool { return extents[k].from > off }) - 1
		if k < 0 {
			return nil, 0, fmt.Errorf("at byte %d: no cluster", off)
		}
		e, to := extents[k], n.size
		if k+1 < len(extents) {
			to = extents[k+1].from
		}
		if e.inTail {
			b := make([]byte, min(to-off, 64<<10))
			if m, err := tail.ReadAt(b, e.at+off-e.from); m < len(b) {
				return nil, 0, fmt.Errorf("packed file at %d: %w", e.at+off-e.from, missing(err))
			}
			return b, 0, nil
		}
		b, err := i.bytesOf(e, to-e.from)
		if err != nil {
			return nil, 0, fmt.Errorf("at byte %d: %w", off, err)
		}
		return b[off-e.from:], 0, nil
	}}, nil
}

// packedFile opens the file that keeps the ends of others.
func (i *image) packedFile() (biopsy.Content, error) {
	n, err := i.node(i.packedNode)
	if err != nil {
		return nil, err
	}
	if n.layout == packedFull || n.layout == packedShort {
		return i.packed(n, false)
	}
	return i.open(n)
}

func (i *image) header(n node) (header, error) {
	at := (n.behind + 7) &^ 7
	b, err := i.read(at, 8)
	if err != nil {
		return header{}, fmt.Errorf("header of a packed file: %w", err)
	}
	if b[7]&0x80 != 0 {
		return header{all: true, fragment: int64(le.Uint64(b) &^ (1 << 63))}, nil
	}
	h := header{flags: le.Uint16(b[4:]), formats: b[6], bits: i.bits + uint(b[7]&15), indexes: at + 8}
	switch {
	case h.flags&packedInline != 0:
		h.inline = int64(le.Uint16(b[2:]))
	case h.flags&packedFragment != 0:
		h.fragment = int64(le.Uint32(b))
	}
	if n.layout == packedFull {
		h.indexes += 8
	}
	if h.flags&^0x3f != 0 || h.bits > 20 || b[7]&0x70 != 0 {
		return h, fmt.Errorf("packed file of flags %#x, clusters of 2^%d: not known", h.flags, h.bits)
	}
	return h, nil
}

// bytesOf returns the want bytes that a run unpacks to.
func (i *image) bytesOf(e run, want int64) ([]byte, error) {
	if want > maxUnpacked || e.size > maxPacked {
		return nil, fmt.Errorf("cluster of %d bytes, %d packed", want, e.size)
	}
	if e.part || e.format == plain { // of a part, another file may need more
		return i.unpackCluster(e, want)
	}
	b, err := i.datas.Block(e.at, func() ([]byte, error) { return i.unpackCluster(e, want) }, nil)
	if err != nil {
		return nil, err
	}
	if int64(len(b)) < want {
		return i.unpackCluster(e, want)
	}
	return b[:want], nil
}

func (i *image) unpackCluster(e run, want int64) ([]byte, error) {
	size := min(e.size, i.end-e.at)
	b, err := i.read(e.at, size)
	if err != nil {
		return nil, err
	}
	switch {
	case e.format == plain:
		return i.asItIs(b, e, want)
	case int(e.format) >= len(packings):
		return nil, fmt.Errorf("clusters packed by method %d are not known", e.format)
	}
	if i.features&zeroPadding != 0 || e.format != 0 {
		for len(b) > 0 && b[0] == 0 {
			b = b[1:]
		}
	}
	out := make([]byte, want)
	f := packings[e.format]
	n, err := codec.Block(f, out, b)
	if err != nil && (!e.part || int64(n) < want) {
		return nil, fmt.Errorf("%s cluster at offset %d: %w", f, e.at, err)
	}
	if int64(n) < want {
		return nil, fmt.Errorf("%s cluster at offset %d has %d bytes, not %d", f, e.at, n, want)
	}
	return out, nil
}

// asItIs returns the bytes of a cluster that is not packed.
func (i *image) asItIs(b []byte, e run, want int64) ([]byte, error) {
	if want > int64(len(b)) {
		return nil, fmt.Errorf("plain cluster at offset %d has %d bytes, not %d", e.at, len(b), want)
	}
	if turn := e.from & (1<<i.bits - 1); e.turned && turn > 0 {
		block := int64(1) << i.bits
		if want > block || int64(len(b)) < block && turn+want > int64(len(b)) {
			return nil, fmt.Errorf("interlaced cluster at offset %d has %d bytes", e.at, want)
		}
		right := min(want, block-turn)
		out := append(make([]byte, 0, want), b[turn:turn+right]...)
		return append(out, b[:want-right]...), nil
	}
	return b[:want], nil
}
