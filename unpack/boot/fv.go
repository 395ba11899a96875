package boot

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// FirmwareVolume opens volumes of UEFI firmware, and Sections what was packed inside one (UEFI Platform Initialization Specification 1.8 of
// 2023, volume 3). Programs are members "NAME.efi" or ".te", named as the firmware names them, else by their GUID.
var (
	FirmwareVolume = biopsy.Unpacker{
		Name:   "fv",
		Match:  func(_ biopsy.File, head []byte) bool { _, ok := fvHeader(head); return ok },
		Magics: []biopsy.Magic{{Bytes: []byte("_FVH"), At: 40}},
		Extent: func(r io.ReaderAt, off, max int64) (int64, bool) {
			v, ok := fvHeader(header(r, off, max, 4096))
			return v.size, ok && v.size <= max
		},
		Unpack: openVolume,
	}
	Sections = biopsy.Unpacker{
		Name:   "efisections",
		Match:  func(f biopsy.File, _ []byte) bool { return strings.HasSuffix(f.Path, ".efisections") },
		Unpack: openSections,
	}
)

// volume is where a volume's files begin and end.
type volume struct{ files, size int64 }

// fvHeader wants the header's 16-bit words to sum up to zero.
func fvHeader(h []byte) (volume, bool) {
	if len(h) < 72 || string(h[40:44]) != "_FVH" {
		return volume{}, false
	}
	size, head := le.Uint64(h[32:]), int(le.Uint16(h[48:]))
	if head < 72 || head > len(h) || head%2 != 0 || size < uint64(head) || size > 1<<31 {
		return volume{}, false
	}
	sum := uint16(0)
	for i := 0; i < head; i += 2 {
		sum += le.Uint16(h[i:])
	}
	v := volume{files: int64(head), size: int64(size)}
	if ext := int64(le.Uint16(h[52:])); ext > 0 && ext+20 <= int64(len(h)) {
		v.files = ext + int64(le.Uint32(h[ext+16:]))
	}
	return v, sum == 0 && v.files <= v.size
}

// File systems of volumes; what other volumes hold, such as variables, are no files.
var ffsKinds = map[string]bool{"8C8CE578-8A3D-4F1C-9935-896185C32DD3": true, "5473C07A-3DCB-4DCA-BD6F-1E9689E7349A": true}

const (
	fvLimit   = 100_000 // files of one volume, sections of one file
	fvDepth   = 16
	ffsLarge  = 0x01
	ffsPad    = 0xf0
	ffsHeader = 24
)

// efi is firmware that is being opened.
type efi struct {
	*image
	ctx   context.Context
	count int
	names map[string]int
}

func openVolume(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	e := &efi{image: &image{UnpackOptions: u, c: c}, ctx: ctx, names: map[string]int{}}
	v, ok := fvHeader(header(c, 0, c.Size(), 4096))
	if !ok {
		return io.ErrUnexpectedEOF
	}
	e.is(0, v.size, biopsy.BytesParsed, "UEFI firmware volume")
	if err := e.volume(0, min(v.size, c.Size()), 0); err != nil {
		return err
	}
	return e.end()
}

func openSections(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	e := &efi{image: &image{UnpackOptions: u, c: c}, ctx: ctx, names: map[string]int{}}
	e.is(0, c.Size(), biopsy.BytesParsed, "UEFI sections")
	if err := e.sections("", 0, c.Size(), 0); err != nil {
		return err
	}
	return e.end()
}

// volume goes through the files of a volume at off.
func (e *efi) volume(off, room int64, depth int) error {
	h := header(e.c, off, room, 4096)
	v, ok := fvHeader(h)
	if !ok || v.size > room || depth > fvDepth {
		e.lost("", off, "UEFI firmware volume is damaged", room)
		return nil
	}
	if !ffsKinds[guid(h[16:])] {
		return nil
	}
	for at := align(v.files, 8); at+ffsHeader <= v.size; {
		if e.count++; e.count > fvLimit {
			return fmt.Errorf("more than %d files and sections", fvLimit)
		}
		if err := e.ctx.Err(); err != nil {
			return err
		}
		h := header(e.c, off+at, v.size-at, 32)
		if len(h) < ffsHeader || blank(h[:ffsHeader]) {
			return nil
		}
		head, size := int64(ffsHeader), size24(h[20:])
		if h[19]&ffsLarge != 0 && len(h) >= 32 {
			head, size = 32, int64(min(le.Uint64(h[24:]), 1<<40))
		}
		if size < head || size > v.size-at {
			e.lost("", off+at, "UEFI file lies outside of its volume", v.size-at)
			return nil
		}
		if err := e.file(h, off+at+head, size-head, depth); err != nil {
			return err
		}
		at = align(at+size, 8)
	}
	return nil
}

