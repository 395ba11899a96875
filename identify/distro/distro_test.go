package distro

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/biopsy-sca/biopsy"
)

var update = flag.Bool("update", false, "write what is found as what is wanted")

// bytesContent is a file in memory.
type bytesContent struct{ *bytes.Reader }

func (bytesContent) Close() error { return nil }

// input makes the input for a file at a place "descents!path".
func input(place string, data []byte, gap func(biopsy.Gap)) biopsy.Input {
	in, inner := biopsy.Split(place)
	return biopsy.Input{File: biopsy.File{In: in, Path: inner, Size: int64(len(data))}, Content: bytesContent{bytes.NewReader(data)}, Gap: gap}
}

// wants tells whether the reader would be shown the file, by the rules of Extractor.Names.
func wants(x biopsy.Extractor, p string) bool {
	elems := strings.Split(p, "/")
	for _, name := range x.Names {
		n := strings.Split(name, "/")
		if len(n) > len(elems) {
			continue
		}
		if ok, err := path.Match(name, strings.Join(elems[len(elems)-len(n):], "/")); ok && err == nil {
			return x.Wants == nil || x.Wants(p)
		}
	}
	return false
}

// read shows the file to every reader that wants it, and prints what they say.
func read(t *testing.T, place string, data []byte, owns map[biopsy.Path]string) string {
	t.Helper()
	var out strings.Builder
	_, inner := biopsy.Split(place)
	gap := func(g biopsy.Gap) { fmt.Fprintf(&out, "gap %s %s: %s\n", g.Place, g.Reader, g.Reason) }
	for _, x := range All {
		if !wants(x, inner) || (x.Head != nil && !x.Head(data[:min(len(data), 4096)])) {
			continue
		}
		err := x.Extract(t.Context(), input(place, data, gap), func(e biopsy.Evidence) {
			if e.Reader != x.Name || e.Basis != x.Basis {
				t.Errorf("got evidence of %s on %s, want %s on %s", e.Reader, e.Basis, x.Name, x.Basis)
			}
			write(t, &out, e, owns)
		})
		if err != nil {
			fmt.Fprintf(&out, "error %s: %v\n", x.Name, err)
		}
	}
	return out.String()
}

func write(t *testing.T, out io.Writer, e biopsy.Evidence, owns map[biopsy.Path]string) {
	t.Helper()
	b, err := json.MarshalIndent(e.Claim, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(out, "%s %s %v\n%s\n", e.Place, e.Reader, e.Confidence, b)
	for _, n := range e.Claim.Needs {
		fmt.Fprintf(out, "needs %s (%s)\n", n.Name, n.Scope)
	}
	for i, p := range e.Claim.Owns {
		if i == 8 {
			fmt.Fprintf(out, "owns %d files\n", len(e.Claim.Owns))
			break
		}
		name, ok := owns[p]
		if !ok {
			name = fmt.Sprintf("%016x", uint64(p))
		}
		fmt.Fprintf(out, "owns %s\n", name)
	}
}

// TestText runs every testdata/*/*.txtar: files of a tree, "paths" that the answer may name, and the answer "want".
func TestText(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("got %d cases, error %v", len(cases), err)
	}
	for _, name := range cases {
		t.Run(strings.TrimPrefix(name, "testdata/"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			owns := map[biopsy.Path]string{}
			var got, want strings.Builder
			for _, f := range a.Files {
				if f.Name == "paths" {
					for _, p := range strings.Fields(string(f.Data)) {
						owns[biopsy.HashPath(p)] = p
					}
				}
			}
			for _, f := range a.Files {
				switch f.Name {
				case "paths":
				case "want":
					want.Write(f.Data)
				default:
					got.WriteString(read(t, f.Name, f.Data, owns))
				}
			}
			if got.String() == want.String() {
				return
			}
			if !*update {
				t.Fatalf("got\n%s\nwant\n%s", got.String(), want.String())
			}
			files := a.Files[:0]
			for _, f := range a.Files {
				if f.Name != "want" {
					files = append(files, f)
				}
			}
			a.Files = append(files, txtar.File{Name: "want", Data: []byte(got.String())})
			if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestRPM reads the same packages from each form of database: what is claimed may differ in nothing but the place.
func TestRPM(t *testing.T) {
	owns := map[biopsy.Path]string{}
	for _, p := range []string{"usr/sbin/pumpd", "etc/pumpd.conf", "bin/sh", "etc/shells", "usr/lib64/libflow.so.1", "usr/share/libflow/table.bin", "usr/libexec/pumpd/extra"} {
		owns[biopsy.HashPath(p)] = p
	}
	for _, c := range []struct{ file, place string }{
		{"sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite"},
		{"ndb", "var/lib/rpm/Packages.db"},
		{"bdb-1234", "var/lib/rpm/Packages"},
		{"bdb-4321", "var/lib/rpm/Packages"},
		{"bdb-16k", "usr/share/rpm/Packages"},
		{"sqlite-512", "var/lib/rpm/rpmdb.sqlite"},
	} {
		t.Run(c.file, func(t *testing.T) {
			want, err := os.ReadFile("testdata/rpm/want")
			if err != nil && !*update {
				t.Fatal(err)
			}
			got := read(t, c.place, gunzip(t, "testdata/rpm/"+c.file+".gz"), owns)
			got = placeless(got, c.place)
			if got == string(want) {
				return
			}
			if !*update {
				t.Fatalf("got\n%s\nwant\n%s", got, want)
			}
			if err := os.WriteFile("testdata/rpm/want", []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// placeless takes path and offset off the lines that name a place.
func placeless(s, place string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if rest, ok := strings.CutPrefix(l, place); ok {
			_, rest, _ = strings.Cut(rest, " ")
			lines[i] = rest
		}
	}
	return strings.Join(lines, "\n")
}

func gunzip(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestChiselPacked reads a manifest as chisel writes it, in zstd.
func TestChiselPacked(t *testing.T) {
	data, err := os.ReadFile("testdata/chisel/manifest.wall.zst")
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, "var/lib/chisel/manifest.wall", data, nil)
	if !strings.HasPrefix(got, "var/lib/chisel/manifest.wall:2 chisel 1\n") || !strings.Contains(got, `"version": "2.39-0ubuntu8"`) || strings.Contains(got, "error") {
		t.Errorf("got %s, want a claim of libc6 in line 2", got)
	}
}
