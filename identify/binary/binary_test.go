package binary

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/elf/elftest"
	"github.com/biopsy-sca/biopsy/internal/pe"
	"github.com/biopsy-sca/biopsy/internal/pe/petest"
)

type content struct{ *bytes.Reader }

func (content) Close() error { return nil }

// read shows a file to all readers and writes down what they say.
func read(name string, b []byte) string {
	var out strings.Builder
	for _, e := range All {
		if !e.Head(b[:min(len(b), 4096)]) {
			continue
		}
		in := biopsy.Input{File: biopsy.File{Path: name}, Content: content{bytes.NewReader(b)}}
		err := e.Extract(context.Background(), in, func(ev biopsy.Evidence) {
			c := ev.Claim
			fmt.Fprintf(&out, "%s: %s %s %s %s %s arch=%s %.2f", ev.Place, ev.Reader, c.Kind, c.Name, c.Version, c.State, c.Arch, ev.Confidence)
			for _, s := range []string{c.Purl, c.Distro, c.Supplier, c.Description} {
				if s != "" {
					fmt.Fprintf(&out, " %q", s)
				}
			}
			for _, l := range c.Licenses {
				fmt.Fprintf(&out, " licence=%s%s", l.Expression, l.Name)
			}
			out.WriteByte('\n')
			for _, k := range slices.Sorted(maps.Keys(c.Extra)) {
				fmt.Fprintf(&out, "  %s=%s\n", k, c.Extra[k])
			}
		})
		if err != nil {
			fmt.Fprintf(&out, "error %v\n", err)
		}
	}
	return out.String()
}

