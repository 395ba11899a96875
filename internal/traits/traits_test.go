package traits

import (
	"archive/zip"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/elf/elftest"
)

// library is a small library that defines, uses, says and needs.
func library(wide, little bool) elftest.Image {
	return elftest.Image{Wide: wide, Little: little, Type: elf.Dyn, Soname: "libpump.so.2", Needed: []string{"libmotor.so.1"},
		Data:    []byte("the pump ran dry\x00\x01short\x00pump library 2.4.1\x002.4.1\x00abcdef\x00"),
		Defines: []string{"pump_start", "pump_stop"}, Uses: []string{"motor_turn"}}
}

func texts(f *File, b []byte) []string {
	var out []string
	for _, t := range f.Traits {
		if t.Kind == Text || t.Kind == Define {
			out = append(out, string(t.Kind)+" "+string(b[t.Offset:t.Offset+int64(t.Size)]))
		}
	}
	slices.Sort(out)
	return out
}

func TestLibrary(t *testing.T) {
	want := []string{"e pump_start", "e pump_stop", "s abcdef", "s pump library 2.4.1", "s the pump ran dry"}
	for _, c := range []struct{ wide, little bool }{{true, true}, {true, false}, {false, true}, {false, false}} {
		b := library(c.wide, c.little).Bytes()
		f, err := Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatalf("wide %v, little %v: %v", c.wide, c.little, err)
		}
		if got := texts(f, b); !slices.Equal(got, want) {
			t.Errorf("wide %v, little %v: got %q, want %q", c.wide, c.little, got, want)
		}
		if f.Soname != "libpump.so.2" || !f.Library || f.Static || !slices.Equal(f.Needed, []string{"libmotor.so.1"}) {
			t.Errorf("got soname %q, library %v, static %v, needed %q", f.Soname, f.Library, f.Static, f.Needed)
		}
		if !has(f, Of(Soname, "libpump.so.2")) || has(f, Of(Define, "motor_turn")) || has(f, Of(Text, "motor_turn")) {
			t.Error("the library's own name must be a trait, and what it uses must not")
		}
	}
}

func has(f *File, hash uint64) bool {
	return slices.ContainsFunc(f.Traits, func(t Trait) bool { return t.Hash == hash })
}

func TestVersionsAreKeptWithTheirText(t *testing.T) {
	b := library(true, true).Bytes()
	f, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range f.Versioned {
		got = append(got, v.Text)
	}
	if want := []string{"pump library 2.4.1", "2.4.1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMessagesAreToldFromLists(t *testing.T) {
	f, err := Read(strings.NewReader("the pump ran dry\x00cap_net_admin\x00,8$4'6-9 a b\x00"), 44)
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range f.Traits {
		if want := tr.Hash == Of(Text, "the pump ran dry"); tr.Kind == Text && tr.Said != want {
			t.Errorf("text at %d: said %v, want %v", tr.Offset, tr.Said, want)
		}
	}
}

// TestChunks puts a text across the border of two reads.
func TestChunks(t *testing.T) {
	b := append(bytes.Repeat([]byte{0}, chunk-5), "the pump ran dry\x00"...)
	f, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Traits) != 1 || f.Traits[0].Hash != Of(Text, "the pump ran dry") || f.Traits[0].Offset != chunk-5 {
		t.Errorf("got %+v", f.Traits)
	}
}

func TestTablesAreFoundAnywhere(t *testing.T) {
	table := make([]byte, 1024)
	x := uint32(1)
	for i := range table {
		x = x*1664525 + 1013904223
		table[i] = byte(x >> 24)
	}
	hashes := func(shift int) []uint64 {
		b := append(make([]byte, shift), table...)
		f, err := Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		var out []uint64
		for _, tr := range f.Traits {
			if tr.Kind == Table {
				out = append(out, tr.Hash)
			}
		}
		return out
	}
	a, b := hashes(0), hashes(4096+4)
	lost := slices.DeleteFunc(slices.Clone(a), func(h uint64) bool { return slices.Contains(b, h) })
	if len(a) < 5 || len(lost) > 0 || len(b) > len(a)+8 { // some windows begin in front of the table
		t.Errorf("%d windows at the start, %d elsewhere, %d lost; want the same, and several", len(a), len(b), len(lost))
	}
}

