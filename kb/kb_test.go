package kb

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy/internal/table"
	"github.com/biopsy-sca/biopsy/internal/traits"
)

var built = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

// lesson is one file to learn.
type lesson struct {
	name, version, path string
	kind                UnitKind // Whole stands for Program
	texts               []string // traits
	static              bool
}

func (l lesson) learn(t testing.TB, b *Builder) {
	t.Helper()
	var x Learned
	for _, s := range l.texts {
		x.Hashes[Traits] = append(x.Hashes[Traits], traits.Of(traits.Text, s))
	}
	x.Texts = l.texts
	if l.kind == Whole {
		l.kind = Program
	}
	u := Unit{Path: l.path, Kind: l.kind, Size: 100, SHA256: sha256.Sum256([]byte(l.path + l.version)), Static: l.static}
	if err := b.Learn(Entry{Component: Component{Eco: "generic", Name: l.name}, Version: l.version, Origins: []string{"test"}}, u, x); err != nil {
		t.Fatal(err)
	}
}

func learn(t testing.TB, lessons ...lesson) *Book {
	t.Helper()
	b := NewBuilder(t.TempDir())
	for _, l := range lessons {
		l.learn(t, b)
	}
	data, err := b.Bytes(built)
	if err != nil {
		t.Fatal(err)
	}
	book, err := FromBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// who tells which files of which versions have a text, as "pump@1 usr/bin/pumpd".
func who(t testing.TB, b *Book, text string) []string {
	t.Helper()
	set, ok := b.Look(Traits, traits.Of(traits.Text, text))
	if !ok {
		return nil
	}
	if set.Common() {
		return []string{"common"}
	}
	var out []string
	for _, u := range b.Units(set, nil) {
		_, e := b.ComponentOf(u)
		entry, err := b.Entry(e)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, entry.Name+"@"+entry.Version+" "+b.Unit(u).Path)
	}
	return out
}

func words(prefix string, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s message %d", prefix, i))
	}
	return out
}

