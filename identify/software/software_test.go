package software

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/elf/elftest"
	"github.com/biopsy-sca/biopsy/internal/traits"
	"github.com/biopsy-sca/biopsy/kb"
)

// content is a file in memory.
type content struct{ *bytes.Reader }

func (c content) Size() int64  { return c.Reader.Size() }
func (c content) Close() error { return nil }

// says makes n messages that only this seed has.
func says(seed string, from, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("the %s reports case %d", seed, from+i))
	}
	return out
}

// file is a program or library with texts.
type file struct {
	path   string
	soname string // "" makes a program
	needed []string
	texts  []string
}

func (f file) bytes(wide bool) []byte {
	m := elftest.Image{Wide: wide, Little: wide, Type: elf.Exec, Soname: f.soname, Needed: f.needed, Data: []byte("\x00" + strings.Join(f.texts, "\x00") + "\x00")}
	if f.soname != "" {
		m.Type = elf.Dyn
	}
	return m.Bytes()
}

func (f file) learn(t testing.TB, b *kb.Builder, name, version string) {
	t.Helper()
	data := f.bytes(true)
	r, err := traits.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	u := kb.Unit{Path: f.path, Kind: kb.Program, Size: int64(len(data)), SHA256: sha256.Sum256(data), Static: r.Static}
	if r.Library {
		u.Kind = kb.Library
	}
	var l kb.Learned
	for _, tr := range r.Traits {
		if tr.Kind != traits.Table {
			l.Hashes[kb.Traits] = append(l.Hashes[kb.Traits], tr.Hash)
		}
	}
	for _, v := range r.Versioned {
		l.Texts = append(l.Texts, v.Text)
	}
	if err := b.Learn(kb.Entry{Component: kb.Component{Eco: "generic", Name: name}, Version: version}, u, l); err != nil {
		t.Fatal(err)
	}
}