func TestELF(t *testing.T) {
	note := []elf.Note{{Owner: "GNU", Type: elf.GNUBuildID, Desc: []byte{0xab, 0xcd}}}
	fdo := elf.Note{Owner: "FDO", Type: elf.FDOPackage, Desc: []byte(`{"type":"deb","os":"debian","osVersion":"12","name":"pump","version":"1.0-2","architecture":"armhf"}` + "\x00")}
	cases := []struct {
		name  string
		image elftest.Image
		want  string
	}{
		{"usr/lib/libpump.so.2.0", elftest.Image{Little: true, Type: elf.Dyn, Machine: 40, Soname: "libpump.so.2", Needed: []string{"libc.so.6", "libz.so.1"}, Notes: append(note, fdo)},
			`usr/lib/libpump.so.2.0: elf library pump 1.0-2 embedded arch=armhf 0.95 "pkg:deb/debian/pump@1.0-2?arch=armhf&distro=debian-12" "debian-12"
usr/lib/libpump.so.2.0: elf file libpump.so.2.0  installed arch=arm 1.00
  elf:build-id=abcd
  elf:needed=libc.so.6,libz.so.1
  elf:package-note=true
  elf:soname=libpump.so.2
  elf:stripped=true
  elf:type=dyn
`},
		{"sbin/pumpd", elftest.Image{Wide: true, Little: true, Type: elf.Dyn, Machine: 183, Interp: "/lib/ld-linux-aarch64.so.1", PIE: true, Sections: []elftest.Section{{Name: ".symtab", Type: 2}}},
			`sbin/pumpd: elf file pumpd  installed arch=arm64 1.00
  elf:interp=/lib/ld-linux-aarch64.so.1
  elf:pie=true
  elf:type=dyn
`},
		{"init", elftest.Image{Type: elf.Exec, Machine: 8, Bare: true},
			`init: elf file init  installed arch=mips 1.00
  elf:static=true
  elf:stripped=true
  elf:type=exec
`},
		{"lib/modules/pump.ko", elftest.Image{Wide: true, Little: true, Type: elf.Rel, Machine: 62, Sections: []elftest.Section{{Name: ".modinfo", Type: 1, Data: []byte("license=GPL\x00version=1.2\x00description=Drives the pump\x00vermagic=6.1.0 SMP\x00")}}},
			`lib/modules/pump.ko: elf file pump.ko  installed arch=amd64 1.00 "Drives the pump" licence=GPL
  elf:stripped=true
  elf:type=module
  module:vermagic=6.1.0 SMP
  module:version=1.2
`},
		{"bad-note", elftest.Image{Type: elf.Exec, Machine: 3, Little: true, Notes: []elf.Note{{Owner: "FDO", Type: elf.FDOPackage, Desc: []byte("{")}}},
			`bad-note: elf file bad-note  installed arch=386 1.00
  elf:static=true
  elf:stripped=true
  elf:type=exec
error parse package note: unexpected end of JSON input
`},
	}
	for _, c := range cases {
		if got := read(c.name, c.image.Bytes()); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestPE(t *testing.T) {
	image := petest.Image{Machine: 0x8664, Flags: pe.IsDLL, DLLFlags: pe.DynamicBase | pe.NXCompatible, Wide: true, Versions: [][2]string{
		{"CompanyName", "The OpenSSL Project"}, {"ProductName", "The OpenSSL Toolkit"}, {"ProductVersion", "1.1.1k"}, {"FileDescription", "OpenSSL library"}, {"OriginalFilename", "libssl-1_1-x64.dll"}}}
	cases := []struct {
		name    string
		version string
		want    string
	}{
		{"libssl.dll", "1.1.1k", `libssl.dll: pe file libssl.dll  installed arch=amd64 1.00 "The OpenSSL Project" "OpenSSL library"
  pe:aslr=true
  pe:nx=true
  pe:original-filename=libssl-1_1-x64.dll
  pe:product=The OpenSSL Toolkit
  pe:product-version=1.1.1k
  pe:type=dll
libssl.dll: pe library The OpenSSL Toolkit 1.1.1k embedded arch= 0.60 "The OpenSSL Project" "OpenSSL library"
`},
		{"beta.dll", "beta", `beta.dll: pe file beta.dll  installed arch=amd64 1.00 "The OpenSSL Project" "OpenSSL library"
  pe:aslr=true
  pe:nx=true
  pe:original-filename=libssl-1_1-x64.dll
  pe:product=The OpenSSL Toolkit
  pe:product-version=beta
  pe:type=dll
`},
	}
	for _, c := range cases {
		image.Versions[2][1] = c.version
		if got := read(c.name, image.Bytes()); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	if got := read("odd.bin", append([]byte("MZ"), make([]byte, 100)...)); got != "" {
		t.Errorf("got %q for a DOS program, want nothing", got)
	}
}

func TestProduct(t *testing.T) {
	cases := []struct{ name, version, want string }{
		{"Pump", "1, 2, 3, 4", "1.2.3.4"},
		{"Pump", "v2.0 (release)", "2.0"},
		{"Pump", "7", ""},
		{"", "1.0", ""},
		{"Microsoft® Windows® Operating System", "10.0.19041.1", ""},
		{"Microsoft(R) Windows NT(R) Operating System", "5.00", ""},
	}
	for _, c := range cases {
		got, ok := product(map[string]string{"ProductName": c.name, "ProductVersion": c.version})
		if got.Version != c.want || ok != (c.want != "") {
			t.Errorf("%q %q: got %q, %v, want %q", c.name, c.version, got.Version, ok, c.want)
		}
	}
}

// macho is a 64-bit little-endian library that needs another.
func macho() []byte {
	dylib := func(cmd uint32, name string, version uint32) []byte {
		b := binary.LittleEndian.AppendUint32(nil, cmd)
		for _, v := range []uint32{uint32(24 + len(name) + 1), 24, 0, version, 0} {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		return append(append(b, name...), 0)
	}
	commands := append(dylib(0xd, "/usr/lib/libpump.dylib", 1<<16|2<<8|3), dylib(0x80000018, "/usr/lib/libz.dylib", 0)...)
	var b []byte
	for _, v := range []uint32{0xfeedfacf, 0x0100000c, 0, 6, 2, uint32(len(commands)), 0, 0} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(b, commands...)
}

func TestMachO(t *testing.T) {
	want := `libpump.dylib: mach-o file libpump.dylib  installed arch=arm64 1.00
  mach-o:id=/usr/lib/libpump.dylib
  mach-o:needed=/usr/lib/libz.dylib
  mach-o:type=dylib
  mach-o:version=1.2.3
`
	if got := read("libpump.dylib", macho()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func FuzzBinary(f *testing.F) {
	f.Add(elftest.Image{Wide: true, Little: true, Type: elf.Dyn, Machine: 62, Interp: "/lib/ld.so", Soname: "a", Needed: []string{"b"}, Notes: []elf.Note{{Owner: "FDO", Type: elf.FDOPackage, Desc: []byte("{}")}},
		Sections: []elftest.Section{{Name: ".modinfo", Type: 1, Data: []byte("license=GPL\x00")}}}.Bytes())
	f.Add(petest.Image{Machine: 0x14c, Versions: [][2]string{{"ProductName", "a"}, {"ProductVersion", "1.0"}}, Assembly: &petest.Assembly{Name: "a"}}.Bytes())
	f.Add(macho())
	f.Fuzz(func(t *testing.T, b []byte) {
		if one, two := read("x", b), read("x", b); one != two {
			t.Errorf("got\n%s\nthen\n%s", one, two)
		}
	})
}

// BenchmarkELF reads one library as found on a device, in memory.
func BenchmarkELF(b *testing.B) {
	data := elftest.Image{Little: true, Type: elf.Dyn, Machine: 40, Soname: "libpump.so.2", Needed: []string{"libc.so.6", "libz.so.1"}, Notes: []elf.Note{{Owner: "GNU", Type: elf.GNUBuildID, Desc: make([]byte, 20)}}}.Bytes()
	in := biopsy.Input{File: biopsy.File{Path: "usr/lib/libpump.so"}, Content: content{bytes.NewReader(data)}}
	b.ReportAllocs()
	for b.Loop() {
		if err := readELF(context.Background(), in, func(biopsy.Evidence) {}); err != nil {
			b.Fatal(err)
		}
	}
}
