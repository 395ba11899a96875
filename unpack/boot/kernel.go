package boot

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// Linux kernels, by the boot protocols in Documentation/arch of Linux 6.8 (2024). The packed kernel inside is a member "vmlinux.raw".
var (
	// ZImage is arm's: the packed kernel is found by its compression's magic.
	ZImage = biopsy.Unpacker{
		Name:   "zimage",
		Match:  func(_ biopsy.File, head []byte) bool { return zimageSize(head) > 0 },
		Magics: []biopsy.Magic{{Bytes: []byte{0x18, 0x28, 0x6f, 0x01}, At: 0x24}},
		Extent: func(r io.ReaderAt, off, max int64) (int64, bool) {
			n := zimageSize(header(r, off, max, 0x34))
			return n, n > 0 && n <= max
		},
		Unpack: openZImage,
	}
	// BzImage is x86's, of protocol 2.8 and newer, which says where the packed kernel is.
	BzImage = biopsy.Unpacker{
		Name:   "bzimage",
		Match:  func(_ biopsy.File, head []byte) bool { _, ok := bzSetup(head); return ok },
		Magics: []biopsy.Magic{{Bytes: []byte("HdrS"), At: 0x202}},
		Extent: func(r io.ReaderAt, off, max int64) (int64, bool) {
			s, ok := bzSetup(header(r, off, max, 0x268))
			if !ok || s.size > max {
				return 0, false
			}
			return s.size + authenticode(r, off+s.size, max-s.size), true
		},
		Unpack: openBzImage,
	}
	// Zboot is a packed kernel in an EFI program, as arm64, riscv and loongarch have it.
	Zboot = biopsy.Unpacker{
		Name:   "zboot",
		Match:  func(_ biopsy.File, head []byte) bool { return isZboot(head) },
		Unpack: openZboot,
	}
	// Kernel is an unpacked kernel: arm64's and riscv's by magic, others by the name that the openers of packed ones give.
	Kernel = biopsy.Unpacker{
		Name:   "linux",
		Match:  matchKernel,
		Magics: []biopsy.Magic{{Bytes: []byte("ARMd"), At: 0x38}, {Bytes: []byte("RSC\x05"), At: 0x38}},
		Extent: imageExtent,
		Unpack: openKernel,
	}
)

// zimageSize is the word behind the magic: the end, less the start.
func zimageSize(h []byte) int64 {
	if len(h) < 0x34 || le.Uint32(h[0x24:]) != 0x016f2818 {
		return 0
	}
	start, end := int64(le.Uint32(h[0x28:])), int64(le.Uint32(h[0x2c:]))
	if n := end - start; n >= 4096 && n < 256<<20 && le.Uint32(h[0x30:]) == 0x04030201 {
		return n
	}
	return 0
}

func openZImage(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	size := min(zimageSize(header(c, 0, c.Size(), 0x34)), c.Size())
	at, f, err := findPacked(ctx, c, 0x34, size)
	if err != nil {
		return err
	}
	if f == "" {
		m.is(0, size, biopsy.BytesUnknown, "Linux zImage")
		m.lost("vmlinux.raw", 0, "Linux zImage: no packed kernel of a known compression in it", size)
		return m.end()
	}
	m.is(0, at, biopsy.BytesParsed, "Linux zImage")
	if err := m.packed("vmlinux", at, size-at, f); err != nil {
		return err
	}
	return m.end()
}

// leastKernel is what a stream must unpack to before it is taken for a kernel.
const leastKernel = 64 << 10

// findPacked looks for the first stream between off and end that unpacks to leastKernel bytes; an empty format when there is none.
func findPacked(ctx context.Context, r io.ReaderAt, off, end int64) (at int64, f codec.Format, err error) {
	var tries tries
	err = eachStream(ctx, r, off, end, func(pos int64, format codec.Format) bool {
		if len(tries.begin(format, r, pos, end-pos, leastKernel)) < leastKernel {
			return true
		}
		at, f = pos, format
		return false
	})
	return at, f, err
}

