// Package petest makes small PE files for tests.
//
// What comes in: what the file should say. What goes out: its bytes: headers, a version resource, .NET metadata, further
// sections, and no code. It is never linked into the program.
package petest

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// Image is what a file should say.
type Image struct {
	Machine, Flags, DLLFlags uint16
	Wide                     bool        // PE32+
	Versions                 [][2]string // strings of the version resource; nil leaves the resource out
	Assembly                 *Assembly   // nil leaves the metadata out
	Sections                 []Section   // further ones
}

// Assembly is a .NET assembly's name, four version numbers, culture and references.
type Assembly struct {
	Name    string
	Version [4]uint16
	Culture string
	Refs    []Assembly
}

// Section is one further section.
type Section struct {
	Name string
	Data []byte
}

var le = binary.LittleEndian

const step = 0x10000 // distance of sections in memory

// Bytes lays the file out: DOS header, PE headers, section headers, sections.
func (m Image) Bytes() []byte {
	secs := append([]Section{{Name: ".text", Data: []byte{0xc3}}}, m.Sections...)
	optional, dirs := 96, make([]uint32, 32)
	if m.Wide {
		optional = 112
	}
	next := func() uint32 { return uint32(len(secs)+1) * step }
	if m.Versions != nil {
		dirs[2*2], dirs[2*2+1] = next(), 1
		secs = append(secs, Section{".rsrc", resources(m.Versions, next())})
	}
	if m.Assembly != nil {
		dirs[2*14], dirs[2*14+1] = next(), 72
		secs = append(secs, Section{".cli", cli(*m.Assembly, next())})
	}
	var b bytes.Buffer
	dos := make([]byte, 64)
	copy(dos, "MZ")
	le.PutUint32(dos[60:], 64)
	b.Write(dos)
	b.WriteString("PE\x00\x00")
	put(&b, m.Machine, uint16(len(secs)), uint32(0), uint32(0), uint32(0), uint16(optional+128), m.Flags)
	opt := make([]byte, optional)
	le.PutUint16(opt, 0x10b)
	if m.Wide {
		le.PutUint16(opt, 0x20b)
	}
	le.PutUint16(opt[70:], m.DLLFlags)
	b.Write(opt)
	put(&b, dirs)
	at := b.Len() + 40*len(secs)
	for i, s := range secs {
		name := make([]byte, 8)
		copy(name, s.Name)
		b.Write(name)
		put(&b, uint32(len(s.Data)), uint32(i+1)*step, uint32(len(s.Data)), uint32(at), make([]byte, 16))
		at += len(s.Data)
	}
	for _, s := range secs {
		b.Write(s.Data)
	}
	return b.Bytes()
}

// resources is a tree of one version resource: type 16, name 1, language 0x409.
func resources(words [][2]string, addr uint32) []byte {
	var b bytes.Buffer
	for i, id := range []uint32{16, 1, 0x409} {
		next := uint32(24*(i+1)) | 0x80000000
		if i == 2 {
			next = 72
		}
		put(&b, make([]byte, 12), uint16(0), uint16(1), id, next)
	}
	data := versions(words)
	put(&b, addr+88, uint32(len(data)), uint32(0), uint32(0))
	b.Write(data)
	return b.Bytes()
}

func versions(words [][2]string) []byte {
	var table []byte
	for _, w := range words {
		table = append(aligned(table), block(w[0], 1, utf16le(w[1]), nil)...)
	}
	return block("VS_VERSION_INFO", 0, make([]byte, 52), block("StringFileInfo", 1, nil, block("040904b0", 1, nil, table)))
}

// block is one block of a version resource. Values of text are counted in characters.
func block(key string, kind uint16, value, children []byte) []byte {
	b := append(make([]byte, 6), utf16le(key)...)
	b = append(aligned(b), value...)
	if len(children) > 0 {
		b = append(aligned(b), children...)
	}
	n := len(value)
	if kind == 1 {
		n /= 2
	}
	le.PutUint16(b, uint16(len(b)))
	le.PutUint16(b[2:], uint16(n))
	le.PutUint16(b[4:], kind)
	return b
}

func aligned(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func utf16le(s string) []byte {
	var b []byte
	for _, u := range append(utf16.Encode([]rune(s)), 0) {
		b = le.AppendUint16(b, u)
	}
	return b
}

// cli is a CLI header and metadata with the tables Module, Assembly and AssemblyRef.
func cli(a Assembly, addr uint32) []byte {
	names := []byte{0}
	name := func(s string) uint16 {
		if s == "" {
			return 0
		}
		at := len(names)
		names = append(append(names, s...), 0)
		return uint16(at)
	}
	var t bytes.Buffer
	valid := uint64(1<<0 | 1<<0x20)
	if len(a.Refs) > 0 {
		valid |= 1 << 0x23
	}
	put(&t, uint32(0), []byte{2, 0, 0, 1}, valid, uint64(0), uint32(1), uint32(1))
	if len(a.Refs) > 0 {
		put(&t, uint32(len(a.Refs)))
	}
	put(&t, uint16(0), name(a.Name+".dll"), [3]uint16{})
	put(&t, uint32(0x8004), a.Version, uint32(0), uint16(0), name(a.Name), name(a.Culture))
	for _, r := range a.Refs {
		put(&t, r.Version, uint32(0), uint16(0), name(r.Name), name(r.Culture), uint16(0))
	}
	tables, heap := aligned(t.Bytes()), aligned(names)
	var m bytes.Buffer
	m.WriteString("BSJB")
	put(&m, uint16(1), uint16(1), uint32(0), uint32(12), []byte("v4.0.30319\x00\x00"), uint16(0), uint16(2))
	first := uint32(m.Len() + 12 + 20)
	put(&m, first, uint32(len(tables)), []byte("#~\x00\x00"), first+uint32(len(tables)), uint32(len(heap)), []byte("#Strings\x00\x00\x00\x00"))
	m.Write(tables)
	m.Write(heap)
	var b bytes.Buffer
	put(&b, uint32(72), uint32(0x50002), addr+72, uint32(m.Len()), make([]byte, 56))
	b.Write(m.Bytes())
	return b.Bytes()
}

func put(b *bytes.Buffer, vs ...any) {
	for _, v := range vs {
		if err := binary.Write(b, le, v); err != nil {
			panic(err) // a bytes.Buffer takes everything, and every v has a fixed size
		}
	}
}
