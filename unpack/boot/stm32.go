package boot

import (
	"context"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// STM32 opens images that the boot ROM of STM32MP processors starts: a header of 256 bytes in version 1, of 512 in version 2, then the
// program. Source: tools/stm32image.c of U-Boot 2024.01, and the wiki of STMicroelectronics for version 2.
var STM32 = biopsy.Unpacker{
	Name:   "stm32",
	Match:  func(_ biopsy.File, head []byte) bool { _, ok := stmHeader(head); return ok },
	Magics: []biopsy.Magic{{Bytes: []byte("STM2")}},
	Extent: func(r io.ReaderAt, off, max int64) (int64, bool) {
		h, ok := stmHeader(header(r, off, max, stmShort))
		return h.head + h.size, ok && h.head+h.size <= max
	},
	Unpack: openSTM32,
}

const (
	stmShort     = 256
	stmLong      = 512
	stmEncrypted = 1 << 1 // of the extension flags of version 2
)

// stmImage is the part of the header that both versions have in the same place.
type stmImage struct {
	head, size int64
	major      byte
	flags      uint32 // of extensions; 0 in version 1
}

func stmHeader(h []byte) (stmImage, bool) {
	if len(h) < stmShort || string(h[:4]) != "STM2" {
		return stmImage{}, false
	}
	i := stmImage{head: stmShort, major: h[74], size: int64(le.Uint32(h[76:]))}
	switch i.major {
	case 1:
	case 2:
		i.head, i.flags = stmLong, le.Uint32(h[100:])
	default:
		return stmImage{}, false
	}
	return i, i.size > 0 && le.Uint32(h[84:]) == 0 && le.Uint32(h[92:]) == 0 // reserved in both versions
}

func openSTM32(_ context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	i, ok := stmHeader(header(c, 0, c.Size(), stmShort))
	if !ok {
		return io.ErrUnexpectedEOF
	}
	m.is(0, i.head, biopsy.BytesParsed, fmt.Sprintf("STM32 header, version %d", i.major))
	if i.flags&stmEncrypted != 0 {
		m.is(i.head, i.size, biopsy.BytesEncrypted, "STM32 program")
		m.lost("", i.head, "encrypted: STM32 program", i.size)
		return m.end()
	}
	if err := m.part("program", i.head, i.size); err != nil {
		return err
	}
	return m.end()
}
