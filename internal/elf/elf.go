// Package elf reads the few parts of an ELF file that tell what it is, within bounds.
//
// What comes in: an io.ReaderAt and its size. What goes out: header, segments, sections by name, dynamic entries, notes (System V
// ABI, gABI 4.3 draft of 2015; ELF notes of GNU, Go and systemd's package metadata). It never reads code, symbols or relocations,
// and never more than it was asked for: the standard library's debug/elf reads every section header on opening.
package elf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// File is an ELF file whose header and program headers were read.
type File struct {
	r     io.ReaderAt
	size  int64
	wide  bool // ELFCLASS64
	order binary.ByteOrder

	Type    uint16
	Machine uint16
	Flags   uint32
	ABI     byte      // e_ident[EI_OSABI]
	Segs    []Segment // nil in relocatable files

	shoff    uint64
	shnum    int
	shstrndx int

	sections []Section
	looked   bool
	lookErr  error
}

// Segment is one program header.
type Segment struct {
	Type, Flags              uint32
	Offset, Addr, Size, Span uint64 // Size in the file, Span in memory
}

// Section is one section header with its name.
type Section struct {
	Name         string
	Type         uint32
	Flags        uint64
	Addr         uint64
	Offset, Size uint64
	Entry        uint64 // size of one entry of a table; 0 elsewhere
	Link         uint32 // of a symbol table, the index of the section with its names
}

// Object file types.
const (
	Rel  = 1
	Exec = 2
	Dyn  = 3
	Core = 4
)

// Segment types and flags that readers ask for.
const (
	Load    = 1
	Dynamic = 2
	Interp  = 3
	NoteSeg = 4

	FlagX = 1
	FlagW = 2
)

// Limits: what the largest honest files have, many times over.
const (
	maxSegments = 4096
	maxSections = 1 << 16
	maxNames    = 4 << 20 // section name table
	maxDynamic  = 1 << 14 // dynamic entries
	maxNotes    = 1 << 20 // bytes of one note segment
	maxString   = 4096
)

// Magic is how every ELF file starts.
const Magic = "\x7fELF"

// ErrNot says that a file does not start like ELF.
var ErrNot = errors.New("not an ELF file")

// Open reads the header and the program headers: in nearly all files one read of 1 KiB.
func Open(r io.ReaderAt, size int64) (*File, error) {
	head := make([]byte, min(size, 1024))
	if err := readFull(r, head, 0); err != nil {
		return nil, err
	}
	if len(head) < 52 || string(head[:4]) != Magic {
		return nil, ErrNot
	}
	f := &File{r: r, size: size, ABI: head[7]}
	switch head[5] {
	case 1:
		f.order = binary.LittleEndian
	case 2:
		f.order = binary.BigEndian
	default:
		return nil, fmt.Errorf("byte order %d at offset 5: %w", head[5], ErrNot)
	}
	switch head[4] {
	case 1:
	case 2:
		f.wide = true
	default:
		return nil, fmt.Errorf("class %d at offset 4: %w", head[4], ErrNot)
	}
	if f.wide && len(head) < 64 {
		return nil, ErrNot
	}
	return f, f.header(head)
}

// header takes the fields of the ELF header and the program headers behind it.
func (f *File) header(h []byte) error {
	o := f.order
	f.Type, f.Machine = o.Uint16(h[16:]), o.Uint16(h[18:])
	var phoff uint64
	rest := h[36:] // e_flags onwards
	if f.wide {
		phoff, f.shoff, rest = o.Uint64(h[32:]), o.Uint64(h[40:]), h[48:]
	} else {
		phoff, f.shoff = uint64(o.Uint32(h[28:])), uint64(o.Uint32(h[32:]))
	}
	f.Flags = o.Uint32(rest)
	phentsize, phnum := int(o.Uint16(rest[6:])), int(o.Uint16(rest[8:]))
	shentsize := int(o.Uint16(rest[10:]))
	f.shnum, f.shstrndx = int(o.Uint16(rest[12:])), int(o.Uint16(rest[14:]))
	if shentsize != f.sectionSize() {
		f.shoff = 0 // no section table we could read; loaders do not need one
	}
	if phnum == 0 {
		return nil
	}
	if want := f.segmentSize(); phentsize != want || phnum > maxSegments {
		return fmt.Errorf("%d program headers of %d bytes", phnum, phentsize)
	}
	b, err := f.bytes(phoff, uint64(phnum*phentsize), h)
	if err != nil {
		return fmt.Errorf("program headers: %w", err)
	}
	f.Segs = make([]Segment, phnum)
	for i := range f.Segs {
		f.Segs[i] = f.segment(b[i*phentsize:])
	}
	return nil
}