// file opens the sections of one file of a volume.
func (e *efi) file(h []byte, off, size int64, depth int) error {
	switch kind := h[18]; {
	case kind == ffsPad:
		return nil
	case kind == 1: // raw, without sections
		return e.member(guid(h), ".raw", off, size)
	case kind < 0x10 || kind == 0xff:
		return e.sections(guid(h), off, size, depth+1)
	}
	return nil
}

// sections goes through sections one behind the other; name is that of their file.
func (e *efi) sections(name string, off, size int64, depth int) error {
	if depth > fvDepth {
		e.lost(name, off, fmt.Sprintf("more than %d sections inside each other", fvDepth), size)
		return nil
	}
	name = e.called(name, off, size)
	for at := int64(0); at+4 <= size; {
		if e.count++; e.count > fvLimit {
			return fmt.Errorf("more than %d files and sections", fvLimit)
		}
		h := header(e.c, off+at, size-at, 8)
		head, n := int64(4), size24(h)
		if n == 0xffffff && len(h) == 8 {
			head, n = 8, int64(le.Uint32(h[4:]))
		}
		if n < head || n > size-at {
			if !blank(h) {
				e.lost(name, off+at, "UEFI section lies outside of its file", size-at)
			}
			return nil
		}
		if err := e.section(name, h[3], off+at+head, n-head, head, depth); err != nil {
			return err
		}
		at = align(at+n, 4)
	}
	return nil
}

// called finds the name that a file's user interface section (0x15) gives it.
func (e *efi) called(name string, off, size int64) string {
	for at, i := int64(0), 0; at+4 <= size && i < 64; i++ {
		h := header(e.c, off+at, size-at, 4)
		if len(h) < 4 {
			break
		}
		n := size24(h)
		if n < 4 || n > size-at {
			break
		}
		if h[3] == 0x15 {
			if s := utf16Text(header(e.c, off+at+4, n-4, 256)); s != "" {
				return slug(s)
			}
		}
		at = align(at+n, 4)
	}
	return name
}

// Section types.
const (
	secCompressed = 0x01
	secGUID       = 0x02
	secPE         = 0x10
	secTE         = 0x12
	secVolume     = 0x17
	secFreeform   = 0x18
	secRaw        = 0x19
)

func (e *efi) section(name string, kind byte, off, size, head int64, depth int) error {
	switch kind {
	case secPE:
		return e.member(name, ".efi", off, size)
	case secTE:
		return e.member(name, ".te", off, size)
	case secRaw:
		if v, ok := fvHeader(header(e.c, off, size, 4096)); ok && v.size <= size {
			return e.volume(off, size, depth+1)
		}
		return e.member(name, ".raw", off, size)
	case secFreeform:
		return e.member(name, ".raw", off+16, size-16)
	case secVolume:
		return e.volume(off, size, depth+1)
	case secCompressed:
		h := header(e.c, off, size, 5)
		if len(h) == 5 && h[4] == 0 {
			return e.sections(name, off+5, size-5, depth+1)
		}
		if len(h) == 5 && h[4] == 1 {
			return e.tiano(name, off+5, size-5, codec.EFI, codec.Tiano)
		}
		e.lost(name, off, "UEFI section packed by a method that is not known", size)
	case secGUID:
		return e.guided(name, off, size, head, depth)
	}
	return nil
}

// What a section is packed by.
const (
	lzmaSection  = "EE4E5898-3914-4259-9D6E-DC7BD79403CF"
	tianoSection = "A31280AD-481E-41B6-95E8-127F4C984779"
)