// tries bounds how many streams of a file are tried: the decoders of some formats take the memory that the header asks for.
type tries struct{ cheap, dear int }

const (
	maxCheap = 2000
	maxDear  = 20
)

// begin unpacks the first n bytes of what may be a stream; fewer when it breaks off or when enough were tried.
func (t *tries) begin(f codec.Format, r io.ReaderAt, off, max int64, n int) []byte {
	out := make([]byte, n)
	switch f {
	case codec.LZMA, codec.Gzip, codec.LZ4:
		t.cheap++
	default:
		t.dear++
	}
	if t.cheap > maxCheap || t.dear > maxDear {
		return nil
	}
	if f == codec.LZMA { // as a block of unknown size, which takes no dictionary
		src := header(r, off, max, 2*n+64)
		for i := 5; i < 13 && i < len(src); i++ {
			src[i] = 0xff
		}
		got, _ := codec.Block(f, out, src)
		return out[:got]
	}
	z, err := plain(f, r, off, max)
	if err != nil {
		return nil
	}
	defer z.Close()
	got, _ := io.ReadFull(z, out)
	return out[:got]
}

// eachStream visits what begins like a packed stream, until visit returns false.
func eachStream(ctx context.Context, r io.ReaderAt, off, end int64, visit func(int64, codec.Format) bool) error {
	const piece, margin = 256 << 10, 32
	buf := make([]byte, piece+margin)
	for at := off; at < end; at += piece {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.ReadAt(buf[:min(int64(len(buf)), end-at)], at)
		if n == 0 && err != nil && err != io.EOF {
			return fmt.Errorf("at offset %d: %w", at, err)
		}
		for i := 0; i < min(n, piece); i++ {
			if !streamStart[buf[i]] {
				continue
			}
			if f := detect(buf[i:n]); f != "" && !visit(at+int64(i), f) {
				return nil
			}
		}
	}
	return nil
}

// streamStart are the first bytes of the streams that detect knows.
var streamStart = [256]bool{0x1f: true, 0x42: true, 0xfd: true, 0x28: true, 0x02: true, 0x04: true, 0x5d: true, 0x89: true}

// detect is codec.Detect without compress, which no kernel is packed by and whose two bytes come up by chance.
func detect(b []byte) codec.Format {
	if f := codec.Detect(b); f != codec.Compress {
		return f
	}
	return ""
}

// setup is what a bzImage's header says.
type setup struct{ size, payload, length int64 }

func bzSetup(h []byte) (setup, bool) {
	if len(h) < 0x250 || string(h[0x202:0x206]) != "HdrS" || le.Uint16(h[0x1fe:]) != 0xaa55 || le.Uint16(h[0x206:]) < 0x208 {
		return setup{}, false
	}
	sectors := int64(h[0x1f1])
	if sectors == 0 {
		sectors = 4
	}
	code := (sectors + 1) * 512
	s := setup{size: code + int64(le.Uint32(h[0x1f4:]))*16, payload: code + int64(le.Uint32(h[0x248:])), length: int64(le.Uint32(h[0x24c:]))}
	return s, s.length > 0 && s.payload+s.length <= s.size
}

// authenticode is the size of the signature that UEFI Secure Boot looks at, behind a program (WIN_CERTIFICATE of UEFI 2.10, 32.2.4).
func authenticode(r io.ReaderAt, off, room int64) int64 {
	h := header(r, off, room, 8)
	if len(h) < 8 || le.Uint16(h[4:]) != 0x200 || le.Uint16(h[6:]) != 2 || int64(le.Uint32(h)) > room {
		return 0
	}
	return min(align(int64(le.Uint32(h)), 8), room)
}

