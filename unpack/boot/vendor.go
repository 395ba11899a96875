package boot

import (
	"context"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// Vendors' headers, as the tools in OpenWrt's firmware-utils (2023) write them. What they hold is a member ".img", to be searched in turn.
var (
	// TRX is Broadcom's, versions 1 and 2.
	TRX = biopsy.Unpacker{
		Name:   "trx",
		Match:  func(_ biopsy.File, head []byte) bool { return trxSize(head) > 0 },
		Magics: []biopsy.Magic{{Bytes: []byte("HDR0")}},
		Extent: func(r io.ReaderAt, off, max int64) (int64, bool) {
			n := trxSize(header(r, off, max, 32))
			return n, n > 0 && n <= max
		},
		Unpack: openTRX,
	}
	// CHK is Netgear's.
	CHK = biopsy.Unpacker{
		Name:   "chk",
		Match:  func(_ biopsy.File, head []byte) bool { _, ok := chkParts(head); return ok },
		Magics: []biopsy.Magic{{Bytes: []byte("*#$^")}},
		Extent: extentOf(chkParts),
		Unpack: openParts("Netgear header", chkParts),
	}
	// Seama is of Alpha Networks, in devices of D-Link and others. A header that seals others holds no bytes itself.
	Seama = biopsy.Unpacker{
		Name:   "seama",
		Match:  func(_ biopsy.File, head []byte) bool { _, ok := seamaParts(head); return ok },
		Magics: []biopsy.Magic{{Bytes: []byte{0x5e, 0xa3, 0xa4, 0x17}}},
		Extent: extentOf(seamaParts),
		Unpack: openParts("Seama header", seamaParts),
	}
	// TPLink2 is TP-Link's versions 2 and 3.
	TPLink2 = biopsy.Unpacker{
		Name:   "tplink2",
		Match:  func(_ biopsy.File, head []byte) bool { _, ok := tplink2Parts(head); return ok },
		Magics: []biopsy.Magic{{Bytes: []byte("\x55\xaa"), At: 0x8c}},
		Extent: extentOf(tplink2Parts),
		Unpack: openParts("TP-Link header", tplink2Parts),
	}
	// TPLink is TP-Link's version 1.
	TPLink = biopsy.Unpacker{
		Name:   "tplink",
		Match:  func(_ biopsy.File, head []byte) bool { _, ok := tplinkParts(head); return ok },
		Magics: []biopsy.Magic{{Bytes: []byte("\x01\x00\x00\x00TP-LINK Technologies")}},
		Extent: extentOf(tplinkParts),
		Unpack: openParts("TP-Link header", tplinkParts),
	}
)

// trxSize returns the image's size; 0 when the header does not hold up.
func trxSize(h []byte) int64 {
	if len(h) < 32 || string(h[:4]) != "HDR0" {
		return 0
	}
	size, version := int64(le.Uint32(h[4:])), le.Uint16(h[14:])
	if version < 1 || version > 2 || size < 32 {
		return 0
	}
	before := uint32(0)
	for at := 16; at < 28+4*int(version-1); at += 4 {
		o := le.Uint32(h[at:])
		if o != 0 && (o < before || int64(o) >= size || o < 28) {
			return 0
		}
		before = max(before, o)
	}
	return size
}

func openTRX(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	h := header(c, 0, c.Size(), 32)
	size := trxSize(h)
	if size == 0 {
		return io.ErrUnexpectedEOF
	}
	if left := c.Size(); size > left {
		m.lost("", left, fmt.Sprintf("TRX image: %d bytes are missing", size-left), size-left)
		size = left
	} else if sum, err := checksum(ctx, c, 12, size-12); err != nil {
		return err
	} else if ^sum != le.Uint32(h[8:]) {
		m.lost("", 0, "TRX image: wrong check sum", 0)
	}
	starts, first := []int64{}, 28+4*int(le.Uint16(h[14:])-1)
	for at := 16; at < first; at += 4 {
		if o := int64(le.Uint32(h[at:])); o != 0 {
			starts = append(starts, o)
		}
	}
	m.is(0, int64(first), biopsy.BytesParsed, "TRX header")
	for i, o := range starts {
		end := size
		if i+1 < len(starts) {
			end = min(size, starts[i+1])
		}
		if o >= end {
			continue
		}
		if err := m.composite(fmt.Sprintf("part-%d", i), o, end-o); err != nil {
			return err
		}
	}
	return m.end()
}

// composite yields a part that may hold several things one behind the other.
func (m *image) composite(name string, off, size int64) error {
	if off < 0 || size <= 0 || off > m.c.Size() || size > m.c.Size()-off {
		return m.part(name, off, size)
	}
	m.is(off, size, biopsy.BytesParsed, name)
	return m.yield(biopsy.File{Path: name + ".img", Size: size, Open: stretch(m.c, off, size)})
}

// chkParts wants the header's own check sum to be right.
func chkParts(h []byte) ([]piece, bool) {
	if len(h) < 40 || string(h[:4]) != "*#$^" {
		return nil, false
	}
	n := int64(be.Uint32(h[4:]))
	if n < 40 || n > 128 || n > int64(len(h)) {
		return nil, false
	}
	b := append([]byte(nil), h[:n]...)
	copy(b[36:40], make([]byte, 4))
	if netgearSum(b) != be.Uint32(h[36:]) {
		return nil, false
	}
	kernel, root := int64(be.Uint32(h[24:])), int64(be.Uint32(h[28:]))
	return []piece{{"", 0, n}, {"kernel.img", n, kernel}, {"rootfs.img", n + kernel, root}}, true
}

// netgearSum is Fletcher's with sums of 32 bits, folded to 16.
func netgearSum(b []byte) uint32 {
	var c0, c1 uint32
	for _, x := range b {
		c0 += uint32(x)
		c1 += c0
	}
	fold := func(c uint32) uint32 {
		c = c&0xffff + c>>16
		return (c>>16 + c) & 0xffff
	}
	return fold(c1)<<16 | fold(c0)
}

func seamaParts(h []byte) ([]piece, bool) {
	if len(h) < 12 || be.Uint32(h) != 0x5ea3a417 || be.Uint16(h[4:]) != 0 {
		return nil, false
	}
	meta, size := int64(be.Uint16(h[6:])), int64(be.Uint32(h[8:]))
	start := 12 + meta
	if size > 0 {
		start += 16 // MD5 of the image
	}
	return []piece{{"", 0, start}, {"image.img", start, size}}, meta > 0 && meta%4 == 0
}

// tplink2Parts wants all that the tools always write alike, for the header has no magic.
func tplink2Parts(h []byte) ([]piece, bool) {
	const size = 0x200
	if len(h) < size || be.Uint32(h) != 2<<24 && be.Uint32(h) != 3<<24 || be.Uint32(h[0x64:]) != 1<<32-1 || be.Uint16(h[0x8c:]) != 0x55aa || h[0x90] != 0xa5 {
		return nil, false
	}
	n := func(at int) int64 { return int64(be.Uint32(h[at:])) }
	list := []piece{{"", 0, size}}
	for _, p := range []piece{{"kernel.img", n(0x74), n(0x78)}, {"rootfs.img", n(0x7c), n(0x80)}, {"boot.img", n(0x84), n(0x88)}} {
		if p.size > 0 && p.off < size {
			return nil, false
		}
		list = append(list, p)
	}
	return list, true
}

func tplinkParts(h []byte) ([]piece, bool) {
	const size = 0x200
	if len(h) < size || be.Uint32(h) != 1<<24 || string(h[4:24]) != "TP-LINK Technologies" {
		return nil, false
	}
	n := func(at int) int64 { return int64(be.Uint32(h[at:])) }
	list := []piece{{"", 0, size}}
	for _, p := range []piece{{"kernel.img", n(128), n(132)}, {"rootfs.img", n(136), n(140)}, {"boot.img", n(144), n(148)}} {
		if p.size > 0 && p.off < size {
			return nil, false
		}
		list = append(list, p)
	}
	return list, true
}
