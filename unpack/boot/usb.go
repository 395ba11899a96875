package boot

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// What is sent over USB to microcontrollers.
var (
	// UF2 is Microsoft's format of blocks of 512 bytes (2021).
	UF2 = biopsy.Unpacker{
		Name:   "uf2",
		Match:  func(_ biopsy.File, head []byte) bool { _, ok := uf2Block(head); return ok },
		Magics: []biopsy.Magic{{Bytes: []byte("UF2\n\x57\x51\x5d\x9e")}},
		Extent: func(r io.ReaderAt, off, max int64) (int64, bool) {
			b, ok := uf2Block(header(r, off, max, 512))
			n := b.total * 512
			return n, ok && n <= max
		},
		Unpack: openUF2,
	}
	// DfuSe is ST's container (UM0391 of 2009), with the suffix of USB DFU 1.1 (2004) behind it.
	DfuSe = biopsy.Unpacker{
		Name:   "dfuse",
		Match:  func(_ biopsy.File, head []byte) bool { return dfuseSize(head) > 0 },
		Magics: []biopsy.Magic{{Bytes: []byte("DfuSe\x01")}},
		Extent: func(r io.ReaderAt, off, max int64) (int64, bool) {
			n := dfuseSize(header(r, off, max, 11))
			if n > 0 && isSuffix(header(r, off+n, max-n, 16)) {
				n += 16
			}
			return n, n > 0 && n <= max
		},
		Unpack: openDfuSe,
	}
	// DFU is any file with a suffix of USB DFU 1.1; it is at the end, so the name must tell.
	DFU = biopsy.Unpacker{
		Name: "dfu",
		Match: func(f biopsy.File, head []byte) bool {
			return strings.EqualFold(path.Ext(f.Path), ".dfu") && len(head) >= 16
		},
		Unpack: openDFU,
	}
)

// uf2 is one block.
type uf2 struct {
	flags                   uint32
	at, number, total, size int64
	family                  uint32
}

func uf2Block(h []byte) (uf2, bool) {
	if len(h) < 512 || le.Uint32(h) != 0x0a324655 || le.Uint32(h[4:]) != 0x9e5d5157 || le.Uint32(h[508:]) != 0x0ab16f30 {
		return uf2{}, false
	}
	n := func(at int) int64 { return int64(le.Uint32(h[at:])) }
	b := uf2{flags: le.Uint32(h[8:]), at: n(12), size: n(16), number: n(20), total: n(24), family: le.Uint32(h[28:])}
	return b, b.size <= 476 && b.total > 0 && b.number < b.total
}

func openUF2(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	var f flat
	for off := int64(0); off+512 <= c.Size(); off += 512 {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := header(c, off, 512, 512)
		b, ok := uf2Block(h)
		if !ok {
			m.lost("", off, "UF2: block is damaged", 512)
			continue
		}
		m.is(off, 512, biopsy.BytesParsed, fmt.Sprintf("UF2, family 0x%08x", b.family))
		if b.flags&1 != 0 { // not for the main flash
			continue
		}
		if err := f.put(b.at, h[32:32+b.size]); err != nil {
			return err
		}
	}
	if err := m.runs(f.parts); err != nil {
		return err
	}
	return m.end()
}

// dfuseSize is the prefix's word for all but the suffix.
func dfuseSize(h []byte) int64 {
	if len(h) < 11 || string(h[:6]) != "DfuSe\x01" || h[10] == 0 {
		return 0
	}
	return int64(le.Uint32(h[6:]))
}

func openDfuSe(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	const prefix, target = 11, 274
	m := &image{UnpackOptions: u, c: c}
	h := header(c, 0, c.Size(), prefix)
	size := min(dfuseSize(h), c.Size())
	m.is(0, prefix, biopsy.BytesParsed, "DfuSe prefix")
	if err := m.suffix(ctx, c.Size()); err != nil {
		return err
	}
	at := int64(prefix)
	for t := range int(h[10]) {
		b := header(c, at, size-at, target)
		if len(b) < target || string(b[:6]) != "Target" {
			m.lost("", at, "DfuSe: target is damaged", size-at)
			break
		}
		m.is(at, target, biopsy.BytesParsed, fmt.Sprintf("DfuSe target %d %q", b[6], word(b[11:266])))
		end := min(size, at+target+int64(le.Uint32(b[266:])))
		at += target
		for range le.Uint32(b[270:]) {
			e := header(c, at, end-at, 8)
			if len(e) < 8 {
				break
			}
			m.is(at, 8, biopsy.BytesParsed, "DfuSe element")
			n := int64(le.Uint32(e[4:]))
			if err := m.part(fmt.Sprintf("target-%d-0x%08x", t, le.Uint32(e)), at+8, n); err != nil {
				return err
			}
			at += 8 + n
		}
		at = end
	}
	return m.end()
}

// isSuffix knows the last 16 bytes of a DFU file.
func isSuffix(b []byte) bool { return len(b) == 16 && string(b[8:11]) == "UFD" && b[11] == 16 }

// suffix checks the sum over all of a DFU file but the sum itself.
func (m *image) suffix(ctx context.Context, size int64) error {
	b := header(m.c, size-16, 16, 16)
	if size < 16 || !isSuffix(b) {
		return nil
	}
	m.is(size-16, 16, biopsy.BytesParsed, fmt.Sprintf("DFU suffix, USB %04x:%04x", le.Uint16(b[4:]), le.Uint16(b[2:])))
	sum, err := checksum(ctx, m.c, 0, size-4)
	if err == nil && ^sum != le.Uint32(b[12:]) {
		m.lost("", size-16, "DFU suffix: wrong check sum", 0)
	}
	return err
}

func openDFU(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	if !isSuffix(header(c, c.Size()-16, 16, 16)) {
		return fmt.Errorf("DFU suffix is missing")
	}
	if err := m.suffix(ctx, c.Size()); err != nil {
		return err
	}
	if err := m.part("firmware", 0, c.Size()-16); err != nil {
		return err
	}
	return m.end()
}