func openBzImage(_ context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	s, ok := bzSetup(header(c, 0, c.Size(), 0x268))
	if !ok {
		return io.ErrUnexpectedEOF
	}
	h := header(c, s.payload, min(s.length, c.Size()-s.payload), 64)
	f := detect(h)
	m.is(0, s.payload, biopsy.BytesParsed, "Linux bzImage")
	m.is(s.size, authenticode(c, s.size, c.Size()-s.size), biopsy.BytesParsed, "signed: Authenticode")
	m.is(s.payload+s.length, s.size-s.payload-s.length, biopsy.BytesParsed, "Linux bzImage")
	if f == "" {
		m.lost("vmlinux.raw", s.payload, "Linux bzImage: its kernel is packed by a method that is not known", s.length)
		return m.end()
	}
	if err := m.packed("vmlinux", s.payload, s.length, f); err != nil {
		return err
	}
	return m.end()
}

// isZboot knows the header of drivers/firmware/efi/libstub/zboot-header.S.
func isZboot(h []byte) bool {
	return len(h) >= 64 && string(h[:2]) == "MZ" && string(h[4:8]) == "zimg"
}

func openZboot(_ context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	h := header(c, 0, c.Size(), 64)
	if !isZboot(h) {
		return io.ErrUnexpectedEOF
	}
	off, size := int64(le.Uint32(h[8:])), int64(le.Uint32(h[12:]))
	formats := map[string]codec.Format{"gzip": codec.Gzip, "lz4": codec.LZ4, "lzma": codec.LZMA, "lzo": codec.Lzop, "xzkern": codec.XZ, "zstd22": codec.Zstd, "zstd": codec.Zstd}
	m.is(0, off, biopsy.BytesParsed, "Linux EFI zboot image")
	m.is(off+size, c.Size()-off-size, biopsy.BytesParsed, "Linux EFI zboot image")
	if err := m.packed("vmlinux", off, size, formats[word(h[24:32])]); err != nil {
		return err
	}
	return m.end()
}

// imageSize is the image's size in memory as arm64 and riscv state it; 0 when it is no such image.
func imageSize(h []byte) int64 {
	if len(h) < 64 {
		return 0
	}
	magic := string(h[0x38:0x3c])
	n := le.Uint64(h[16:])
	if magic != "ARMd" && magic != "RSC\x05" || n < 4096 || n > 256<<20 || le.Uint64(h[0x28:])|le.Uint64(h[0x20:]) != 0 && magic == "ARMd" {
		return 0
	}
	return int64(n)
}

// imageExtent prefers the size of the EFI program that the image is too: the size in memory counts variables that no file holds.
func imageExtent(r io.ReaderAt, off, room int64) (int64, bool) {
	h := header(r, off, room, 4096)
	n := imageSize(h)
	if n == 0 {
		return 0, false
	}
	at := int64(le.Uint32(h[0x3c:]))
	if string(h[:2]) != "MZ" || at < 0x40 || at+24 > int64(len(h)) || string(h[at:at+4]) != "PE\x00\x00" {
		return min(n, room), true
	}
	end := int64(0)
	for s := at + 24 + int64(le.Uint16(h[at+20:])); s+40 <= int64(len(h)) && s < at+24+int64(le.Uint16(h[at+20:]))+40*int64(le.Uint16(h[at+6:])); s += 40 {
		end = max(end, int64(le.Uint32(h[s+16:]))+int64(le.Uint32(h[s+20:])))
	}
	if end == 0 || end > room {
		return min(n, room), true
	}
	return end + authenticode(r, off+end, room-end), true
}

func matchKernel(f biopsy.File, head []byte) bool {
	if imageSize(head) > 0 {
		return true
	}
	base := path.Base(f.Path)
	named := base == "vmlinux.raw" || strings.HasPrefix(base, "kernel") && strings.HasSuffix(base, ".raw")
	return named && codec.Detect(head) == "" && !bytes.HasPrefix(head, []byte("MZ"))
}

// openKernel yields the file system that may be built into a kernel (initramfs), packed or not. One without files is not worth a member.
func openKernel(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	yielded := 0
	var failed error
	err := eachArchive(ctx, c, func(at int64, f codec.Format) bool {
		if yielded == 4 {
			return false
		}
		size, files := c.Size()-at, true
		if f == "" {
			size, files = cpioLength(c, at, c.Size()-at)
		}
		if !files {
			return true
		}
		name := "initramfs"
		if yielded++; yielded > 1 {
			name = fmt.Sprintf("initramfs-%d", yielded)
		}
		failed = m.initramfs(name, at, size, f)
		return failed == nil
	})
	if err := cmp.Or(failed, err); err != nil {
		return err
	}
	m.is(0, c.Size(), biopsy.BytesParsed, "Linux kernel")
	return m.end()
}