func TestArchive(t *testing.T) {
	object := library(true, true)
	object.Type = elf.Rel
	member := object.Bytes()
	var b bytes.Buffer
	b.WriteString(arMagic)
	for _, m := range [][]byte{[]byte("not an object"), member} {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", "pump.o/", 0, 0, 0, 0o644, len(m))
		b.Write(m)
		if len(m)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	f, err := Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(f, b.Bytes()); !slices.Contains(got, "s the pump ran dry") || !slices.Contains(got, "e pump_stop") || !f.Library || f.Soname != "" {
		t.Errorf("got %q, library %v, soname %q", got, f.Library, f.Soname)
	}
}

func TestLyingHeaders(t *testing.T) {
	b := library(true, true).Bytes()
	for at := 16; at < 64; at++ {
		broken := slices.Clone(b)
		broken[at] = 0xff
		f, err := Read(bytes.NewReader(broken), int64(len(broken)))
		if f == nil || len(f.Traits) > len(b) {
			t.Errorf("byte %d: got %v, %v", at, f, err)
		}
	}
}

func TestJar(t *testing.T) {
	jar := func(method uint16, files ...string) *Jar {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, f := range files {
			m, err := w.CreateHeader(&zip.FileHeader{Name: f, Method: method})
			if err != nil {
				t.Fatal(err)
			}
			m.Write([]byte("class of " + f[strings.LastIndexByte(f, '/')+1:]))
		}
		w.Close()
		j, err := ReadJar(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	a := jar(zip.Deflate, "p/A.class", "p/B.class", "META-INF/MANIFEST.MF")
	b := jar(zip.Store, "META-INF/MANIFEST.MF", "p/B.class", "p/A.class")
	moved := jar(zip.Store, "shaded/p/A.class", "shaded/p/B.class")
	if a.Sum != b.Sum || a.Sum == moved.Sum {
		t.Errorf("sums %x, %x and %x: want the same for the same members, another for others", a.Sum, b.Sum, moved.Sum)
	}
	if len(a.Classes) != 2 || !slices.Equal(a.Classes, moved.Classes) {
		t.Errorf("classes %v and %v: want the same two", a.Classes, moved.Classes)
	}
}

func TestLiterals(t *testing.T) {
	src := `
/* "not this one" */ // "nor this"
static const char *m = "the pump " /* of */
	"ran dry\n" "at \x41\102" ;
char c = '"'; f("a\"quoted\" word", L"wide text");
#define TEXT "first \
second"
;"unterminated here
`
	want := []string{"the pump ran dry\nat AB", `a"quoted" word`, "wide text", "first second", "unterminated here"}
	if got := Literals([]byte(src)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(library(true, true).Bytes())
	f.Add(library(false, false).Bytes())
	bare := library(true, true)
	bare.Bare = true
	f.Add(bare.Bytes())
	f.Add([]byte(arMagic + strings.Repeat(" ", 48) + "10        `\n0123456789"))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Read(bytes.NewReader(b), int64(len(b)))
		if file == nil && err == nil {
			t.Fatal("neither traits nor an error")
		}
		if file == nil {
			return
		}
		if len(file.Traits) > 4*len(b)+16 {
			t.Fatalf("%d traits of %d bytes", len(file.Traits), len(b))
		}
		for _, tr := range file.Traits {
			if tr.Offset < 0 || tr.Offset+int64(tr.Size) > int64(len(b)) && tr.Kind != Soname && tr.Kind != Define {
				t.Fatalf("trait %+v of %d bytes", tr, len(b))
			}
		}
		Literals(b)
		ReadJar(bytes.NewReader(b), int64(len(b)))
	})
}

func BenchmarkRead(b *testing.B) {
	var data bytes.Buffer
	for i := 0; data.Len() < 8<<20; i++ {
		fmt.Fprintf(&data, "message number %d of the pump\x00\x01\x02\x03\x00\x00", i)
		data.Write(make([]byte, 64))
	}
	m := library(true, true)
	m.Data = data.Bytes()
	file := m.Bytes()
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(bytes.NewReader(file), int64(len(file))); err != nil {
			b.Fatal(err)
		}
	}
}
