package installed

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/biopsy-sca/biopsy"
)

var update = flag.Bool("update", false, "rewrite the wanted answers in testdata")

// content is a file of a test.
type content struct{ *bytes.Reader }

func (content) Close() error { return nil }

func input(name string, b []byte, gap func(biopsy.Gap)) biopsy.Input {
	return biopsy.Input{File: biopsy.File{Path: name, Size: int64(len(b))}, Content: content{bytes.NewReader(b)}, Gap: gap}
}

// wants tells whether the walk would show a file to a reader.
func wants(e biopsy.Extractor, name string, b []byte) bool {
	named := len(e.Names) == 0
	elements := strings.Split(name, "/")
	for _, n := range e.Names {
		last := elements[max(0, len(elements)-1-strings.Count(n, "/")):]
		ok, err := path.Match(n, strings.Join(last, "/"))
		named = named || ok && err == nil
	}
	return named && (e.Wants == nil || e.Wants(name)) && (e.Head == nil || e.Head(b[:min(len(b), 4096)]))
}

// read shows a file to all readers and writes down what they say.
func read(name string, b []byte, known map[biopsy.Path]string) string {
	var out strings.Builder
	for _, e := range All {
		if !wants(e, name, b) {
			continue
		}
		in := input(name, b, func(g biopsy.Gap) { fmt.Fprintf(&out, "gap %s: %s\n", g.Place, g.Reason) })
		err := e.Extract(context.Background(), in, func(ev biopsy.Evidence) { tell(&out, ev, known) })
		if err != nil {
			fmt.Fprintf(&out, "error %s: %s: %v\n", name, e.Name, err)
		}
	}
	return out.String()
}

func tell(out *strings.Builder, ev biopsy.Evidence, known map[biopsy.Path]string) {
	c := ev.Claim
	about := ""
	if c.About {
		about = " about"
	}
	fmt.Fprintf(out, "%s: %s%s %s %s/%s/%s@%s %s %s %s %.2f\n", ev.Place, ev.Reader, about, c.Kind, c.Eco, c.Namespace, c.Name, c.Version, c.State, c.Scope, ev.Basis, ev.Confidence)
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(out, "  %s %s\n", key, value)
		}
	}
	line("purl", c.Purl)
	line("supplier", c.Supplier)
	line("description", c.Description)
	line("homepage", c.Homepage)
	line("repository", c.Repository)
	line("download", c.Download)
	for _, l := range c.Licenses {
		line("licence", strings.TrimSpace(fmt.Sprintf("expression=%q name=%q url=%q", l.Expression, l.Name, l.URL)))
	}
	for _, h := range c.Hashes {
		line("hash", h.Alg+" "+h.Value)
	}
	for _, n := range c.Needs {
		line("need", strings.Join(strings.Fields(n.Purl+" "+n.Name+" "+string(n.Scope)+" "+n.Path), " "))
	}
	for _, p := range c.Owns {
		line("owns", known[p])
	}
	for _, k := range slices.Sorted(maps.Keys(c.Extra)) {
		line("extra", k+"="+c.Extra[k])
	}
}

// TestReaders holds all readers against testdata/*/*.txtar: files of a tree, last the answer "want". "a.jar!b" is the member b of
// the archive a.jar; "x.base64" is the file x. Lines of the archive's comment that start with "/" are paths that may be owned.
func TestReaders(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("got %d cases, %v", len(cases), err)
	}
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			known := map[biopsy.Path]string{}
			for line := range strings.Lines(string(a.Comment)) {
				if p := strings.TrimSpace(line); strings.HasPrefix(p, "/") {
					known[biopsy.HashPath(p)] = p
				}
			}
			want, files := "", []txtar.File(nil)
			for _, f := range a.Files {
				if f.Name == "want" {
					want = string(f.Data)
				} else {
					files = append(files, f)
				}
			}
			var got strings.Builder
			for _, f := range tree(t, files) {
				got.WriteString(read(f.Name, f.Data, known))
			}
			if *update {
				a.Files = append(files, txtar.File{Name: "want", Data: []byte(got.String())})
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got.String() != want {
				t.Errorf("got\n%s\nwant\n%s", got.String(), want)
			}
		})
	}
}

// tree makes the files of a case, in order of first mention.
func tree(t *testing.T, files []txtar.File) []txtar.File {
	t.Helper()
	var out []txtar.File
	members := map[string][]txtar.File{}
	for _, f := range files {
		archive, member, ok := strings.Cut(f.Name, "!")
		if ok {
			if members[archive] == nil {
				out = append(out, txtar.File{Name: archive})
			}
			members[archive] = append(members[archive], txtar.File{Name: member, Data: f.Data})
			continue
		}
		if stem, ok := strings.CutSuffix(f.Name, ".base64"); ok {
			b, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(f.Data), "\n", ""))
			if err != nil {
				t.Fatal(err)
			}
			f = txtar.File{Name: stem, Data: b}
		}
		out = append(out, f)
	}
	for i, f := range out {
		if m := members[f.Name]; m != nil {
			if out[i].Data = zipped(t, m); strings.HasSuffix(f.Name, ".asar") {
				out[i].Data = asarred(t, m)
			}
		}
	}
	return out
}

func zipped(t testing.TB, files []txtar.File) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f.Name)
		if err == nil {
			_, err = w.Write(f.Data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