func joined(lists ...[]string) []string {
	var out []string
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// pump is a library in three versions; 2.4 and 2.5 tell their version, and are told apart by what they say too.
func pump(minor int) file {
	f := file{path: fmt.Sprintf("usr/lib/libpump.so.2.%d.0", minor), soname: "libpump.so.2", texts: joined(says("pump", 0, 60), says("pump", 100*minor, 20))}
	return f
}

// valve says its version in a text.
func valve(version string) file {
	return file{path: "usr/bin/valved", needed: []string{"libc.so.6"}, texts: joined(says("valve", 0, 40), []string{"valve daemon " + version + " ready"})}
}

func book(t testing.TB) *kb.Book {
	t.Helper()
	b := kb.NewBuilder(t.TempDir())
	for minor := 3; minor <= 5; minor++ {
		pump(minor).learn(t, b, "pump", fmt.Sprintf("2.%d.0", minor))
	}
	for _, v := range []string{"1.0.1", "1.1.0"} {
		valve(v).learn(t, b, "valve", v)
	}
	for _, v := range []string{"7.0", "7.1"} { // nothing that is read changed
		file{path: "usr/lib/libtwin.so.1." + v, soname: "libtwin.so.1", texts: says("twin", 0, 30)}.learn(t, b, "twin", v)
	}
	file{path: "bin/hub", needed: []string{"libc.so.6"}, texts: joined(says("hub", 0, 50), pump(4).texts)}.learn(t, b, "hub", "1.0")
	data, err := b.Bytes(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	k, err := kb.FromBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// claims writes what a reader says of a file: "role name version", sorted as emitted.
func claims(t testing.TB, x biopsy.Extractor, path string, b []byte) []biopsy.Evidence {
	t.Helper()
	var out []biopsy.Evidence
	in := biopsy.Input{File: biopsy.File{Path: path}, Content: content{bytes.NewReader(b)}}
	if err := x.Extract(context.Background(), in, func(e biopsy.Evidence) { out = append(out, e) }); err != nil {
		t.Fatal(err)
	}
	return out
}

func tell(all []biopsy.Evidence) string {
	var lines []string
	for _, e := range all {
		line := fmt.Sprintf("%s %s@%s", e.Claim.State, e.Claim.Name, e.Claim.Version)
		if v := e.Claim.Extra["kb:versions"]; v != "" {
			line += " of " + v
		}
		if e.Claim.Extra["kb:nearest"] != "" {
			line += " nearest"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

func TestNaming(t *testing.T) {
	readers := Readers([]*kb.Book{book(t)})
	moved := func(f file, path string) file { f.path = path; return f }
	for _, c := range []struct {
		name string
		file file
		want string
	}{
		{"built for another processor", pump(4), "installed pump@2.4.0"},
		{"under another name", moved(pump(4), "bins/f0001.bin"), "installed pump@2.4.0"},
		{"a kernel module", moved(pump(4), "lib/modules/6.1/kernel/lib/pump.ko"), ""},
		{"a version between the known ones", file{path: "x", soname: "libpump.so.2", texts: joined(says("pump", 0, 60), says("pump", 400, 8), says("pump", 500, 8), says("new pump", 0, 20))},
			"installed pump@ of 2.4.0,2.5.0 nearest"},
		{"newer than all", file{path: "x", soname: "libpump.so.2", texts: joined(pump(5).texts, says("new pump", 0, 20))}, "installed pump@ of 2.5.0 nearest"},
		{"a version that its text says", valve("1.1.0"), "installed valve@1.1.0"},
		{"a version that nobody learned, by its text", valve("1.2.7"), "installed valve@1.2.7"},
		{"versions that do not differ", file{path: "f.bin", soname: "libtwin.so.1", texts: says("twin", 0, 30)}, "installed twin@ of 7.0,7.1"},
		{"the same, by the file's name", file{path: "lib/libtwin.so.1.7.1", soname: "libtwin.so.1", texts: says("twin", 0, 30)}, "installed twin@7.1"},
		{"what is known to hold a library", file{path: "bin/hub", texts: joined(says("hub", 0, 50), pump(4).texts)}, "installed hub@1.0; embedded pump@2.4.0"},
		{"linked statically into an unknown program", file{path: "bin/app", texts: joined(says("app", 0, 900), pump(4).texts[:70])}, "embedded pump@ of 2.4.0 nearest"},
		{"quoting a few texts", file{path: "bin/log", needed: []string{"libc.so.6"}, texts: joined(says("log", 0, 90), pump(4).texts[:12])}, ""},
		{"only using it", file{path: "bin/user", needed: []string{"libpump.so.2"}, texts: says("user", 0, 90)}, ""},
		{"unknown", file{path: "bin/u", texts: says("unknown", 0, 40)}, ""},
		{"nothing at all", file{path: "bin/n"}, ""},
	} {
		got := claims(t, readers[0], c.file.path, c.file.bytes(false))
		if s := tell(got); s != c.want {
			t.Errorf("%s: got %q, want %q", c.name, s, c.want)
		}
		for _, e := range got {
			if e.Claim.Extra["kb:traits"] == "" || e.Place.Offset == 0 {
				t.Errorf("%s: no trait is quoted: %+v", c.name, e)
			}
		}
	}
}

func TestSameBytes(t *testing.T) {
	readers := Readers([]*kb.Book{book(t)})
	got := claims(t, readers[0], "f.bin", file{path: "usr/lib/libtwin.so.1.7.1", soname: "libtwin.so.1", texts: says("twin", 0, 30)}.bytes(true))
	// Both versions have this very file; the evidence is of the first.
	if len(got) != 1 || got[0].Claim.Extra["kb:version-by"] != "bytes" {
		t.Errorf("got %q", tell(got))
	}
}

// TestTwoBooks: what the user taught stands beside the starter book.
func TestTwoBooks(t *testing.T) {
	b := kb.NewBuilder(t.TempDir())
	pump(6).learn(t, b, "pump", "2.6.0")
	data, err := b.Bytes(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	own, err := kb.FromBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	readers := Readers([]*kb.Book{book(t), own})
	if got, want := tell(claims(t, readers[0], "x", pump(6).bytes(false))), "installed pump@2.6.0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := tell(claims(t, readers[0], "x", pump(4).bytes(false))), "installed pump@2.4.0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// jar packs classes whose bytes are their names.
// classes names n classes of a package.
func classes(pkg string, from, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s/%s%d.class", pkg, strings.ToUpper(pkg), from+i))
	}
	return out
}

func jar(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range names {
		f, err := w.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(n[strings.LastIndexByte(n, '/')+1:]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestJars(t *testing.T) {
	b := kb.NewBuilder(t.TempDir())
	for version, names := range map[string][]string{"1.0": classes("p", 0, 40), "1.1": classes("p", 4, 40)} {
		data := jar(t, names...)
		j, err := traits.ReadJar(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		var l kb.Learned
		for _, c := range j.Classes {
			l.Hashes[kb.Classes] = append(l.Hashes[kb.Classes], c.Hash)
		}
		l.Hashes[kb.Archives] = []uint64{j.Sum}
		if err := b.Learn(kb.Entry{Component: kb.Component{Eco: "maven", Namespace: "org.acme", Name: "pump"}, Version: version}, kb.Unit{Path: "pump.jar", Kind: kb.Jar}, l); err != nil {
			t.Fatal(err)
		}
	}
	data, err := b.Bytes(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	k, err := kb.FromBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	readers := Readers([]*kb.Book{k})
	for _, c := range []struct {
		name string
		jar  []byte
		want string
	}{
		{"the jar itself, packed anew", jar(t, joined(classes("p", 20, 20), classes("p", 0, 20))...), "installed pump@1.0"},
		{"with another manifest", jar(t, joined(classes("p", 4, 40), []string{"META-INF/MANIFEST.MF"})...), "installed pump@1.1"},
		{"shaded into another", jar(t, joined(classes("app", 0, 40), classes("p", 4, 40))...), "embedded pump@1.1"},
		{"a few classes of it", jar(t, joined(classes("app", 0, 40), classes("p", 0, 10))...), ""},
		{"no archive", []byte("PK\x03\x04"), ""},
	} {
		if got := tell(claims(t, readers[1], "x.jar", c.jar)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzNaming(f *testing.F) {
	readers := Readers([]*kb.Book{book(f)})
	f.Add(pump(4).bytes(true), false)
	f.Add(valve("1.0.1").bytes(false), false)
	f.Add(jar(f, "p/A.class"), true)
	f.Fuzz(func(t *testing.T, b []byte, java bool) {
		x := readers[0]
		if java {
			x = readers[1]
		}
		in := biopsy.Input{File: biopsy.File{Path: "x"}, Content: content{bytes.NewReader(b)}}
		x.Extract(context.Background(), in, func(e biopsy.Evidence) {
			if e.Claim.Name == "" || e.Confidence <= 0 || e.Confidence > 1 {
				t.Errorf("evidence %+v", e)
			}
		})
	})
}

func BenchmarkNaming(b *testing.B) {
	readers := Readers([]*kb.Book{book(b)})
	data := pump(4).bytes(false)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		in := biopsy.Input{File: biopsy.File{Path: "x"}, Content: content{bytes.NewReader(data)}}
		if err := readers[0].Extract(context.Background(), in, func(biopsy.Evidence) {}); err != nil {
			b.Fatal(err)
		}
	}
}
