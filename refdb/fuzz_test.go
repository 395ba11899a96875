package refdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/table"
)

// lookEverywhere uses all look-ups. Errors are answers; what counts is that nothing panics.
func lookEverywhere(b *Book) error {
	_, e1 := b.Package("Debian", "pump")
	_, e2 := b.Lookup("CVE-2024-0001")
	_, _, e3 := b.Exploit("CVE-2024-0001")
	e4 := b.All(func(biopsy.Advisory) error { return nil })
	e5 := b.Exploits(func(string, biopsy.Exploit) error { return nil })
	_, e6 := b.Synonyms("pkg:npm/pump")
	_, e7 := b.Lifecycle("pump")
	e8 := b.EachSynonym(func(biopsy.Synonym) error { return nil })
	e9 := b.Lifecycles(func(biopsy.Lifecycle) error { return nil })
	return errors.Join(e1, e2, e3, e4, e5, e6, e7, e8, e9, b.Verify())
}

// FuzzBook damages a good book at one place, or replaces it. The header's checksum is put right, so that what lies behind is reached.
func FuzzBook(f *testing.F) {
	good, err := os.ReadFile(build(f, samples()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, 16, []byte{1})
	f.Add(good, 70, []byte{0xff, 0xff, 0xff, 0xff})
	f.Add(good, 300, []byte("xx"))
	f.Add([]byte(magic), 0, []byte(nil))
	f.Fuzz(func(t *testing.T, data []byte, at int, patch []byte) {
		data = append([]byte(nil), data...)
		if at >= 0 && at < len(data) {
			copy(data[at:], patch)
		}
		if len(data) >= headerSize {
			binary.LittleEndian.PutUint32(data[headerSize-4:], table.CRC(data[:headerSize-4]))
		}
		b, err := FromBytes(data)
		if err != nil {
			return
		}
		defer b.Close()
		_ = lookEverywhere(b)
	})
}

// FuzzRow reads bytes as rows of each table, behind all checksums, and writes again what could be read.
func FuzzRow(f *testing.F) {
	for _, a := range samples() {
		f.Add(appendRecord(nil, &a, []string{a.Source}))
		f.Add(appendEntryRest(appendEntryHead(nil, a.ID, a.Aliases), &a, 0))
	}
	f.Add(appendExploit(nil, biopsy.Exploit{KEV: true, EPSS: 1.0 / 3, EPSSDate: "2024-01-01"}))
	f.Add(appendSynonym([]byte{1}, biopsy.Synonym{Name: "a", Same: "b", Source: "c", Records: 3}))
	f.Add(appendLifecycle(nil, &biopsy.Lifecycle{Product: "a", Source: "b", Names: []string{"c"}, Cycles: []biopsy.Cycle{{Name: "1", Ended: biopsy.Yes}}}))
	f.Fuzz(func(t *testing.T, row []byte) {
		_, _ = decodeEntry(row)
		_, _ = decodeExploit(row)
		_, _, _ = decodeSynonymRow(row)
		r := reader{s: string(row)}
		_ = r.lifecycle()
		a, sources, err := decodeRecord(row)
		if err != nil {
			return
		}
		again, sources2, err := decodeRecord(appendRecord(nil, &a, sources))
		if err != nil || !reflect.DeepEqual(sources, sources2) || len(again.Affected) != len(a.Affected) || again.ID != a.ID {
			t.Errorf("got %+v, %v; want %+v", again, err, a)
		}
	})
}

// big builds a book of n packages with four entries each.
func big(b *testing.B, n int) *Book {
	b.Helper()
	w := NewBuilder(b.TempDir())
	for i := range n {
		for j := range 4 {
			a := samples()[0]
			a.ID, a.Aliases = fmt.Sprintf("GHSA-%d-%d", i, j), []string{fmt.Sprintf("CVE-%d-%d", j, i)}
			a.Affected[0].Name = fmt.Sprint("pump-", i)
			if err := w.Advisory(a); err != nil {
				b.Fatal(err)
			}
		}
	}
	path := filepath.Join(b.TempDir(), "b.refdb")
	if _, err := w.Commit(path, built); err != nil {
		b.Fatal(err)
	}
	book, err := Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { book.Close() })
	return book
}

func BenchmarkPackage(b *testing.B) {
	const n = 20_000
	book := big(b, n)
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint("pump-", (i*7919)%n)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i + 1) % n
		if e, err := book.Package("PyPI", names[i]); err != nil || len(e) != 4 {
			b.Fatal(len(e), err)
		}
	}
}

func BenchmarkPackageMiss(b *testing.B) {
	book := big(b, 20_000)
	b.ReportAllocs()
	for b.Loop() {
		if e, err := book.Package("PyPI", "pump-12345-plus"); err != nil || len(e) != 0 {
			b.Fatal(len(e), err)
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	records := samples()
	b.ReportAllocs()
	for b.Loop() {
		w := NewBuilder(b.TempDir())
		for i := range 5000 {
			a := records[i%len(records)]
			a.ID = fmt.Sprint(a.ID, i)
			if err := w.Advisory(a); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := w.Commit(filepath.Join(b.TempDir(), "b"), built); err != nil {
			b.Fatal(err)
		}
	}
}

// real opens the book that BIOPSY_BOOK names, for figures of a real one.
func real(b *testing.B) *Book {
	b.Helper()
	path := os.Getenv("BIOPSY_BOOK")
	if path == "" {
		b.Skip("BIOPSY_BOOK names no book")
	}
	book, err := Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { book.Close() })
	return book
}

func BenchmarkRealOpen(b *testing.B) {
	real(b)
	for b.Loop() {
		book, err := Open(os.Getenv("BIOPSY_BOOK"))
		if err != nil {
			b.Fatal(err)
		}
		book.Close()
	}
}

// BenchmarkRealLookup asks for every 97th record by its id, in an order that makes neighbours rare.
func BenchmarkRealLookup(b *testing.B) {
	book := real(b)
	var ids []string
	n := 0
	if err := book.All(func(a biopsy.Advisory) error {
		if n++; n%97 == 0 {
			ids = append(ids, a.ID)
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 577) % len(ids)
		if found, err := book.Lookup(ids[i]); err != nil || len(found) == 0 {
			b.Fatal(ids[i], err)
		}
	}
}

func BenchmarkRealPackage(b *testing.B) {
	book := real(b)
	var names []string
	for _, ecosystem := range []string{"PyPI", "npm", "Go", "Debian", "CPE"} {
		all, err := book.Names(ecosystem, "", 2000)
		if err != nil {
			b.Fatal(err)
		}
		for _, n := range all {
			names = append(names, ecosystem+"\x00"+n)
		}
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 577) % len(names)
		ecosystem, name, _ := strings.Cut(names[i], "\x00")
		if found, err := book.Package(ecosystem, name); err != nil || len(found) == 0 {
			b.Fatal(names[i], err)
		}
	}
}

func BenchmarkRealExploit(b *testing.B) {
	book := real(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := book.Exploit("CVE-2021-44228"); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}
