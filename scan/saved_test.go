package scan

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

// entry is one file of a tar archive.
type entry struct{ name, text string }

func tarOf(t testing.TB, entries ...entry) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if err := w.WriteHeader(&tar.Header{Name: e.name, Size: int64(len(e.text)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gz(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func sum(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

func marshal(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type object = map[string]any

// layersOf are two layers: the newer replaces one module and deletes another.
func layersOf(t testing.TB) []string {
	module := func(path, version string) entry {
		return entry{path + "/package.json", fmt.Sprintf(`{"name":%q,"version":%q}`, filepath.Base(path), version)}
	}
	return []string{
		tarOf(t, module("app/node_modules/ms", "0.7.0"), module("app/node_modules/gone", "1.0.0"), module("app/node_modules/kept", "1.0.0")),
		tarOf(t, module("app/node_modules/ms", "2.1.3"), entry{"app/node_modules/.wh.gone", ""}),
	}
}

// dockerFiles are the files of a "docker save" archive of one image for each name.
func dockerFiles(t testing.TB, names ...string) []entry {
	var out []entry
	var manifest []object
	var ids, stored []string
	for i, l := range layersOf(t) {
		ids = append(ids, "sha256:"+sum(l))
		stored = append(stored, fmt.Sprintf("%064x/layer.tar", i))
		out = append(out, entry{stored[i], l})
	}
	for _, name := range names {
		conf := marshal(t, object{"rootfs": object{"diff_ids": ids}, "author": name})
		out = append(out, entry{sum(conf) + ".json", conf})
		manifest = append(manifest, object{"Config": sum(conf) + ".json", "RepoTags": []string{name}, "Layers": stored})
	}
	return append(out, entry{"manifest.json", marshal(t, manifest)})
}

// layoutFiles are the files of an OCI layout in the order of their names.
func layoutFiles(t testing.TB) []entry {
	var out []entry
	blob := func(text string) object {
		out = append(out, entry{"blobs/sha256/" + sum(text), text})
		return object{"digest": "sha256:" + sum(text), "size": len(text)}
	}
	var ids []string
	var layers []object
	for _, l := range layersOf(t) {
		ids = append(ids, "sha256:"+sum(l))
		layers = append(layers, blob(gz(t, l)))
	}
	conf := blob(marshal(t, object{"rootfs": object{"diff_ids": ids}}))
	m := blob(marshal(t, object{"config": conf, "layers": layers}))
	out = append(out, entry{"index.json", marshal(t, object{"manifests": []object{m}})}, entry{"oci-layout", `{"imageLayoutVersion":"1.0.0"}`})
	slices.SortFunc(out, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return out
}

// found lists what a scan of the files names, and its gaps.
func found(t *testing.T, files ...entry) string {
	t.Helper()
	dir := t.TempDir()
	for _, e := range files {
		write(t, filepath.Join(dir, e.name), e.text, 0o644)
	}
	o := options(t)
	o.Jobs = 2
	s, err := Run(context.Background(), []string{dir}, o)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range s.Components {
		for _, e := range c.Evidence {
			if !e.Shadowed {
				out = append(out, c.Name+"@"+c.Version+" "+e.Place.Path)
			}
		}
	}
	slices.Sort(out)
	for _, g := range s.Gaps {
		out = append(out, "gap "+g.Place.Path+": "+g.Reason)
	}
	return strings.Join(out, "\n")
}

func below(folder string, files []entry) []entry {
	var out []entry
	for _, e := range files {
		out = append(out, entry{folder + "/" + e.name, e.text})
	}
	return out
}

// TestSavedImages reads images that lie among other files by their layers: what a newer layer hides is not there.
func TestSavedImages(t *testing.T) {
	want := func(in string) string {
		return "kept@1.0.0 " + in + "!app/node_modules/kept/package.json\nms@2.1.3 " + in + "!app/node_modules/ms/package.json"
	}
	layout := layoutFiles(t)
	marker := layout[len(layout)-1]
	first := append([]entry{marker}, layout[:len(layout)-1]...)
	for _, c := range []struct {
		name  string
		files []entry
		want  string
	}{
		{"docker save", []entry{{"images/a.tar", tarOf(t, dockerFiles(t, "acme:1")...)}}, want("images/a.tar")},
		{"docker save, packed", []entry{{"a.tar.gz", gz(t, tarOf(t, dockerFiles(t, "acme:1")...))}}, want("a.tar.gz")},
		{"layout in tar", []entry{{"a.tar", tarOf(t, layout...)}}, want("a.tar")},
		{"layout in tar, marker first", []entry{{"a.tar", tarOf(t, first...)}}, want("a.tar")},
		{"layout in a folder", append(below("images/a", layout), entry{"images/b", "x"}), want("images/a")},
		{"layout in a folder of a tar", []entry{{"a.tar", tarOf(t, append(below("oci/x", layout), entry{"z/file", ""})...)}}, want("a.tar!oci/x")},
		{"image in an archive", []entry{{"a.tar.gz", gz(t, tarOf(t, entry{"opt/app/image.tar", tarOf(t, dockerFiles(t, "acme:1")...)}))}}, want("a.tar.gz!opt/app/image.tar")},
		{"two images", []entry{{"a.tar", tarOf(t, dockerFiles(t, "acme/x:1", "acme/y:2")...)}},
			want("a.tar!acme/x:1") + "\n" + want("a.tar!acme/y:2")},
		{"an archive with a manifest.json", []entry{{"a.tar", tarOf(t, entry{"manifest.json", "{}"}, entry{"node_modules/ms/package.json", `{"name":"ms","version":"2.1.3"}`})}},
			"ms@2.1.3 a.tar!node_modules/ms/package.json"},
		{"no layout", []entry{{"blobs/sha256/" + sum("x"), tarOf(t, entry{"node_modules/ms/package.json", `{"name":"ms","version":"2.1.3"}`})}},
			"ms@2.1.3 blobs/sha256/" + sum("x") + "!node_modules/ms/package.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Split(found(t, c.files...), "\n")
			want := strings.Split(c.want, "\n")
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// TestTornImage reads what is left of an image as an archive, and says so.
func TestTornImage(t *testing.T) {
	files := dockerFiles(t, "acme:1")
	got := found(t, entry{"a.tar", tarOf(t, slices.DeleteFunc(files, func(e entry) bool { return strings.HasSuffix(e.name, ".json") && e.name != "manifest.json" })...)})
	if !strings.Contains(got, "gap a.tar: opened as an archive") || !strings.Contains(got, "gone@1.0.0") {
		t.Errorf("got:\n%s", got)
	}
}

// TestLayerOfAnotherDigest tells a layer that is not the one the image's configuration names.
func TestLayerOfAnotherDigest(t *testing.T) {
	files := dockerFiles(t, "acme:1")
	files[1].text = tarOf(t, entry{"etc/motd", "hello"})
	got := found(t, entry{"a.tar", tarOf(t, files...)})
	if !strings.Contains(got, "the layer is not what the configuration names") || !strings.Contains(got, "ms@0.7.0") {
		t.Errorf("got:\n%s", got)
	}
}

// TestLayoutKeepsTheDigest has the same digest of a tree whether its blobs are an image or not.
func TestLayoutKeepsTheDigest(t *testing.T) {
	digest := func(files []entry, limit biopsy.Limits) string {
		dir := t.TempDir()
		for _, e := range files {
			write(t, filepath.Join(dir, e.name), e.text, 0o644)
		}
		o := options(t)
		o.Limits = limit
		s, err := Run(context.Background(), []string{dir}, o)
		if err != nil {
			t.Fatal(err)
		}
		return s.Artifacts[0].Digest
	}
	files := append(below("images/a", layoutFiles(t)), entry{"z", "x"})
	shallow := biopsy.DefaultLimits
	shallow.Depth = 1
	if a, b := digest(files, biopsy.DefaultLimits), digest(files, shallow); a != b || a == "" {
		t.Errorf("got %s and %s, want one digest", a, b)
	}
}

// FuzzTree scans a tree of one file.
func FuzzTree(f *testing.F) {
	f.Add("a.tar", []byte(tarOf(f, dockerFiles(f, "acme:1")...)))
	f.Add("a.tar", []byte(tarOf(f, layoutFiles(f)...)))
	f.Add("a.tgz", []byte(gz(f, tarOf(f, dockerFiles(f, "a", "b")...))))
	f.Add("pump.bin", []byte(strings.Repeat("\xff", 4096)+"hsqs"))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		dir := t.TempDir()
		if os.WriteFile(filepath.Join(dir, filepath.Base("x"+name)), text, 0o644) != nil {
			t.Skip()
		}
		o := options(t)
		o.Limits = biopsy.Limits{Depth: 5, Files: 1000, FileSize: 1 << 20, TotalSize: 8 << 20, Ratio: 100}
		s, err := Run(context.Background(), []string{dir}, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range s.Gaps {
			if strings.Contains(g.Reason, "broke down") {
				t.Errorf("%s: %s", g.Place, g.Reason)
			}
		}
	})
}
