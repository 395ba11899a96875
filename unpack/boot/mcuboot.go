package boot

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// MCUboot opens images that the boot loader MCUboot starts (its design document of 2024): a header, the image, and its signatures and sums.
var MCUboot = biopsy.Unpacker{
	Name:   "mcuboot",
	Match:  func(_ biopsy.File, head []byte) bool { _, ok := mcuHeader(head); return ok },
	Magics: []biopsy.Magic{{Bytes: []byte{0x3d, 0xb8, 0xf3, 0x96}}},
	Extent: func(r io.ReaderAt, off, max int64) (int64, bool) {
		h, ok := mcuHeader(header(r, off, max, 32))
		if !ok {
			return 0, false
		}
		_, end := h.tlvs(r, off, max)
		return end, end <= max
	},
	Unpack: openMCUboot,
}

// mcuImage is MCUboot's header.
type mcuImage struct {
	head, protected, size int64
	flags                 uint32
}

const (
	mcuEncrypted = 0x4 | 0x8 // AES-128 and AES-256
	mcuInfo      = 0x6907
	mcuProtected = 0x6908
)

func mcuHeader(h []byte) (mcuImage, bool) {
	if len(h) < 32 || le.Uint32(h) != 0x96f3b83d {
		return mcuImage{}, false
	}
	i := mcuImage{head: int64(le.Uint16(h[8:])), protected: int64(le.Uint16(h[10:])), size: int64(le.Uint32(h[12:])), flags: le.Uint32(h[16:])}
	return i, i.head >= 32 && i.size > 0 && le.Uint32(h[28:]) == 0
}

// mcuKinds are the entries behind an image that tell how it is protected.
var mcuKinds = map[uint16]string{0x10: "SHA-256", 0x11: "SHA-384", 0x12: "SHA-512", 0x20: "RSA-2048", 0x21: "ECDSA P-224", 0x22: "ECDSA", 0x23: "RSA-3072",
	0x24: "Ed25519", 0x30: "key by RSA-2048", 0x31: "key by AES-KW", 0x32: "key by ECIES P-256", 0x33: "key by ECIES X25519"}

// tlvs reads the entries behind the image: their words, sorted, and where they end.
func (i mcuImage) tlvs(r io.ReaderAt, off, max int64) (kinds []string, end int64) {
	end = i.head + i.size
	for _, magic := range []uint16{mcuProtected, mcuInfo} {
		h := header(r, off+end, max-end, 4)
		if len(h) < 4 || le.Uint16(h) != magic {
			continue
		}
		total := int64(le.Uint16(h[2:]))
		b := header(r, off+end, max-end, int(total))
		for at := 4; at+4 <= len(b); at += 4 + int(le.Uint16(b[at+2:])) {
			if k := mcuKinds[le.Uint16(b[at:])]; k != "" && !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
		end += larger(total, 4)
	}
	slices.Sort(kinds)
	return kinds, end
}

func openMCUboot(_ context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	h := header(c, 0, c.Size(), 32)
	i, ok := mcuHeader(h)
	if !ok {
		return io.ErrUnexpectedEOF
	}
	m.is(0, i.head, biopsy.BytesParsed, fmt.Sprintf("MCUboot header, version %d.%d.%d+%d", h[20], h[21], le.Uint16(h[22:]), le.Uint32(h[24:])))
	kinds, end := i.tlvs(c, 0, c.Size())
	m.is(i.head+i.size, end-i.head-i.size, biopsy.BytesParsed, "signed: "+strings.Join(kinds, ", "))
	if i.flags&mcuEncrypted != 0 {
		m.is(i.head, i.size, biopsy.BytesEncrypted, "MCUboot image")
		m.lost("", i.head, "encrypted: MCUboot image", i.size)
		return m.end()
	}
	if err := m.part("image", i.head, i.size); err != nil {
		return err
	}
	return m.end()
}