// guided opens a section whose GUID says how it was packed.
func (e *efi) guided(name string, off, size, head int64, depth int) error {
	h := header(e.c, off, size, 20)
	if len(h) < 20 {
		return nil
	}
	start := int64(le.Uint16(h[16:])) - head // counts from the section's own header
	if start < 20 || start > size {
		e.lost(name, off, "UEFI section is damaged", size)
		return nil
	}
	switch g := guid(h); {
	case g == lzmaSection:
		return e.packedSections(name, off+start, size-start)
	case g == tianoSection:
		return e.tiano(name, off+start, size-start, codec.Tiano)
	case le.Uint16(h[18:])&1 == 0: // can be read without its tool: a check sum or a signature stands before it
		return e.sections(name, off+start, size-start, depth+1)
	default:
		e.lost(name, off, "UEFI section packed by a method that is not known: "+g, size)
	}
	return nil
}

// packedMember is what unpacks to sections.
func (e *efi) packedMember(name string, open func() (biopsy.Content, error)) error {
	if name == "" {
		name = "packed"
	}
	return e.yield(biopsy.File{Path: e.unique(name, ".efisections"), Size: -1, Open: open})
}

// maxTiano bounds what a section unpacks to in memory. Chips of firmware hold some tens of megabytes.
const maxTiano = 128 << 20

// tiano opens what is packed by one of two variants that no header tells apart: the first that unpacks to sections is right.
func (e *efi) tiano(name string, at, n int64, variants ...codec.Format) error {
	return e.packedMember(name, func() (biopsy.Content, error) {
		h := header(e.c, at, n, 8)
		if len(h) < 8 || int64(le.Uint32(h)) > n-8 {
			return nil, io.ErrUnexpectedEOF
		}
		plain := int64(le.Uint32(h[4:]))
		const most = 4096 // bytes that a byte can stand for: a match is 256, and two codes may take a bit
		if plain > maxTiano || plain > n*most {
			return nil, fmt.Errorf("says that %d bytes unpack to %d", n, plain)
		}
		src, dst := header(e.c, at, n, int(n)), make([]byte, plain)
		var err error
		for _, f := range variants {
			var k int
			if k, err = codec.Block(f, dst, src); err == nil && likeSections(dst[:k]) {
				return e.Spool.Keep(bytes.NewReader(dst[:k]), e.Limits.FileSize)
			}
			err = cmp.Or(err, errNoSections)
		}
		return nil, err
	})
}

var errNoSections = errors.New("does not unpack to sections")

// likeSections tells whether bytes begin with the header of a section.
func likeSections(b []byte) bool {
	if len(b) < 4 {
		return len(b) == 0
	}
	n := size24(b)
	return (n >= 4 && n <= int64(len(b)) || n == 0xffffff) && (b[3] >= 1 && b[3] <= 3 || b[3] >= 0x10 && b[3] <= 0x1c)
}

func (e *efi) packedSections(name string, at, n int64) error {
	return e.packedMember(name, func() (biopsy.Content, error) {
		r, err := plain(codec.LZMA, e.c, at, n)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return e.Spool.Keep(codec.Bound(r, n, e.Limits), e.Limits.FileSize)
	})
}

func (e *efi) member(name, ending string, off, size int64) error {
	if size <= 0 {
		return nil
	}
	if name == "" {
		name = "section"
	}
	return e.yield(biopsy.File{Path: e.unique(name, ending), Size: size, Open: stretch(e.c, off, size)})
}

// unique numbers members of one name.
func (e *efi) unique(name, ending string) string {
	e.names[name+ending]++
	if n := e.names[name+ending]; n > 1 {
		return fmt.Sprintf("%s-%d%s", name, n, ending)
	}
	return name + ending
}

// guid writes 16 bytes as people do.
func guid(b []byte) string {
	return fmt.Sprintf("%08X-%04X-%04X-%04X-%012X", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
}

func size24(b []byte) int64 {
	if len(b) < 3 {
		return 0
	}
	return int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16
}

func blank(b []byte) bool {
	for _, x := range b {
		if x != 0xff && x != 0 {
			return false
		}
	}
	return true
}

func utf16Text(b []byte) string {
	var u []uint16
	for i := 0; i+2 <= len(b); i += 2 {
		c := le.Uint16(b[i:])
		if c == 0 {
			break
		}
		u = append(u, c)
	}
	return string(utf16.Decode(u))
}
