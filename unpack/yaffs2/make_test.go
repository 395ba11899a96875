package yaffs2

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"sort"
	"testing"
)

// maker writes an image chunk by chunk, as the file system would.
type maker struct {
	layout
	extra    bool // puts what headers say into tags too, as the file system does
	sequence uint32
	image    []byte
	next     uint32
}

func newMaker(l layout) *maker {
	m := &maker{layout: l, sequence: lowSequence, next: 257}
	m.header(header{kind: kindDir, parent: rootObject, mode: 0o040755}, rootObject)
	return m
}

// write appends one chunk.
func (m *maker) write(t tag, data []byte) {
	chunk := make([]byte, m.whole())
	for i := range chunk {
		chunk[i] = 0xff
	}
	copy(chunk, data)
	spare := chunk[m.page:]
	if m.first {
		v := t.number | (t.bytes&0x3ff)<<22
		w := t.object | t.bytes>>10<<30
		if m.order == binary.BigEndian {
			v, w = t.number<<12|t.bytes&0x3ff, t.object<<14|t.bytes>>10
		}
		var b [8]byte
		m.order.PutUint32(b[:], v)
		m.order.PutUint32(b[4:], w)
		for i, at := range [8]int{0, 1, 2, 3, 6, 7, 11, 12} {
			spare[at] = b[i]
		}
	} else {
		for i, v := range [4]uint32{t.sequence, t.object, t.number, t.bytes} {
			m.order.PutUint32(spare[m.tagsAt+int64(i)*4:], v)
		}
	}
	m.image = append(m.image, chunk...)
}

func (m *maker) header(h header, id uint32) {
	b := make([]byte, headerSize)
	for i := range b {
		b[i] = 0xff
	}
	m.order.PutUint32(b, h.kind)
	m.order.PutUint32(b[4:], h.parent)
	clear(b[10:266])
	copy(b[10:], h.name)
	m.order.PutUint32(b[268:], h.mode)
	m.order.PutUint32(b[292:], uint32(h.size))
	m.order.PutUint32(b[296:], h.equal)
	if h.shadows > 0 {
		m.order.PutUint32(b[504:], h.shadows)
	}
	if h.shrinks {
		m.order.PutUint32(b[508:], 1)
	}
	t := tag{m.sequence, id, 0, 0xffff}
	if m.first {
		t.bytes = 0
	}
	if m.extra {
		t.number, t.object = extraHeader|h.parent, id|h.kind<<28
	}
	m.write(t, b)
}

// data writes the bytes of a file from a chunk on.
func (m *maker) data(id, number uint32, b []byte) {
	for ; len(b) > 0; number++ {
		n := min(len(b), int(m.page))
		m.write(tag{m.sequence, id, number, uint32(n)}, b[:n])
		b = b[n:]
	}
}

// file writes a whole file and returns its object.
func (m *maker) file(parent uint32, name string, mode uint32, b []byte) uint32 {
	id := m.next
	m.next++
	m.header(header{kind: kindFile, parent: parent, name: name, mode: 0o100000 | mode, size: int64(len(b))}, id)
	m.data(id, 1, b)
	return id
}

func (m *maker) dir(parent uint32, name string) uint32 {
	id := m.next
	m.next++
	m.header(header{kind: kindDir, parent: parent, name: name, mode: 0o040755}, id)
	return id
}

// folder writes a folder of the operating system and all below it.
func (m *maker) folder(t testing.TB, parent uint32, path string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	for _, e := range entries {
		p := filepath.Join(path, e.Name())
		switch {
		case e.IsDir():
			m.folder(t, m.dir(parent, e.Name()), p)
		case e.Type().IsRegular():
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			m.file(parent, e.Name(), uint32(info.Mode().Perm()), b)
		default:
			m.header(header{kind: kindLink, parent: parent, name: e.Name(), mode: 0o120777}, m.next)
			m.next++
		}
	}
}

// layouts are those that tests try.
var layouts = map[string]layout{
	"2048+64":      {page: 2048, spare: 64, order: binary.LittleEndian},
	"2048+64 at 2": {page: 2048, spare: 64, order: binary.LittleEndian, tagsAt: 2},
	"2048+64 big":  {page: 2048, spare: 64, order: binary.BigEndian},
	"512+16":       {page: 512, spare: 16, order: binary.LittleEndian},
	"yaffs1":       {page: 512, spare: 16, order: binary.LittleEndian, first: true},
	"yaffs1 big":   {page: 512, spare: 16, order: binary.BigEndian, first: true},
	"1024+32":      {page: 1024, spare: 32, order: binary.LittleEndian},
	"4096+128":     {page: 4096, spare: 128, order: binary.LittleEndian, tagsAt: 30},
	"4096+224":     {page: 4096, spare: 224, order: binary.LittleEndian},
	"8192+448":     {page: 8192, spare: 448, order: binary.BigEndian, tagsAt: 1},
	"16384+1280":   {page: 16384, spare: 1280, order: binary.LittleEndian},
}
