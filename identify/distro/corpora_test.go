package distro

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

// scanTree shows every file below dir to the readers, and returns what they say.
func scanTree(tb testing.TB, dir string, readers []biopsy.Extractor) []biopsy.Evidence {
	tb.Helper()
	var found []biopsy.Evidence
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		for _, x := range readers {
			if !wants(x, filepath.ToSlash(rel)) {
				continue
			}
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			in := input(filepath.ToSlash(rel), data, func(g biopsy.Gap) { tb.Errorf("gap %+v", g) })
			if err := x.Extract(tb.Context(), in, func(e biopsy.Evidence) { found = append(found, e) }); err != nil {
				tb.Errorf("%s: %s: %v", rel, x.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return found
}

// TestCorpora holds the readers against trees whose packages are known: BIOPSY_CORPORA names a folder of NAME/rootfs and NAME/truth.json.
func TestCorpora(t *testing.T) {
	base := os.Getenv("BIOPSY_CORPORA")
	if base == "" {
		t.Skip("BIOPSY_CORPORA is not set")
	}
	for _, name := range []string{"debian-amd64", "device-armhf"} {
		t.Run(name, func(t *testing.T) { corpus(t, filepath.Join(base, name)) })
	}
}

func corpus(t *testing.T, dir string) {
	var truth struct {
		Packages []struct {
			Name, Version, Source, Arch string
			SourceVersion               string `json:"source_version"`
		}
		ELF map[string]struct{ Package string }
	}
	b, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	var got, want []string
	owner := map[biopsy.Path]string{}
	licensed := 0
	for _, e := range scanTree(t, filepath.Join(dir, "rootfs"), All) {
		c := e.Claim
		for _, p := range c.Owns {
			owner[p] = c.Name
		}
		if len(c.Licenses) > 0 && c.Licenses[0].Expression != "" {
			licensed++
		}
		if c.Eco == "deb" && !c.About {
			source, version := c.Name, c.Version
			if c.Source != nil {
				source, version = c.Source.Name, cmp.Or(c.Source.Version, c.Version)
			}
			got = append(got, c.Name+" "+c.Version+" "+source+" "+version+" "+c.Arch)
		}
	}
	for _, p := range truth.Packages {
		want = append(want, p.Name+" "+p.Version+" "+p.Source+" "+p.SourceVersion+" "+p.Arch)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %d packages\n%q\nwant %d\n%q", len(got), got, len(want), want)
	}
	missed := 0
	for path, elf := range truth.ELF {
		o := owner[biopsy.HashPath(path)]
		if o == "" {
			o = owner[biopsy.HashPath(path[min(len(path), len("usr/")):])]
		}
		if o != elf.Package {
			missed++
			t.Logf("%s: got owner %q, want %q", path, o, elf.Package)
		}
	}
	t.Logf("%d packages, %d of %d programs owned, %d copyright files with an expression first", len(got), len(truth.ELF)-missed, len(truth.ELF), licensed)
}
