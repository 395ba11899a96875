// Package elftest makes small ELF files for tests.
//
// What comes in: what the file should say. What goes out: its bytes, valid to the loader's eye but without code. It is never
// linked into the program.
package elftest

import (
	"bytes"
	"encoding/binary"

	"github.com/biopsy-sca/biopsy/internal/elf"
)

// Image is what a file should say. The zero value is a 32-bit big-endian file of no type.
type Image struct {
	Wide, Little  bool
	Type, Machine uint16
	Interp        string   // "" leaves the segment out
	Soname        string   // "" leaves it out; without it and Needed and PIE there is no dynamic segment
	Needed        []string // in their order
	PIE           bool
	Notes         []elf.Note
	Data          []byte    // a writable segment; nil leaves it out
	Defines, Uses []string  // dynamic symbols; with none of both there is no table of them
	Sections      []Section // further ones
	Bare          bool      // no section headers at all
}

// Section is one further section.
type Section struct {
	Name string
	Type uint32
	Data []byte
}

type builder struct {
	Image
	o    binary.ByteOrder
	body bytes.Buffer // behind headers
	base int          // file offset of body; also its address
	segs []elf.Segment
	secs []elf.Section
}

// Bytes lays the file out: header, program headers, contents, section headers.
func (m Image) Bytes() []byte {
	b := &builder{Image: m, o: binary.BigEndian}
	if m.Little {
		b.o = binary.LittleEndian
	}
	phnum := 1 // the load segment
	for _, has := range []bool{m.Interp != "", m.dynamic(), len(m.Notes) > 0, m.Data != nil} {
		if has {
			phnum++
		}
	}
	ehsize, phsize, shsize := 52, 32, 40
	if m.Wide {
		ehsize, phsize, shsize = 64, 56, 64
	}
	b.base = ehsize + phnum*phsize
	b.contents()
	b.secs = append([]elf.Section{{}}, b.secs...)
	names := b.names()
	total := uint64(b.base + b.body.Len())
	b.segs = append([]elf.Segment{{Type: elf.Load, Size: total, Span: total}}, b.segs...)

	var out bytes.Buffer
	class, data := byte(1), byte(2)
	if m.Wide {
		class = 2
	}
	if m.Little {
		data = 1
	}
	out.Write([]byte{0x7f, 'E', 'L', 'F', class, data, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	b.put(&out, m.Type, m.Machine, uint32(1))
	shoff, shnum, shstr := total, len(b.secs), len(b.secs)-1
	if m.Bare {
		shoff, shnum, shstr = 0, 0, 0
	}
	b.word(&out, 0, uint64(ehsize), shoff)
	b.put(&out, uint32(0), uint16(ehsize), uint16(phsize), uint16(phnum), uint16(shsize), uint16(shnum), uint16(shstr))
	for _, s := range b.segs {
		b.segment(&out, s)
	}
	out.Write(b.body.Bytes())
	if !m.Bare {
		for i, s := range b.secs {
			b.section(&out, s, names[i])
		}
	}
	return out.Bytes()
}

func (m Image) dynamic() bool { return m.Soname != "" || len(m.Needed) > 0 || m.PIE }

// contents writes what segments and sections point to.
func (b *builder) contents() {
	if b.Interp != "" {
		b.add(elf.Interp, ".interp", 1, append([]byte(b.Interp), 0))
	}
	if b.dynamic() {
		b.dynamics()
	}
	if len(b.Notes) > 0 {
		var n bytes.Buffer
		for _, note := range b.Notes {
			b.put(&n, uint32(len(note.Owner)+1), uint32(len(note.Desc)), note.Type)
			n.WriteString(note.Owner + "\x00")
			pad(&n)
			n.Write(note.Desc)
			pad(&n)
		}
		b.add(elf.NoteSeg, ".note", 7, n.Bytes())
	}
	if b.Data != nil {
		b.add(elf.Load, ".data", 1, b.Data)
		b.segs[len(b.segs)-1].Flags = elf.FlagW
		b.secs[len(b.secs)-1].Flags = 3 // SHF_WRITE, SHF_ALLOC
	}
	if len(b.Defines)+len(b.Uses) > 0 {
		b.symbols()
	}
	for _, s := range b.Sections {
		b.add(0, s.Name, s.Type, s.Data)
	}
}

func (b *builder) dynamics() {
	strs := []byte{0}
	str := func(s string) uint64 {
		at := len(strs)
		strs = append(append(strs, s...), 0)
		return uint64(at)
	}
	var d bytes.Buffer
	for _, n := range b.Needed {
		b.word(&d, 1, str(n))
	}
	if b.Soname != "" {
		b.word(&d, 14, str(b.Soname))
	}
	if b.PIE {
		b.word(&d, 0x6ffffffb, 0x08000000)
	}
	at := b.add(0, ".dynstr", 3, strs)
	b.word(&d, 5, at)
	b.word(&d, 0, 0)
	b.add(elf.Dynamic, ".dynamic", 6, d.Bytes())
}

// symbols writes the dynamic symbols: global functions, of section 1 where they are defined.
func (b *builder) symbols() {
	names := []byte{0}
	var table bytes.Buffer
	entry := func(name uint32, info byte, section uint16) {
		if b.Wide {
			b.put(&table, name, info, byte(0), section, uint64(0), uint64(0))
		} else {
			b.put(&table, name, uint32(0), uint32(0), info, byte(0), section)
		}
	}
	entry(0, 0, 0)
	for i, n := range append(append([]string{}, b.Defines...), b.Uses...) {
		section := uint16(0)
		if i < len(b.Defines) {
			section = 1
		}
		entry(uint32(len(names)), 1<<4|2, section) // STB_GLOBAL, STT_FUNC
		names = append(append(names, n...), 0)
	}
	b.add(0, ".dynstr", 3, names)
	link := uint32(len(b.secs)) // sections are numbered from 1
	b.add(0, ".dynsym", 11, table.Bytes())
	b.secs[len(b.secs)-1].Link = link
}

// add appends contents with a section and, where a type is given, a segment, and returns their offset, which is their address.
func (b *builder) add(segment uint32, name string, kind uint32, data []byte) uint64 {
	for (b.base+b.body.Len())%8 != 0 {
		b.body.WriteByte(0)
	}
	at := uint64(b.base + b.body.Len())
	b.body.Write(data)
	if segment != 0 {
		b.segs = append(b.segs, elf.Segment{Type: segment, Offset: at, Addr: at, Size: uint64(len(data)), Span: uint64(len(data))})
	}
	b.secs = append(b.secs, elf.Section{Name: name, Type: kind, Addr: at, Offset: at, Size: uint64(len(data))})
	return at
}

// names adds the section of names and returns where each name stands in it.
func (b *builder) names() []uint32 {
	all := []byte{0}
	at := make([]uint32, len(b.secs), len(b.secs)+1)
	for i, s := range b.secs {
		if s.Name != "" {
			at[i] = uint32(len(all))
			all = append(append(all, s.Name...), 0)
		}
	}
	at = append(at, uint32(len(all)))
	b.add(0, ".shstrtab", 3, append(append(all, ".shstrtab"...), 0))
	return at
}

func (b *builder) segment(out *bytes.Buffer, s elf.Segment) {
	if b.Wide {
		b.put(out, s.Type, s.Flags, s.Offset, s.Addr, s.Addr, s.Size, s.Span, uint64(8))
		return
	}
	b.put(out, s.Type, uint32(s.Offset), uint32(s.Addr), uint32(s.Addr), uint32(s.Size), uint32(s.Span), s.Flags, uint32(4))
}

func (b *builder) section(out *bytes.Buffer, s elf.Section, name uint32) {
	b.put(out, name, s.Type)
	b.word(out, s.Flags, s.Addr, s.Offset, s.Size)
	b.put(out, s.Link, uint32(0))
	b.word(out, 1, 0)
}

// word writes numbers as wide as the class.
func (b *builder) word(out *bytes.Buffer, vs ...uint64) {
	for _, v := range vs {
		if b.Wide {
			b.put(out, v)
		} else {
			b.put(out, uint32(v))
		}
	}
}

func (b *builder) put(out *bytes.Buffer, vs ...any) {
	for _, v := range vs {
		if err := binary.Write(out, b.o, v); err != nil {
			panic(err) // a bytes.Buffer takes everything, and every v has a fixed size
		}
	}
}

func pad(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}
