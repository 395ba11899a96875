package elf_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/elf/elftest"
)

var library = elftest.Image{Type: elf.Dyn, Machine: 40, Soname: "libpump.so.2", Needed: []string{"libc.so.6", "libz.so.1"},
	Notes:    []elf.Note{{Owner: "GNU", Type: elf.GNUBuildID, Desc: []byte{1, 2, 3, 4, 5}}, {Owner: "FDO", Type: elf.FDOPackage, Desc: []byte("{}")}},
	Sections: []elftest.Section{{Name: ".symtab", Type: 2}, {Name: ".data", Type: 1, Data: []byte("hello")}}}

// describe says all that the package tells of a file.
func describe(b []byte) (string, error) {
	f, err := elf.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	d, dynErr := f.Dynamic()
	fmt.Fprintf(&out, "type=%d arch=%s wide=%v interp=%s soname=%s needed=%v pie=%v", f.Type, f.Arch(), f.Wide(), f.Interp(), d.Soname, d.Needed, d.PIE)
	noteErr := f.Notes(func(n elf.Note) bool { fmt.Fprintf(&out, " note=%s/%x/%x", n.Owner, n.Type, n.Desc); return true })
	secs, secErr := f.Sections()
	for _, s := range secs {
		if s.Name != "" {
			out.WriteString(" " + s.Name)
		}
	}
	s, ok, _ := f.Section(".data")
	var dataErr error
	if ok {
		var data []byte
		data, dataErr = f.Data(s, 100)
		fmt.Fprintf(&out, " data=%q", data)
	}
	return out.String(), errors.Join(dynErr, noteErr, secErr, dataErr)
}

func TestDescribe(t *testing.T) {
	const rest = " interp= soname=libpump.so.2 needed=[libc.so.6 libz.so.1] pie=false note=GNU/3/0102030405 note=FDO/cafe1a7e/7b7d"
	const names = " .dynstr .dynamic .note .symtab .data .shstrtab data=\"hello\""
	wide, little, bare := library, library, library
	wide.Wide, wide.Machine = true, 21
	little.Little, little.Machine = true, 8
	bare.Bare = true
	cases := []struct {
		name  string
		image elftest.Image
		want  string
	}{
		{"32 bits, big-endian", library, "type=3 arch=arm wide=false" + rest + names},
		{"64 bits, big-endian", wide, "type=3 arch=ppc64 wide=true" + rest + names},
		{"32 bits, little-endian", little, "type=3 arch=mipsel wide=false" + rest + names},
		{"no sections", bare, "type=3 arch=arm wide=false" + rest},
		{"program", elftest.Image{Wide: true, Little: true, Type: elf.Dyn, Machine: 62, Interp: "/lib64/ld.so", PIE: true},
			"type=3 arch=amd64 wide=true interp=/lib64/ld.so soname= needed=[] pie=true .interp .dynstr .dynamic .shstrtab"},
	}
	for _, c := range cases {
		got, err := describe(c.image.Bytes())
		if err != nil || got != c.want {
			t.Errorf("%s: got %s, %v\nwant %s", c.name, got, err, c.want)
		}
	}
}

// TestLies: numbers that reach behind the end are errors and cost no memory.
func TestLies(t *testing.T) {
	wide := library
	wide.Wide, wide.Little = true, true
	good := wide.Bytes()
	cases := []struct {
		name   string
		change func(b []byte)
		want   string
	}{
		{"program headers far away", func(b []byte) { b[32+6] = 0x7f }, "reach behind the end"},
		{"too many program headers", func(b []byte) { b[56], b[57] = 0xff, 0xff }, "program headers"},
		{"section headers far away", func(b []byte) { b[40+6] = 0x7f }, "section headers"},
		{"wrong byte order", func(b []byte) { b[5] = 7 }, "not an ELF file"},
		{"note segment too long", func(b []byte) { b[64+56+56+32+2] = 0x0f }, "notes"},
	}
	for _, c := range cases {
		b := bytes.Clone(good)
		c.change(b)
		got, err := describe(b)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %q, %v, want an error about %q", c.name, got, err, c.want)
		}
	}
}

func FuzzELF(f *testing.F) {
	f.Add(library.Bytes())
	wide := library
	wide.Wide, wide.Little, wide.Interp = true, true, "/lib/ld.so"
	f.Add(wide.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := describe(b)
		two, again := describe(b)
		if one != two || (err == nil) != (again == nil) {
			t.Errorf("got %q, %v, then %q, %v", one, err, two, again)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	data := library.Bytes()
	r := bytes.NewReader(data)
	b.ReportAllocs()
	for b.Loop() {
		f, err := elf.Open(r, int64(len(data)))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Sections(); err != nil {
			b.Fatal(err)
		}
	}
}