func (f *File) segmentSize() int {
	if f.wide {
		return 56
	}
	return 32
}

func (f *File) sectionSize() int {
	if f.wide {
		return 64
	}
	return 40
}

func (f *File) segment(b []byte) Segment {
	o := f.order
	if f.wide {
		return Segment{Type: o.Uint32(b), Flags: o.Uint32(b[4:]), Offset: o.Uint64(b[8:]), Addr: o.Uint64(b[16:]), Size: o.Uint64(b[32:]), Span: o.Uint64(b[40:])}
	}
	return Segment{Type: o.Uint32(b), Offset: uint64(o.Uint32(b[4:])), Addr: uint64(o.Uint32(b[8:])), Size: uint64(o.Uint32(b[16:])),
		Span: uint64(o.Uint32(b[20:])), Flags: o.Uint32(b[24:])}
}

// bytes reads a range; have are bytes of the file's start that were read already.
func (f *File) bytes(off, n uint64, have []byte) ([]byte, error) {
	if off > uint64(f.size) || n > uint64(f.size)-off {
		return nil, fmt.Errorf("%d bytes at offset %d reach behind the end (%d bytes)", n, off, f.size)
	}
	if off+n <= uint64(len(have)) {
		return have[off : off+n], nil
	}
	b := make([]byte, n)
	return b, readFull(f.r, b, int64(off))
}

// SectionsEnd returns where the section headers end in the file; 0 when there are none.
func (f *File) SectionsEnd() int64 {
	end := f.shoff + uint64(f.shnum*f.sectionSize())
	if f.shoff == 0 || end < f.shoff || end > uint64(f.size) {
		return 0
	}
	return int64(end)
}

// Wide tells whether the file is of the 64-bit class.
func (f *File) Wide() bool { return f.wide }

// Order returns the byte order.
func (f *File) Order() binary.ByteOrder { return f.order }

// Sections reads the section headers with their names, once. It returns nil when the file has none (they may be stripped).
func (f *File) Sections() ([]Section, error) {
	if !f.looked {
		f.looked = true
		f.sections, f.lookErr = f.readSections()
	}
	return f.sections, f.lookErr
}

func (f *File) readSections() ([]Section, error) {
	entry := f.sectionSize()
	if f.shoff == 0 {
		return nil, nil
	}
	num, strndx := f.shnum, f.shstrndx
	if num == 0 || strndx == 0xffff { // extended numbering: section 0 holds the real numbers
		b, err := f.bytes(f.shoff, uint64(entry), nil)
		if err != nil {
			return nil, fmt.Errorf("section headers: %w", err)
		}
		zero, link, _ := f.section(b)
		if num == 0 {
			num = int(min(zero.Size, maxSections+1))
		}
		if strndx == 0xffff {
			strndx = int(link)
		}
	}
	if num > maxSections {
		return nil, fmt.Errorf("%d section headers", num)
	}
	b, err := f.bytes(f.shoff, uint64(num*entry), nil)
	if err != nil {
		return nil, fmt.Errorf("section headers: %w", err)
	}
	secs, names := make([]Section, num), make([]uint32, num)
	for i := range secs {
		secs[i], secs[i].Link, names[i] = f.section(b[i*entry:])
	}
	if strndx >= num {
		return secs, nil
	}
	return secs, f.nameSections(secs, names, secs[strndx])
}

