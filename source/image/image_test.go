package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// item is one entry of a layer: content, "-> link", "=> hard link", or a folder when the name ends in "/".
type item struct{ name, what string }

func tarOf(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, i := range items {
		h := tar.Header{Name: i.name, Mode: 0o644, Size: int64(len(i.what))}
		link, sym := strings.CutPrefix(i.what, "-> ")
		hard, isHard := strings.CutPrefix(i.what, "=> ")
		switch {
		case sym:
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, link, 0
		case isHard:
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, hard, 0
		case strings.HasSuffix(i.name, "/"):
			h.Typeflag, h.Size = tar.TypeDir, 0
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			io.WriteString(w, i.what)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func zst(b []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(b, nil)
}

func plain(b []byte) []byte { return b }

func digest(b []byte) string {
	s := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(s[:])
}

func must(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type object = map[string]any

// layout writes OCI layouts: blobs by digest, and index.json from descriptors.
type layout struct {
	t     testing.TB
	blobs map[string][]byte
}

func (l layout) put(mediaType string, b []byte) object {
	d := digest(b)
	l.blobs["blobs/sha256/"+d[7:]] = b
	return object{"mediaType": mediaType, "digest": d, "size": len(b)}
}

// image adds an image of layers, which are packed as they are stored.
func (l layout) image(pack func([]byte) []byte, layers ...[]byte) object {
	var ids []string
	var stored, history []any
	for i, b := range layers {
		ids = append(ids, digest(b))
		stored = append(stored, l.put("application/vnd.oci.image.layer.v1.tar", pack(b)))
		history = append(history, object{"created_by": fmt.Sprintf("step %d", i+1)}, object{"created_by": "ENV", "empty_layer": true})
	}
	conf := l.put("application/vnd.oci.image.config.v1+json", must(l.t, object{"rootfs": object{"type": "layers", "diff_ids": ids}, "history": history}))
	return l.put("application/vnd.oci.image.manifest.v1+json", must(l.t, object{"schemaVersion": 2, "config": conf, "layers": stored}))
}

func (l layout) index(manifests ...object) {
	l.blobs["index.json"] = must(l.t, object{"schemaVersion": 2, "manifests": manifests})
	l.blobs["oci-layout"] = []byte(`{"imageLayoutVersion": "1.0.0"}`)
}

func newLayout(t testing.TB) layout { return layout{t, map[string][]byte{}} }

// folder writes the layout as a directory, archive as a tar file.
func (l layout) folder() string {
	dir := l.t.TempDir()
	for name, b := range l.blobs {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			l.t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			l.t.Fatal(err)
		}
	}
	return dir
}

func (l layout) archive(pack func([]byte) []byte) string {
	var items []item
	for name, b := range l.blobs {
		items = append(items, item{name, string(b)})
	}
	return save(l.t, "image.tar", pack(tarOf(l.t, items...)))
}

func save(t testing.TB, name string, b []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// docker writes what "docker save" wrote up to version 24.
func docker(t testing.TB, layers ...[]byte) string {
	t.Helper()
	var items []item
	var names, ids []string
	for i, b := range layers {
		name := fmt.Sprintf("%064x/layer.tar", i)
		names, ids = append(names, name), append(ids, digest(b))
		items = append(items, item{name, string(b)})
	}
	conf := must(t, object{"rootfs": object{"diff_ids": ids}})
	items = append(items, item{digest(conf)[7:] + ".json", string(conf)},
		item{"manifest.json", string(must(t, []object{{"Config": digest(conf)[7:] + ".json", "RepoTags": []string{"acme/pump:1"}, "Layers": names}}))})
	return save(t, "docker.tar", tarOf(t, items...))
}

func options(t testing.TB) biopsy.OpenOptions {
	t.Helper()
	s, err := spool.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return biopsy.OpenOptions{Spool: s, Limits: biopsy.DefaultLimits}
}

// list walks a tree and writes files and gaps, one a line: "-" before shadowed files, and the number of the layer.
func list(t testing.TB, tree *biopsy.Tree) string {
	t.Helper()
	number := map[string]int{}
	for i, l := range tree.Artifact.Layers {
		number[l.DiffID] = i + 1
	}
	var out strings.Builder
	err := tree.Walk(context.Background(), func(f biopsy.File) error {
		if f.Shadowed {
			out.WriteString("- ")
		}
		fmt.Fprintf(&out, "%d %s", number[f.Layer], f.Path)
		c, err := f.Open()
		if err != nil {
			fmt.Fprintf(&out, ": %v\n", err)
			return nil
		}
		defer c.Close()
		b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
		if int64(len(b)) != f.Size {
			t.Errorf("%s: read %d bytes, size says %d", f.Path, len(b), f.Size)
		}
		fmt.Fprintf(&out, " %q\n", b)
		return err
	}, func(g biopsy.Gap) {
		fmt.Fprintf(&out, "gap %d %s: %s\n", number[g.Place.Layer], g.Place.Path, g.Reason)
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// layers of the sample: replacing, deleting, opaque folders, links, a folder over a file and a file over a folder.
func sample(t testing.TB) [][]byte {
	return [][]byte{
		tarOf(t, item{"etc/", ""}, item{"etc/a", "a1"}, item{"etc/b", "b1"}, item{"opq/old", "o1"}, item{"dir/x", "x1"}, item{"file", "f1"},
			item{"gone/deep/f", "g1"}, item{"./var/lib/db", "d1"}, item{"bin/tool", "t1"}, item{"bin/again", "=> bin/tool"}, item{"lib", "-> usr/lib"}),
		tarOf(t, item{"etc/a", "a2"}, item{"etc/.wh.b", ""}, item{"opq/.wh..wh..opq", ""}, item{"opq/new", "o2"}, item{"dir", "now a file"},
			item{"file/", ""}, item{"file/y", "y2"}, item{".wh.gone", ""}, item{"bin/.wh.tool", ""}),
		tarOf(t, item{"etc/b", "b3"}, item{"/../evil", "e3"}, item{"etc/link", "=> etc/nowhere"}, item{"a!b", "bang"}),
	}
}

const wantSample = `3 etc/b "b3"
3 %2E%2E/evil "e3"
3 a%21b "bang"
gap 3 etc/link: hard link to etc/nowhere, which is not in its layer
2 etc/a "a2"
2 opq/new "o2"
2 dir "now a file"
2 file/y "y2"
- 1 etc/a "a1"
- 1 etc/b "b1"
- 1 opq/old "o1"
- 1 dir/x "x1"
- 1 file "f1"
- 1 gone/deep/f "g1"
1 var/lib/db "d1"
- 1 bin/tool "t1"
1 bin/again "t1"
`

func TestForms(t *testing.T) {
	layers := sample(t)
	layoutOf := func(pack func([]byte) []byte) layout {
		l := newLayout(t)
		l.index(l.image(pack, layers...))
		return l
	}
	dockerTar := docker(t, layers...)
	dockerBytes, err := os.ReadFile(dockerTar)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		opener biopsy.Opener
		path   string
	}{
		"docker":            {DockerArchive, dockerTar},
		"docker gz":         {DockerArchive, save(t, "d.tar.gz", gz(dockerBytes))},
		"layout":            {OCI, layoutOf(plain).folder()},
		"layout gz layers":  {OCI, layoutOf(gz).folder()},
		"layout zst layers": {OCI, layoutOf(zst).folder()},
		"tar":               {OCI, layoutOf(plain).archive(plain)},
		"tar gz layers":     {DockerArchive, layoutOf(gz).archive(plain)},
		"tar.zst":           {OCI, layoutOf(gz).archive(zst)},
	} {
		o := options(t)
		tree, err := c.opener.Open(context.Background(), c.path, o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := list(t, tree); got != wantSample {
			t.Errorf("%s: got\n%s want\n%s", name, got, wantSample)
		}
		if a := tree.Artifact; !strings.HasPrefix(a.Digest, "sha256:") || len(a.Layers) != 3 || a.Kind != "container-image" || a.Layers[0].DiffID != digest(layers[0]) {
			t.Errorf("%s: artifact %+v", name, a)
		}
		if err := tree.Close(); err != nil {
			t.Errorf("%s: close: %v", name, err)
		}
	}
}

func TestExclude(t *testing.T) {
	o := options(t)
	o.Exclude = []string{"etc", "**/deep/**"}
	tree, err := DockerArchive.Open(context.Background(), docker(t, sample(t)...), o)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if got := list(t, tree); strings.Contains(got, " etc/") && strings.Contains(got, "\"b3\"") || strings.Contains(got, "deep") {
		t.Errorf("got\n%s", got)
	}
}

func TestHistory(t *testing.T) {
	l := newLayout(t)
	l.index(l.image(gz, sample(t)...))
	tree, err := OCI.Open(context.Background(), l.folder(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for i, layer := range tree.Artifact.Layers {
		if want := fmt.Sprintf("step %d", i+1); layer.CreatedBy != want {
			t.Errorf("layer %d: got %q, want %q", i, layer.CreatedBy, want)
		}
	}
}

// with adds to a descriptor.
func with(d object, more object) object {
	all := object{}
	for _, m := range []object{d, more} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

func on(os, arch string) object {
	return object{"platform": object{"os": os, "architecture": arch}}
}

func TestChoice(t *testing.T) {
	l := newLayout(t)
	file := func(name string) object { return l.image(gz, tarOf(t, item{name, name})) }
	amd, arm, single := file("amd64"), file("arm64"), file("single")
	attestation := with(file("attestation"), object{"platform": object{"os": "unknown", "architecture": "unknown"}})
	multi := l.put("application/vnd.oci.image.index.v1+json", must(t, object{"manifests": []object{with(arm, on("linux", "arm64")), with(amd, on("linux", "amd64")), attestation}}))
	named := func(d object, name string) object {
		return with(d, object{"annotations": object{"org.opencontainers.image.ref.name": name, "io.containerd.image.name": "docker.io/acme/" + name}})
	}
	l.index(named(multi, "multi"), named(single, "single"))
	dir := l.folder()
	for _, c := range []struct{ ref, want string }{
		{dir + ":multi", "amd64"},
		{dir + ":multi?platform=linux/arm64", "arm64"},
		{dir + ":single", "single"},
		{dir + ":acme/single", "single"},
		{dir + ":single?platform=linux/arm64", "single"},
		{dir + ":" + single["digest"].(string), "single"},
	} {
		tree, err := OCI.Open(context.Background(), c.ref, options(t))
		if err != nil {
			t.Errorf("%s: %v", c.ref, err)
			continue
		}
		if got := list(t, tree); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s want %s", c.ref, got, c.want)
		}
		tree.Close()
	}
	for _, c := range []struct{ ref, want, hint string }{
		{dir, "several images", ""},
		{dir + ":none", "no image is called", "single"},
		{dir + ":multi?platform=linux/s390x", "no image for linux/s390x", "linux/arm64"},
		{dir + "?platform=arm", "not OS/ARCHITECTURE", "linux/arm64"},
		{filepath.Join(dir, "nothing"), "no such file", ""},
		{t.TempDir(), "neither index.json nor manifest.json", "docker save"},
	} {
		_, err := OCI.Open(context.Background(), c.ref, options(t))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(hint.Of(err), c.hint) {
			t.Errorf("%s: got %v (%q), want %q (%q)", c.ref, err, hint.Of(err), c.want, c.hint)
		}
	}
}

func TestDamagedImages(t *testing.T) {
	layers := sample(t)
	for name, c := range map[string]struct {
		spoil func(l layout, manifest object)
		want  string // of the error or of a gap
	}{
		"manifest of another digest": {func(l layout, m object) { l.blobs["blobs/sha256/"+m["digest"].(string)[7:]] = []byte(`{"config":{}}`) }, "its digest is"},
		"no manifest":                {func(l layout, m object) { delete(l.blobs, "blobs/sha256/"+m["digest"].(string)[7:]) }, "no such file"},
		"index is no JSON":           {func(l layout, m object) { l.blobs["index.json"] = []byte("{") }, "index.json"},
		"index without images":       {func(l layout, m object) { l.index() }, "no image"},
		"digest that climbs":         {func(l layout, m object) { l.index(object{"digest": "sha256:../../../etc/passwd"}) }, "is no digest"},
		"index in a circle": {func(l layout, m object) {
			l.index(l.put("", must(l.t, object{"manifests": []object{with(m, object{"annotations": object{"vnd.docker.reference.type": "x"}})}})))
		}, "no image"},
		"layer is missing": {func(l layout, m object) { delete(l.blobs, "blobs/sha256/"+digest(gz(layers[1]))[7:]) }, "gap 2 sha256:"},
		"layer is cut off": {func(l layout, m object) {
			k := "blobs/sha256/" + digest(gz(layers[1]))[7:]
			l.blobs[k] = l.blobs[k][:100]
		}, "layer not read to its end"},
		"layer of another digest is told": {func(l layout, m object) {
			l.blobs["blobs/sha256/"+digest(gz(layers[2]))[7:]] = gz(tarOf(t, item{"etc/evil", "e"}))
		}, "not what the manifest names"},
		"layer of another digest is read": {func(l layout, m object) {
			l.blobs["blobs/sha256/"+digest(gz(layers[2]))[7:]] = gz(tarOf(t, item{"etc/evil", "e"}))
		}, "3 etc/evil"},
		"layer is no tar": {func(l layout, m object) { l.blobs["blobs/sha256/"+digest(gz(layers[0]))[7:]] = []byte("hello") }, "gap 1 sha256:"},
	} {
		l := newLayout(t)
		m := l.image(gz, layers...)
		l.index(m)
		c.spoil(l, m)
		got := ""
		tree, err := OCI.Open(context.Background(), l.folder(), options(t))
		if err != nil {
			got = err.Error()
		} else {
			got = list(t, tree)
			tree.Close()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s, want %q", name, got, c.want)
		}
	}
}

// TestCutArchive cuts a docker archive everywhere: never a panic, and never silence.
func TestCutArchive(t *testing.T) {
	b, err := os.ReadFile(docker(t, sample(t)...))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(b)-1024; n += 512 {
		tree, err := DockerArchive.Open(context.Background(), save(t, "cut.tar", b[:n]), options(t))
		if err == nil {
			t.Errorf("cut at %d of %d: opens as %+v", n, len(b), tree.Artifact)
			tree.Close()
		}
	}
}

func TestLayerBomb(t *testing.T) {
	bomb := gz(tarOf(t, item{"zeros", strings.Repeat("\x00", 70<<20)}))
	l := newLayout(t)
	l.index(l.image(plain, bomb))
	o := options(t)
	o.Limits.Ratio = 10
	tree, err := OCI.Open(context.Background(), l.folder(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if got := list(t, tree); !strings.Contains(got, "limit of ratio") {
		t.Errorf("got %s", got)
	}
}

func TestTooManyFiles(t *testing.T) {
	o := options(t)
	o.Limits.Files = 10
	tree, err := DockerArchive.Open(context.Background(), docker(t, sample(t)...), o)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if got := list(t, tree); !strings.Contains(got, "more than 10 entries") || strings.Count(got, "\n") > 15 {
		t.Errorf("got %s", got)
	}
}

func TestDetect(t *testing.T) {
	l := newLayout(t)
	l.index(l.image(gz, sample(t)...))
	dir := l.folder()
	for _, c := range []struct {
		path         string
		oci, archive bool
	}{
		{dir, true, false},
		{docker(t, sample(t)...), false, true},
		{l.archive(plain), false, true},
		{l.archive(gz), false, true},
		{save(t, "root.tar", sample(t)[0]), false, false},
		{save(t, "root.tar.gz", gz(sample(t)[0])), false, false},
		{save(t, "podman.tar.gz", gz(tarOf(t, item{strings.Repeat("0f", 32) + ".tar", "x"}))), false, true},
		{save(t, "zeros.tar.gz", gz(append(tarOf(t, item{"top", ""}), make([]byte, maxDetect+1<<20)...))), false, false},
		{save(t, "text", []byte("hello")), false, false},
		{save(t, "empty", nil), false, false},
		{t.TempDir(), false, false},
		{filepath.Join(dir, "none"), false, false},
	} {
		if got := isLayout(c.path); got != c.oci {
			t.Errorf("%s: layout %v, want %v", c.path, got, c.oci)
		}
		if got := isArchive(c.path); got != c.archive {
			t.Errorf("%s: archive %v, want %v", c.path, got, c.archive)
		}
	}
}

// TestLinkedLayers reads archives in which equal layers are links to the first.
func TestLinkedLayers(t *testing.T) {
	layer := tarOf(t, item{"f", "x"})
	conf := must(t, object{"rootfs": object{"diff_ids": []string{digest(layer), digest(layer)}}})
	manifest := must(t, []object{{"Config": "c.json", "Layers": []string{"a/layer.tar", "b/layer.tar"}}})
	for _, link := range []string{"-> ../a/layer.tar", "=> a/layer.tar"} {
		path := save(t, "i.tar", tarOf(t, item{"a/layer.tar", string(layer)}, item{"b/layer.tar", link}, item{"c.json", string(conf)}, item{"manifest.json", string(manifest)}))
		tree, err := DockerArchive.Open(context.Background(), path, options(t))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Count(list(t, tree), `f "x"`), 2; got != want {
			t.Errorf("%s: got %d files, want %d", link, got, want)
		}
		tree.Close()
	}
}

func FuzzLayers(f *testing.F) {
	for _, l := range sample(f) {
		f.Add(l, gz(l))
	}
	f.Add(zst(sample(f)[0]), []byte{})
	s, err := spool.Open(f.TempDir(), 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, older, newer []byte) {
		img := &image{}
		for i, b := range [][]byte{older, newer} {
			img.layers = append(img.layers, layer{Layer: biopsy.Layer{DiffID: fmt.Sprint(i)}, blob: fmt.Sprint(i), open: func() (biopsy.Content, error) {
				return section{io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), nil}, nil
			}})
		}
		tree, err := img.tree("x", nothing{}, biopsy.OpenOptions{Spool: s, Limits: biopsy.Limits{FileSize: 1 << 20, TotalSize: 4 << 20}})
		if err != nil {
			t.Fatal(err)
		}
		err = tree.Walk(context.Background(), func(f biopsy.File) error {
			if strings.HasPrefix(f.Path, "/") || strings.Contains("/"+f.Path+"/", "/../") || f.Path == "" {
				t.Errorf("path %q", f.Path)
			}
			if c, err := f.Open(); err == nil {
				io.Copy(io.Discard, io.NewSectionReader(c, 0, c.Size()))
				c.Close()
			}
			return nil
		}, func(biopsy.Gap) {})
		if err != nil {
			t.Errorf("walk: %v", err)
		}
		tree.Close()
	})
}

func FuzzManifests(f *testing.F) {
	l := newLayout(f)
	m := l.image(plain, sample(f)[0])
	f.Add([]byte(`{"manifests":[`+string(must(f, m))+`]}`), l.blobs["blobs/sha256/"+m["digest"].(string)[7:]])
	f.Add([]byte(`[{"Config":"c","RepoTags":["x"],"Layers":["l"]}]`), []byte(`{"rootfs":{"diff_ids":["a"]},"history":[{}]}`))
	f.Fuzz(func(t *testing.T, index, document []byte) {
		s := always(document)
		fromIndex(s, index, choice{})
		fromDocker(s, index, choice{})
	})
}

// always is a store in which every blob is the same.
type always []byte

func (a always) manifest(descriptor) ([]byte, error)     { return a, nil }
func (a always) blob(descriptor) (biopsy.Content, error) { return spool.Bytes(a), nil }
func (a always) file(string) ([]byte, error)             { return a, nil }
func (a always) open(string) (biopsy.Content, error)     { return spool.Bytes(a), nil }
func (a always) Close() error                            { return nil }

// BenchmarkImage lists images; with BIOPSY_CORPORA real ones.
func BenchmarkImage(b *testing.B) {
	var items []item
	for i := range 1000 {
		items = append(items, item{fmt.Sprintf("usr/share/doc/p%d/copyright", i), strings.Repeat("x", 3000)})
	}
	paths := map[string]string{"docker": docker(b, tarOf(b, items...))}
	if c := os.Getenv("BIOPSY_CORPORA"); c != "" {
		paths["image.tar"] = filepath.Join(c, "image/image.tar")
		paths["oci.tar"] = filepath.Join(c, "image/oci.tar")
	}
	for name, path := range paths {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			o := options(b)
			for b.Loop() {
				tree, err := DockerArchive.Open(context.Background(), path, o)
				if err != nil {
					b.Fatal(err)
				}
				if err := tree.Walk(context.Background(), func(biopsy.File) error { return nil }, func(biopsy.Gap) {}); err != nil {
					b.Fatal(err)
				}
				tree.Close()
			}
		})
	}
}
