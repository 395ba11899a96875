package boot

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// UImage opens U-Boot's legacy images (include/image.h of U-Boot 2024.01). Scripts and files inside a multi-file image are members too.
var UImage = biopsy.Unpacker{
	Name:   "uimage",
	Match:  func(_ biopsy.File, head []byte) bool { return validUImage(head) },
	Magics: []biopsy.Magic{{Bytes: []byte{0x27, 0x05, 0x19, 0x56}}},
	Extent: func(r io.ReaderAt, off, max int64) (int64, bool) {
		h := header(r, off, max, uHeader)
		if !validUImage(h) {
			return 0, false
		}
		n := uHeader + int64(be.Uint32(h[12:]))
		return n, n <= max
	},
	Unpack: openUImage,
}

const uHeader = 64

// validUImage looks at the magic and at the header's own check sum.
func validUImage(h []byte) bool {
	if len(h) < uHeader || be.Uint32(h) != 0x27051956 {
		return false
	}
	b := append([]byte(nil), h[:uHeader]...)
	be.PutUint32(b[4:], 0)
	return crc32.ChecksumIEEE(b) == be.Uint32(h[4:])
}

// uTypes are the words for ih_type; others are "type-N".
var uTypes = map[byte]string{1: "standalone", 2: "kernel", 3: "ramdisk", 4: "multi", 5: "firmware", 6: "script", 7: "filesystem", 8: "fdt", 9: "kwbimage",
	14: "kernel", 16: "spl", 22: "spl"}

// uFormats are the compressions of ih_comp.
var uFormats = map[byte]codec.Format{1: codec.Gzip, 2: codec.Bzip2, 3: codec.LZMA, 4: codec.Lzop, 5: codec.LZ4, 6: codec.Zstd}

const (
	uMulti  = 4
	uScript = 6
)

func openUImage(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	h := header(c, 0, c.Size(), uHeader)
	if len(h) < uHeader {
		return io.ErrUnexpectedEOF
	}
	size := int64(be.Uint32(h[12:]))
	what := fmt.Sprintf("U-Boot image %q", word(h[32:64]))
	m.is(0, uHeader, biopsy.BytesParsed, what)
	if left := c.Size() - uHeader; size > left {
		m.lost("", uHeader, fmt.Sprintf("U-Boot image: %d bytes are missing", size-left), size-left)
		size = left
	} else if sum, err := checksum(ctx, c, uHeader, size); err != nil {
		return err
	} else if sum != be.Uint32(h[24:]) {
		m.lost("", uHeader, "U-Boot image: wrong check sum of its data", 0)
	}
	kind := uTypes[h[30]]
	if kind == "" {
		kind = fmt.Sprintf("type-%d", h[30])
	}
	var err error
	switch h[30] {
	case uMulti, uScript:
		err = m.multi(kind, uHeader, size)
	default:
		err = m.packed(kind, uHeader, size, uFormats[h[31]])
	}
	if err != nil {
		return err
	}
	return m.end()
}

// multi yields the files of a multi-file image: a list of sizes that ends with zero, then the files at multiples of four bytes.
func (m *image) multi(kind string, off, size int64) error {
	var sizes []int64
	list := header(m.c, off, size, 4*64)
	for i := 0; ; i += 4 {
		if i+4 > len(list) {
			m.lost("", off, "U-Boot image: its list of files has no end", size)
			return nil
		}
		n := int64(be.Uint32(list[i:]))
		if n == 0 {
			break
		}
		sizes = append(sizes, n)
	}
	at := off + 4*int64(len(sizes)+1)
	m.is(off, at-off, biopsy.BytesParsed, "list of files")
	for i, n := range sizes {
		name := fmt.Sprintf("%s-%d", kind, i)
		if n > off+size-at {
			m.lost(name, at, "U-Boot image: file lies outside of the image", n)
			return nil
		}
		if err := m.part(name, at, n); err != nil {
			return err
		}
		at += align(n, 4)
	}
	return nil
}

// checksum is the CRC-32 of a stretch.
func checksum(ctx context.Context, r io.ReaderAt, off, size int64) (uint32, error) {
	sum := uint32(0)
	buf := make([]byte, 128<<10)
	for at := int64(0); at < size; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := r.ReadAt(buf[:min(int64(len(buf)), size-at)], off+at)
		if n == 0 && err != nil {
			return 0, fmt.Errorf("at offset %d: %w", off+at, err)
		}
		sum = crc32.Update(sum, crc32.IEEETable, buf[:n])
		at += int64(n)
	}
	return sum, nil
}