// initramfs yields an archive; where it ends when it is packed, nobody says.
func (m *image) initramfs(name string, at, size int64, f codec.Format) error {
	if f == "" {
		return m.yield(biopsy.File{Path: name + ".cpio", Size: size, Open: stretch(m.c, at, size)})
	}
	return m.yield(biopsy.File{Path: name + ".cpio", Size: -1, Open: func() (biopsy.Content, error) {
		r, err := plain(f, m.c, at, size)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return m.Spool.Keep(codec.Bound(r, size, m.Limits), m.Limits.FileSize)
	}})
}

// eachArchive visits cpio archives, packed or not, in the order of their offsets. Both begin with a magic that cannot be missed.
func eachArchive(ctx context.Context, c biopsy.Content, visit func(int64, codec.Format) bool) error {
	const piece, margin = 256 << 10, 128
	buf := make([]byte, piece+margin)
	next := int64(0)
	var tries tries
	for at := int64(0); at < c.Size(); at += piece {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := c.ReadAt(buf[:min(int64(len(buf)), c.Size()-at)], at)
		if n == 0 && err != nil && err != io.EOF {
			return fmt.Errorf("at offset %d: %w", at, err)
		}
		for i := 0; i < min(n, piece); i++ {
			if pos := at + int64(i); pos < next || buf[i] != '0' && !streamStart[buf[i]] {
				continue
			}
			f, ok := tries.archive(c, buf[i:n], at+int64(i))
			if !ok {
				continue
			}
			if !visit(at+int64(i), f) {
				return nil
			}
			if size, _ := cpioLength(c, at+int64(i), c.Size()-at-int64(i)); f == "" {
				next = at + int64(i) + max(size, 1)
			}
		}
	}
	return nil
}

// archive tells whether b begins a cpio archive, and how it is packed.
func (t *tries) archive(c biopsy.Content, b []byte, at int64) (codec.Format, bool) {
	if isNewc(b) {
		return "", true
	}
	f := detect(b)
	return f, f != "" && isNewc(t.begin(f, c, at, c.Size()-at, newcHeader))
}

const newcHeader = 110

// isNewc wants the magic, and 13 numbers of eight hexadecimal digits.
func isNewc(b []byte) bool {
	if len(b) < newcHeader || string(b[:5]) != "07070" || b[5] != '1' && b[5] != '2' {
		return false
	}
	for _, x := range b[6:newcHeader] {
		if (x < '0' || x > '9') && (x|0x20 < 'a' || x|0x20 > 'f') {
			return false
		}
	}
	return true
}

// cpioLength follows an archive up to its trailer, and tells whether a regular file with bytes is in it.
func cpioLength(r io.ReaderAt, off, max int64) (size int64, files bool) {
	at := int64(0)
	for range 1 << 20 {
		h := header(r, off+at, max-at, newcHeader+16)
		if !isNewc(h) {
			return at, files
		}
		mode, length, name := hexWord(h[14:]), hexWord(h[54:]), hexWord(h[94:])
		files = files || mode&0o170000 == 0o100000 && length > 0
		next := align(at+newcHeader+name, 4)
		last := bytes.HasPrefix(h[newcHeader:], []byte("TRAILER!!!"))
		if next = align(next+length, 4); next > max {
			return max, files
		}
		at = next
		if last {
			return at, files
		}
	}
	return at, files
}

// hexWord reads eight digits that isNewc has seen.
func hexWord(b []byte) int64 {
	n := int64(0)
	for _, x := range b[:8] {
		d := int64(x - '0')
		if x > '9' {
			d = int64(x|0x20) - 'a' + 10
		}
		n = n<<4 | d
	}
	return n
}
