// Package carve finds containers at any offset of an image, and accounts for the bytes between them.
//
// What comes in: an image without a format of its own, as it is flashed, and the list of containers to look for. What goes out: each
// container as a member named by its offset ("0x600000.squashfs"), the stretches between them that are neither padding nor noise
// ("0x40.raw"), and a ledger of every byte. It never guesses: a magic counts when the container's header holds up.
package carve

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// rawEnding marks members that were carved and are no container: carving them again finds nothing.
const rawEnding = ".raw"

// leastRaw is the size from which a stretch that is no container is worth showing to readers of programs.
const leastRaw = 4 << 10

// window is how many bytes are searched at a time.
const window = 256 << 10

// Carver looks for a list of containers in one pass.
type Carver struct {
	pairs   [1 << 16 / 64]uint64 // bit n: some magic begins with the two bytes n
	probes  map[uint16][]probe
	longest int // bytes of the longest magic
}

// probe is one magic of one container.
type probe struct {
	kind  *biopsy.Unpacker
	magic biopsy.Magic
}

// New returns a carver for the containers of list that have magics of two bytes or more.
func New(list []biopsy.Unpacker) *Carver {
	c := &Carver{probes: map[uint16][]probe{}}
	for i := range list {
		for _, m := range list[i].Magics {
			if len(m.Bytes) < 2 || list[i].Extent == nil {
				continue
			}
			n := binary.LittleEndian.Uint16(m.Bytes)
			c.pairs[n/64] |= 1 << (n % 64)
			c.probes[n] = append(c.probes[n], probe{&list[i], m})
			c.longest = max(c.longest, len(m.Bytes))
		}
	}
	return c
}

// Unpacker is the carver as a container's opener. It matches nothing by itself: who knows that a file is an image calls it.
func (c *Carver) Unpacker() biopsy.Unpacker {
	return biopsy.Unpacker{Name: "carve", Match: func(biopsy.File, []byte) bool { return false }, Unpack: c.unpack}
}

// hit is a container that was found.
type hit struct {
	kind      string
	off, size int64
	open      bool // the header does not say the size: it ends where the next container begins
}

func (c *Carver) unpack(ctx context.Context, _ biopsy.File, image biopsy.Content, u biopsy.UnpackOptions) error {
	hits, err := c.find(ctx, image)
	if err != nil {
		return err
	}
	var spans []biopsy.Span
	at := int64(0)
	for _, h := range hits {
		between, err := classify(ctx, image, at, h.off)
		if err != nil {
			return err
		}
		spans = append(append(spans, between...), biopsy.Span{Offset: h.off, Size: h.size, Status: biopsy.BytesParsed, What: h.kind})
		at = h.off + h.size
	}
	rest, err := classify(ctx, image, at, image.Size())
	if err != nil {
		return err
	}
	spans = append(spans, rest...)
	if u.Ledger != nil {
		u.Ledger(spans)
	}
	tellGaps(spans, u.Gap)
	return yield(image, spans, len(hits) > 0, u.Yield)
}

// yield hands out the containers, and, where there are any, the stretches between them that may be code.
func yield(image io.ReaderAt, spans []biopsy.Span, found bool, to func(biopsy.File) error) error {
	for _, s := range spans {
		ending := "." + s.What
		switch {
		case s.Status == biopsy.BytesUnknown && found && s.Size >= leastRaw:
			ending = rawEnding
		case s.Status != biopsy.BytesParsed:
			continue
		}
		f := biopsy.File{Path: fmt.Sprintf("0x%x%s", s.Offset, ending), Size: s.Size, Mode: 0o644, Open: func() (biopsy.Content, error) {
			return section{io.NewSectionReader(image, s.Offset, s.Size)}, nil
		}}
		if err := to(f); err != nil {
			return err
		}
	}
	return nil
}

// section is a stretch of the image; the walk closes the image.
type section struct{ *io.SectionReader }

func (section) Close() error { return nil }

// find returns the containers in order of offset; none overlaps another.
func (c *Carver) find(ctx context.Context, image biopsy.Content) ([]hit, error) {
	var hits []hit
	size := image.Size()
	buf := make([]byte, window+c.longest)
	skip := int64(0) // nothing is stored before
	for at, end := int64(0), int64(0); at < size; at = max(at+window, end, skip) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := image.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("at offset %d: %w", at, err)
		}
		if data := hole(image, buf[:n], at); data > at+window {
			skip = data - int64(c.longest) // a magic may begin with zeros
			continue
		}
		for i := 0; i+1 < n && i < window; i++ {
			pair := binary.LittleEndian.Uint16(buf[i:])
			if c.pairs[pair/64]&(1<<(pair%64)) == 0 || at+int64(i) < end {
				continue
			}
			h, ok := c.probe(near{image, buf[:n], at}, i, end, pair)
			if !ok {
				continue
			}
			hits = append(closeOpen(hits, h.off), h)
			end = h.off + h.size
			if h.open {
				end = at + int64(i) + 2
			}
		}
	}
	return closeOpen(hits, size), nil
}

// closeOpen ends a last container of unknown size where the next one begins.
func closeOpen(hits []hit, next int64) []hit {
	if n := len(hits); n > 0 && hits[n-1].open {
		hits[n-1].size = next - hits[n-1].off
	}
	return hits
}

// near is the image with a window of it in memory, where most of what a header says can be read.
type near struct {
	biopsy.Content
	b  []byte
	at int64 // of b
}

func (n near) ReadAt(p []byte, off int64) (int, error) {
	if i := off - n.at; i >= 0 && i <= int64(len(n.b)-len(p)) {
		return copy(p, n.b[i:]), nil
	}
	return n.Content.ReadAt(p, off)
}

// probe tries every magic that may stand at i in the window. A container must not begin before end, where the last one ended.
func (c *Carver) probe(image near, i int, end int64, pair uint16) (hit, bool) {
	b, pos := image.b[i:], image.at+int64(i)
	for _, p := range c.probes[pair] {
		off := pos - p.magic.At
		if off < end || len(b) < len(p.magic.Bytes) || string(b[:len(p.magic.Bytes)]) != string(p.magic.Bytes) {
			continue
		}
		room := image.Size() - off
		if size, ok := p.kind.Extent(image, off, room); ok && size >= 0 && size <= room {
			return hit{kind: p.kind.Name, off: off, size: size, open: size == 0}, true
		}
	}
	return hit{}, false
}
