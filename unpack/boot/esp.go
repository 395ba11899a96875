package boot

import (
	"context"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// ESP opens application images of Espressif's chips (esptool's "Firmware Image Format", 2024). Each segment is a member named by the address
// it is loaded to. Without an application descriptor, as boot loaders are, an image is only known where a file begins with it.
var ESP = biopsy.Unpacker{
	Name:   "esp",
	Match:  func(_ biopsy.File, head []byte) bool { return espHeader(head) },
	Magics: []biopsy.Magic{{Bytes: []byte{0x32, 0x54, 0xcd, 0xab}, At: 0x20}},
	Extent: func(r io.ReaderAt, off, max int64) (int64, bool) {
		_, end, ok := espSegments(r, off, max)
		return end, ok
	},
	Unpack: openESP,
}

// espPiece is summed up at a time.
const espPiece = 64 << 10

// espHeader looks at fields that have few values: segments, flash mode, and the first segment's length and address.
func espHeader(h []byte) bool {
	if len(h) < 64 || h[0] != 0xe9 || h[1] == 0 || h[1] > 16 || h[2] > 5 || h[23] > 1 {
		return false
	}
	chip, entry, load, size := le.Uint16(h[12:]), le.Uint32(h[4:]), le.Uint32(h[24:]), le.Uint32(h[28:])
	return chip < 64 && espAddress(entry) && espAddress(load) && size > 0 && size < 16<<20 && size%4 == 0
}

// espAddress: RAM, ROM and mapped flash lie between 0x3c000000 and 0x60000000 in all chips.
func espAddress(a uint32) bool { return a >= 0x3c000000 && a < 0x60000000 }

// espSegments returns where the segments are, and where check sum and digest end.
func espSegments(r io.ReaderAt, off, max int64) (list []piece, end int64, ok bool) {
	h := header(r, off, max, 64)
	if !espHeader(h) {
		return nil, 0, false
	}
	at := int64(24)
	for range int(h[1]) {
		s := header(r, off+at, max-at, 8)
		if len(s) < 8 {
			return nil, 0, false
		}
		n := int64(le.Uint32(s[4:]))
		if n > max-at-8 || n > 16<<20 {
			return nil, 0, false
		}
		list = append(list, piece{fmt.Sprintf("0x%08x", le.Uint32(s)), at + 8, n})
		at += 8 + n
	}
	end = align(at+1, 16) // the last byte is the check sum
	if h[23] == 1 {
		end += 32
	}
	return list, end, end <= max
}

func openESP(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	list, end, ok := espSegments(c, 0, c.Size())
	if !ok {
		return fmt.Errorf("ESP image: %w", io.ErrUnexpectedEOF)
	}
	m.is(0, 24, biopsy.BytesParsed, "ESP image header")
	sum := byte(0xef)
	last := int64(24)
	for _, p := range list {
		for at := int64(0); at < p.size; at += espPiece {
			if err := ctx.Err(); err != nil {
				return err
			}
			for _, x := range header(c, p.off+at, p.size-at, espPiece) {
				sum ^= x
			}
		}
		m.is(p.off-8, 8, biopsy.BytesParsed, "ESP segment")
		if err := m.part(p.name, p.off, p.size); err != nil {
			return err
		}
		last = p.off + p.size
	}
	m.is(last, end-last, biopsy.BytesParsed, "ESP check sum")
	if b := header(c, align(last+1, 16)-1, 1, 1); len(b) == 1 && b[0] != sum {
		m.lost("", last, "ESP image: wrong check sum", 0)
	}
	return m.end()
}