func TestLookUp(t *testing.T) {
	b := learn(t,
		lesson{name: "pump", version: "10.0", path: "bin/pumpd", kind: Program, texts: []string{"ran dry", "started"}},
		lesson{name: "pump", version: "9.1", path: "bin/pumpd", kind: Program, texts: []string{"ran dry"}},
		lesson{name: "motor", version: "1.0", path: "lib/libmotor.so.1", kind: Library, texts: []string{"started"}})
	for text, want := range map[string][]string{
		"ran dry": {"pump@9.1 bin/pumpd", "pump@10.0 bin/pumpd"},
		"started": {"motor@1.0 lib/libmotor.so.1", "pump@10.0 bin/pumpd"},
		"unheard": nil,
	} {
		if got := who(t, b, text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if n := b.Size(); n.Components != 2 || n.Entries != 3 || n.Traits[Traits] != 2 {
		t.Errorf("size %+v", n)
	}
	if err := b.Verify(); err != nil {
		t.Error(err)
	}
}

func TestOrderOfLearningDoesNotMatter(t *testing.T) {
	lessons := []lesson{
		{name: "pump", version: "1.0", path: "a", texts: words("a", 20)}, {name: "pump", version: "1.1", path: "a", texts: words("a", 30)},
		{name: "motor", version: "3", path: "b", texts: words("a", 5)}, {name: "motor", version: "3", path: "c", texts: words("c", 5)}}
	one := learn(t, lessons...)
	slices.Reverse(lessons)
	if two := learn(t, lessons...); !bytes.Equal(one.data, two.data) {
		t.Error("learned in another order, the book has other bytes")
	}
}

func TestCommonTraitsTellNothing(t *testing.T) {
	var lessons []lesson
	for i := range maxNames + 1 {
		lessons = append(lessons, lesson{name: fmt.Sprint("c", i), version: "1.0", path: "x", texts: []string{"usage", fmt.Sprint("only ", i)}})
	}
	b := learn(t, lessons...)
	if got := who(t, b, "usage"); !slices.Equal(got, []string{"common"}) {
		t.Errorf("got %q, want common", got)
	}
	if got := b.TraitsOf(1); got != 1 { // unit 0 is the whole
		t.Errorf("%d telling traits, want 1", got)
	}
}

func TestManyFilesOfOneEntryAreTheWhole(t *testing.T) {
	var lessons []lesson
	for i := range maxOfEntry + 1 {
		lessons = append(lessons, lesson{name: "tools", version: "2", path: fmt.Sprint("bin/", i), texts: []string{"tools version 2"}})
	}
	if got, want := who(t, learn(t, lessons...), "tools version 2"), []string{"tools@2 "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestContainment: what a program linked statically belongs to the library, whichever was learned first.
func TestContainment(t *testing.T) {
	lib, shell := words("libc", 200), words("shell", 300)
	lessons := []lesson{
		{name: "shell", version: "5", path: "bin/sh-static", kind: Program, static: true, texts: append(slices.Clone(shell), lib[:80]...)},
		{name: "libc", version: "2.36", path: "lib/libc.a", kind: Archive, texts: lib}}
	for range 2 {
		b := learn(t, lessons...)
		if got := who(t, b, lib[3]); !slices.Equal(got, []string{"libc@2.36 lib/libc.a"}) {
			t.Errorf("a text of the library is of %q", got)
		}
		if got := who(t, b, shell[3]); !slices.Equal(got, []string{"shell@5 bin/sh-static"}) {
			t.Errorf("a text of the program is of %q", got)
		}
		var contains []string
		for i := range uint32(2) {
			if e, err := b.Entry(i); err != nil {
				t.Fatal(err)
			} else if e.Name == "shell" {
				contains = e.Contains
			}
		}
		if !slices.Equal(contains, []string{"libc"}) {
			t.Errorf("shell contains %q, want libc", contains)
		}
		slices.Reverse(lessons)
	}
}

// TestUsersDoNotContain: who shares a few texts with a library keeps them, and the library keeps them too.
func TestUsersDoNotContain(t *testing.T) {
	lib := words("lib", 200)
	b := learn(t, lesson{name: "user", version: "1", path: "bin/user", kind: Program, texts: append(words("user", 100), lib[:20]...)},
		lesson{name: "lib", version: "1", path: "lib/liblib.so.1", kind: Library, texts: lib})
	if got := who(t, b, lib[3]); len(got) != 2 {
		t.Errorf("a shared text is of %q, want both", got)
	}
}

func TestVersionTexts(t *testing.T) {
	b := learn(t,
		lesson{name: "pump", version: "1.2.3", path: "a", texts: []string{"pump library 1.2.3 (c)", "needs motor 2.0.1", "protocol 1.2.3"}},
		lesson{name: "pump", version: "1.4.0", path: "a", texts: []string{"pump library 1.4.0 (c)", "needs motor 2.0.1", "protocol 1.2.3"}})
	for before, want := range map[string]bool{"pump library ": true, "needs motor ": false, "protocol ": false} {
		if _, got := b.Look(Versions, VersionTrait(before)); got != want {
			t.Errorf("%q: stands before the version: got %v, want %v", before, got, want)
		}
	}
}

func TestVersionsIn(t *testing.T) {
	for text, want := range map[string]string{
		"OpenSSL 1.1.1w  11 Sep 2023":  "OpenSSL |1.1.1w",
		"libcurl/7.88.1":               "libcurl/|7.88.1",
		"SSH-2.0-OpenSSH_9.2p1 Debian": "SSH-|2.0;SSH-2.0-OpenSSH_|9.2p1",
		"1.2.3":                        "",
		"of 2001.":                     "",
		"a 1..2 b":                     "",
		"ends 3.0":                     "ends |3.0",
	} {
		var got []string
		VersionsIn(text, func(before, v string) { got = append(got, before+"|"+v) })
		if s := strings.Join(got, ";"); s != want {
			t.Errorf("%q: got %q, want %q", text, s, want)
		}
	}
}

func TestImport(t *testing.T) {
	a := lesson{name: "pump", version: "1.0", path: "a", texts: words("a", 20)}
	c := lesson{name: "motor", version: "3", path: "c", texts: append(words("c", 5), words("a", 3)...)}
	want := learn(t, a, c)
	b := NewBuilder(t.TempDir())
	for _, book := range []*Book{learn(t, c), learn(t, a), learn(t, a)} {
		if err := b.Import(book); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.Bytes(built)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.data) {
		t.Error("books together differ from one that learned the same")
	}
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.kb")
	if _, err := Open(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing book: %v", err)
	}
	b := NewBuilder(t.TempDir())
	lesson{name: "pump", version: "1.0", path: "a", texts: words("a", 20)}.learn(t, b)
	snap, err := b.Commit(path, built)
	if err != nil {
		t.Fatal(err)
	}
	book, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if book.Snapshot().Digest != snap.Digest || !Named(snap.Name) || snap.Records != 1 {
		t.Errorf("snapshots %+v and %+v", book.Snapshot(), snap)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	if err := book.Verify(); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// TestDamage flips every byte in turn: what opens all the same must not break a look-up.
func TestDamage(t *testing.T) {
	b := learn(t, lesson{name: "pump", version: "1.0", path: "a", texts: words("a", 3)})
	if _, err := FromBytes(b.data[:headerSize+10]); !errors.Is(err, ErrNotBook) {
		t.Errorf("cut short: %v", err)
	}
	for at := 0; at < len(b.data); at += 1 + at/headerSize*997 {
		broken := slices.Clone(b.data)
		broken[at] ^= 0x55
		if x, err := FromBytes(broken); err == nil {
			if err := x.Verify(); at >= headerSize && !errors.Is(err, table.ErrDamaged) {
				t.Errorf("byte %d: damage is not seen: %v", at, err)
			}
		}
	}
}

// FuzzBook reads damaged books whose check sums are right.
func FuzzBook(f *testing.F) {
	b := learn(f, lesson{name: "pump", version: "1.0", path: "a", texts: words("a", 3)}, lesson{name: "motor", version: "2", path: "b", texts: words("a", 2)})
	f.Add(uint32(headerSize+8), uint32(0xffffffff))
	f.Add(uint32(len(b.data)-4), uint32(7))
	f.Fuzz(func(t *testing.T, at, value uint32) {
		data := slices.Clone(b.data)
		at %= uint32(len(data) - headerSize - 4)
		copy(data[headerSize+at:], []byte{byte(value), byte(value >> 8), byte(value >> 16), byte(value >> 24)})
		h, err := readHeader(data)
		if err != nil {
			t.Fatal(err)
		}
		for i := range h.Sections {
			s := &h.Sections[i]
			s.CRC = table.CRC(data[s.Offset : s.Offset+s.Size])
		}
		copy(data, h.bytes())
		x, err := FromBytes(data)
		if err != nil {
			return
		}
		for _, text := range words("a", 3) {
			set, _ := x.Look(Traits, traits.Of(traits.Text, text))
			for _, u := range x.Units(set, nil) {
				_, e := x.ComponentOf(u)
				x.Unit(u)
				x.EntriesOf(0)
				x.UnitsOf(e)
				if _, err := x.Entry(e); err != nil && !errors.Is(err, table.ErrDamaged) {
					t.Fatal(err)
				}
			}
		}
		n := NewBuilder("")
		if err := n.Import(x); err == nil {
			if _, err := n.Bytes(built); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// BenchmarkLook looks up in a book of ten million traits: 32 bytes of memory each while it is built.
func BenchmarkLook(b *testing.B) {
	const n = 10_000_000
	rows := make([]row, n)
	x := uint64(1)
	for i := range rows {
		x += 0x9e3779b97f4a7c15
		h := (x ^ x>>31) * 0xbf58476d1ce4e5b9
		rows[i] = row{(h ^ h>>29) & hashMask, uint32(i % 1000)}
	}
	slices.SortFunc(rows, func(a, b row) int {
		switch {
		case a.hash < b.hash:
			return -1
		case a.hash > b.hash:
			return 1
		}
		return 0
	})
	data := appendIndex(nil, rows)
	ix, err := openIndex(data)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(data))/n, "B/trait")
	b.ResetTimer()
	i := 0
	for b.Loop() {
		i = (i + 7919*31) % n
		if _, ok := ix.find(rows[i].hash); !ok {
			b.Fatal("a row is not found")
		}
	}
}
