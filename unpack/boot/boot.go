// Package boot opens what a device starts from: images for boot loaders, kernels, and vendors' update files.
//
// What comes in: U-Boot images (legacy, FIT) and environments, device trees, Android boot images, Linux kernels, UEFI firmware volumes,
// images of microcontrollers (Intel HEX, S-record, UF2, DfuSe, ESP32, MCUboot), vendors' headers. What goes out: their parts as members,
// unpacked where the header names the compression. Check sums are verified. It never decrypts, and never says that a signature is good:
// the ledger says which kind is there.
//
// A part whose format nobody knows ends in ".raw", one that may hold several things in ".img".
package boot

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// All are the unpackers of this room, those with the surest magic first.
var All = []biopsy.Unpacker{
	UImage,
	FDT,
	Android,
	VendorBoot,
	Payload,
	MCUboot,
	STM32,
	FIP,
	ESPPartitions,
	TRX,
	CHK,
	Seama,
	TPLink,
	TPLink2,
	UF2,
	DfuSe,
	DFU,
	ESP,
	FirmwareVolume,
	Sections,
	ZImage,
	BzImage,
	Zboot,
	Kernel,
	Environment,
	IntelHex,
	SRecord,
	SHRS,
	LUKS,
	Salted,
	QNX,
	Verity,
	PKCS7,
}

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

// image is a container that is being opened.
type image struct {
	biopsy.UnpackOptions
	c     biopsy.Content
	spans []biopsy.Span
}

// is tells what a stretch is. Stretches of no size say nothing.
func (m *image) is(off, size int64, kind biopsy.ByteKind, what string) {
	if size > 0 && off >= 0 && off < m.c.Size() {
		m.spans = append(m.spans, biopsy.Span{Offset: off, Size: min(size, m.c.Size()-off), Status: kind, What: what})
	}
}

// part yields a stretch of the container under a name whose ending tells how it is packed.
func (m *image) part(name string, off, size int64) error {
	if size == 0 {
		return nil
	}
	if off < 0 || size < 0 || off > m.c.Size() || size > m.c.Size()-off {
		m.lost(name, off, "part lies outside of the image", size)
		return nil
	}
	m.is(off, size, biopsy.BytesParsed, name)
	return m.yield(biopsy.File{Path: name + ending(m.c, off, size), Size: size, Open: stretch(m.c, off, size)})
}

// packed yields a stretch unpacked by the format that the header names; as it is, when it names none.
func (m *image) packed(name string, off, size int64, f codec.Format) error {
	if f == "" || size <= 0 || off < 0 || off > m.c.Size() || size > m.c.Size()-off {
		return m.part(name, off, size)
	}
	m.is(off, size, biopsy.BytesParsed, name)
	return m.yield(biopsy.File{Path: name + ".raw", Size: -1, Open: func() (biopsy.Content, error) {
		r, err := plain(f, m.c, off, size)
		if err != nil {
			return nil, fmt.Errorf("%s at offset %d: %w", f, off, err)
		}
		defer r.Close()
		return m.Spool.Keep(codec.Bound(r, size, m.Limits), m.Limits.FileSize)
	}})
}

// yield hands a member out under a clean name.
func (m *image) yield(f biopsy.File) error {
	p, err := treepath.Clean(f.Path)
	if err != nil {
		m.lost("", 0, err.Error(), f.Size)
		return nil
	}
	f.Path, f.Mode = p, 0o644
	return m.Yield(f)
}

// lost reports what stays unseen.
func (m *image) lost(name string, off int64, reason string, size int64) {
	p, err := treepath.Clean(name)
	if err != nil {
		p = ""
	}
	m.Gap(biopsy.Gap{Place: biopsy.Place{Path: p, Offset: off}, Reason: reason, Size: max(size, 0)})
}

// end tells the ledger. Stretches that were told twice count once; what was not told is unknown, or padding where it is blank.
func (m *image) end() error {
	if m.Ledger == nil {
		return nil
	}
	slices.SortStableFunc(m.spans, func(a, b biopsy.Span) int { return cmp.Compare(a.Offset, b.Offset) })
	var out []biopsy.Span
	at := int64(0)
	for _, s := range append(m.spans, biopsy.Span{Offset: m.c.Size()}) {
		if s.Offset > at {
			out = append(out, m.between(at, s.Offset-at))
			at = s.Offset
		}
		if over := at - s.Offset; over < s.Size {
			s.Offset, s.Size = at, s.Size-over
			out, at = append(out, s), at+s.Size
		}
	}
	m.Ledger(out)
	return nil
}

// between judges a stretch that no header speaks about.
func (m *image) between(off, size int64) biopsy.Span {
	s := biopsy.Span{Offset: off, Size: size}
	var buf [4096]byte
	for at := off; at < off+size; at += int64(len(buf)) {
		b := buf[:min(int64(len(buf)), off+size-at)]
		if n, _ := m.c.ReadAt(b, at); n < len(b) || len(bytes.Trim(b, "\x00")) > 0 && len(bytes.Trim(b, "\xff")) > 0 {
			return s
		}
	}
	s.Status = biopsy.BytesPadding
	return s
}

// packedEndings are what the openers of packed files take off the name of what is inside.
var packedEndings = map[codec.Format]string{codec.Gzip: ".gz", codec.Bzip2: ".bz2", codec.XZ: ".xz", codec.LZMA: ".lzma", codec.Zstd: ".zst", codec.LZ4: ".lz4", codec.Lzop: ".lzo", codec.Lzip: ".lz"}

// ending names the bytes of a part by how they begin.
func ending(r io.ReaderAt, off, size int64) string {
	head := header(r, off, size, 64)
	if f := detect(head); f != "" {
		return ".raw" + packedEndings[f]
	}
	switch {
	case bytes.HasPrefix(head, []byte("070701")), bytes.HasPrefix(head, []byte("070702")):
		return ".cpio"
	case bytes.HasPrefix(head, []byte("hsqs")):
		return ".squashfs"
	case bytes.HasPrefix(head, []byte{0xd0, 0x0d, 0xfe, 0xed}):
		return ".dtb"
	}
	return ".raw"
}

// header reads at most n bytes at off, of a container of size bytes there; fewer when there are not as many, or they cannot be read.
func header(r io.ReaderAt, off, size int64, n int) []byte {
	b := make([]byte, max(0, min(int64(n), size)))
	got, _ := r.ReadAt(b, off)
	return b[:got]
}

// stretch opens a part as it is; the walk closes the container.
func stretch(r io.ReaderAt, off, size int64) func() (biopsy.Content, error) {
	return func() (biopsy.Content, error) { return section{io.NewSectionReader(r, off, size)}, nil }
}

type section struct{ *io.SectionReader }

func (section) Close() error { return nil }

// word is the text of a fixed field up to its first zero; "" when it holds anything but printable ASCII.
func word(b []byte) string {
	if n := bytes.IndexByte(b, 0); n >= 0 {
		b = b[:n]
	}
	for _, c := range b {
		if c < ' ' || c > '~' {
			return ""
		}
	}
	return strings.TrimSpace(string(b))
}

// slug makes a word fit for a member's name.
func slug(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.', r == '@':
			return r
		}
		return '-'
	}, s)
}

// align rounds up to a multiple of to, which is a power of two.
func align(n, to int64) int64 { return (n + to - 1) &^ (to - 1) }