// section decodes one header: also its link and the offset of its name.
func (f *File) section(b []byte) (s Section, link, name uint32) {
	o := f.order
	name, s.Type = o.Uint32(b), o.Uint32(b[4:])
	if f.wide {
		s.Flags, s.Addr, s.Offset, s.Size, s.Entry = o.Uint64(b[8:]), o.Uint64(b[16:]), o.Uint64(b[24:]), o.Uint64(b[32:]), o.Uint64(b[56:])
		return s, o.Uint32(b[40:]), name
	}
	s.Flags, s.Addr, s.Offset, s.Size, s.Entry = uint64(o.Uint32(b[8:])), uint64(o.Uint32(b[12:])), uint64(o.Uint32(b[16:])), uint64(o.Uint32(b[20:])), uint64(o.Uint32(b[36:]))
	return s, o.Uint32(b[24:]), name
}

func (f *File) nameSections(secs []Section, names []uint32, table Section) error {
	if table.Size > maxNames {
		return fmt.Errorf("section names: %d bytes", table.Size)
	}
	b, err := f.bytes(table.Offset, table.Size, nil)
	if err != nil {
		return fmt.Errorf("section names: %w", err)
	}
	all := string(b)
	for i, at := range names {
		if int64(at) < int64(len(all)) {
			s := all[at:]
			if n := strings.IndexByte(s[:min(len(s), maxString)], 0); n >= 0 {
				secs[i].Name = s[:n]
			}
		}
	}
	return nil
}

// Mentions tells whether some section may have one of the names, by the table of names alone: a third of what Section costs.
// known is false when the file has no sections.
func (f *File) Mentions(names ...string) (found, known bool, err error) {
	if f.shoff == 0 || f.shnum == 0 || f.shstrndx >= f.shnum { // none, or extended numbering
		secs, err := f.Sections()
		for _, s := range secs {
			found = found || slices.Contains(names, s.Name)
		}
		return found, secs != nil, err
	}
	entry := f.sectionSize()
	b, err := f.bytes(f.shoff+uint64(f.shstrndx*entry), uint64(entry), nil)
	if err != nil {
		return false, false, fmt.Errorf("section headers: %w", err)
	}
	table, _, _ := f.section(b)
	if table.Size > maxNames {
		return false, false, fmt.Errorf("section names: %d bytes", table.Size)
	}
	if b, err = f.bytes(table.Offset, table.Size, nil); err != nil {
		return false, false, fmt.Errorf("section names: %w", err)
	}
	for _, n := range names {
		found = found || bytes.Contains(b, append([]byte(n), 0))
	}
	return found, true, nil
}

// Section finds a section by name. It is not found, without an error, when the file has none of that name.
func (f *File) Section(name string) (s Section, ok bool, err error) {
	secs, err := f.Sections()
	for _, s := range secs {
		if s.Name == name {
			return s, true, nil
		}
	}
	return Section{}, false, err
}

// Data reads a section's bytes as they stand in the file; more than limit is an error.
func (f *File) Data(s Section, limit uint64) ([]byte, error) {
	if s.Type == 8 { // SHT_NOBITS takes no room in the file
		return nil, nil
	}
	if s.Size > limit {
		return nil, fmt.Errorf("section %s: %d bytes", s.Name, s.Size)
	}
	b, err := f.bytes(s.Offset, s.Size, nil)
	if err != nil {
		return nil, fmt.Errorf("section %s: %w", s.Name, err)
	}
	return b, nil
}

// Interp returns the path of the dynamic loader, "" when the file asks for none.
func (f *File) Interp() string {
	for _, s := range f.Segs {
		if s.Type == Interp {
			return f.text(s.Offset)
		}
	}
	return ""
}

// text reads a zero-terminated string at a file offset; "" when it does not end within maxString bytes or the file.
func (f *File) text(off uint64) string {
	if off >= uint64(f.size) {
		return ""
	}
	for _, n := range []uint64{128, maxString} {
		n = min(n, uint64(f.size)-off)
		b := make([]byte, n)
		if readFull(f.r, b, int64(off)) != nil {
			return ""
		}
		if i := strings.IndexByte(string(b), 0); i >= 0 {
			return string(b[:i])
		}
	}
	return ""
}

// readFull fills b from offset at, and names the offset when it cannot.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	if n, err := r.ReadAt(b, at); n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("read %d bytes at offset %d: %w", len(b), at, err)
	}
	return nil
}
