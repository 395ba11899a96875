package lockfile

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

var update = flag.Bool("update", false, "rewrite the wanted answers")

type content struct{ *bytes.Reader }

func (content) Close() error { return nil }

// read shows text to a reader and returns what it claims, one line each.
func read(ctx context.Context, x biopsy.Extractor, name string, text []byte) (string, error) {
	var b strings.Builder
	in := biopsy.Input{File: biopsy.File{Path: name}, Content: content{bytes.NewReader(text)}}
	err := x.Extract(ctx, in, func(e biopsy.Evidence) { fmt.Fprintln(&b, line(e)) })
	return b.String(), err
}

// line is a claim in short form: only what is there.
func line(e biopsy.Evidence) string {
	c := e.Claim
	words := []string{fmt.Sprintf("%d:", e.Place.Line)}
	add := func(key, text string) {
		if text != "" {
			words = append(words, key+text)
		}
	}
	if c.About {
		words = append(words, "about")
	}
	if c.Purl != "" {
		words = append(words, c.Purl)
	} else {
		words = append(words, c.Eco+" "+fullName(c)+" "+c.Version)
	}
	if c.Kind != biopsy.Library {
		add("", string(c.Kind))
	}
	add("", string(c.State))
	add("", string(c.Scope))
	for _, l := range c.Licenses {
		add("spdx=", l.Expression)
		add("license=", l.Name)
	}
	for _, h := range c.Hashes {
		words = append(words, h.Alg+"="+h.Value[:8])
	}
	add("supplier=", c.Supplier)
	add("download=", c.Download)
	add("repository=", c.Repository)
	add("homepage=", c.Homepage)
	add("description=", c.Description)
	for _, k := range slices.Sorted(maps.Keys(c.Extra)) {
		add(k+"=", c.Extra[k])
	}
	for _, n := range c.Needs {
		to := n.Purl
		if to == "" {
			to = n.Name
		}
		words = append(words, "\n    needs", to, string(n.Scope))
		add("in ", n.Path)
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// archive is a file of the form "-- name --" and text, again and again.
func archive(text []byte) (names []string, files map[string][]byte) {
	files = map[string][]byte{}
	for l := range bytes.Lines(text) {
		s := strings.TrimSpace(string(l))
		if strings.HasPrefix(s, "-- ") && strings.HasSuffix(s, " --") {
			names = append(names, s[3:len(s)-3])
		} else if len(names) > 0 {
			files[names[len(names)-1]] = append(files[names[len(names)-1]], l...)
		}
	}
	return names, files
}

// TestReaders holds every reader against testdata/READER/CASE.txtar: files to read, and at last what is claimed ("want").
func TestReaders(t *testing.T) {
	for _, x := range All {
		cases, err := filepath.Glob(filepath.Join("testdata", x.Name, "*.txtar"))
		if err != nil || len(cases) == 0 {
			t.Errorf("%s has no cases in testdata (%v)", x.Name, err)
		}
		for _, c := range cases {
			t.Run(x.Name+"/"+strings.TrimSuffix(filepath.Base(c), ".txtar"), func(t *testing.T) { testCase(t, x, c) })
		}
	}
}

func testCase(t *testing.T, x biopsy.Extractor, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	names, files := archive(text)
	var got strings.Builder
	for _, name := range names {
		if name == "want" {
			continue
		}
		if !named(x, name) {
			t.Errorf("%s is not a name that %s reads", name, x.Name)
		}
		if x.Head != nil && !x.Head(files[name][:min(len(files[name]), 4096)]) {
			continue
		}
		claims, err := read(t.Context(), x, name, files[name])
		got.WriteString(claims)
		if err != nil {
			fmt.Fprintln(&got, "error:", err)
		}
	}
	if want := string(files["want"]); got.String() != want {
		if !*update {
			t.Fatalf("got:\n%s\nwant:\n%s", got.String(), want)
		}
		head, _, _ := bytes.Cut(text, []byte("-- want --\n"))
		if err := os.WriteFile(file, slices.Concat(head, []byte("-- want --\n"+got.String())), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// named tells whether a reader is shown a file of that path.
func named(x biopsy.Extractor, p string) bool {
	fits := slices.ContainsFunc(x.Names, func(pattern string) bool {
		tail := strings.Split(p, "/")
		tail = tail[max(0, len(tail)-strings.Count(pattern, "/")-1):]
		ok, err := path.Match(pattern, strings.Join(tail, "/"))
		return ok && err == nil
	})
	return fits && (x.Wants == nil || x.Wants(p))
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, x := range All {
		if seen[x.Name] {
			t.Errorf("two readers are called %s", x.Name)
		}
		seen[x.Name] = true
		for _, n := range x.Names {
			if _, err := path.Match(n, "x"); err != nil {
				t.Errorf("%s: pattern %q: %v", x.Name, n, err)
			}
		}
	}
}

// TestForeignTrees: what a package manager unpacked brings lock files of its own, which nobody installs by.
func TestForeignTrees(t *testing.T) {
	for p, want := range map[string]bool{
		"Cargo.lock": true, "a/node_modules/b/Cargo.lock": false, "node_modules/b/Cargo.lock": false, "lib/python3/site-packages/x/Cargo.lock": false,
	} {
		if got := CargoLock.Wants(p); got != want {
			t.Errorf("Wants(%s) = %v, want %v", p, got, want)
		}
	}
}

// FuzzReaders lets every reader see any bytes: none may panic or hang.
func FuzzReaders(f *testing.F) {
	for i, x := range All {
		cases, err := filepath.Glob(filepath.Join("testdata", x.Name, "*.txtar"))
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range cases {
			text, err := os.ReadFile(c)
			if err != nil {
				f.Fatal(err)
			}
			names, files := archive(text)
			for _, n := range names {
				if n != "want" {
					f.Add(i, files[n])
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, i int, text []byte) {
		if i < 0 || i >= len(All) {
			return
		}
		claims, err := read(t.Context(), All[i], All[i].Names[0], text)
		again, errAgain := read(t.Context(), All[i], All[i].Names[0], text)
		if claims != again || (err == nil) != (errAgain == nil) {
			t.Errorf("%s says two things about the same bytes:\n%s\n%s", All[i].Name, claims, again)
		}
	})
}
