package source

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// put writes a file below dir and returns its path.
func put(t *testing.T, dir, name string, b []byte) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func tarOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, what := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(what))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(what)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	put(t, dir, "tree/a", []byte("x"))
	put(t, dir, "odd:name", []byte("x"))
	put(t, dir, "bom.json", []byte(`{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": []}`))
	put(t, dir, "root.tar", tarOf(t, map[string]string{"usr/bin/x": "x"}))
	put(t, dir, "image.tar", tarOf(t, map[string]string{
		"c.json": `{"rootfs":{"diff_ids":["sha256:1"]}}`, "manifest.json": `[{"Config":"c.json","Layers":["l.tar"]}]`, "l.tar": "",
	}))
	s, err := spool.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	o := biopsy.OpenOptions{Spool: s, Limits: biopsy.DefaultLimits, Offline: true}
	for _, c := range []struct{ ref, wantRef, kind string }{
		{"tree", "dir:tree", "directory"},
		{"dir:tree", "dir:tree", "directory"},
		{"root.tar", "file:root.tar", "file"},
		{"file:image.tar", "file:image.tar", "file"},
		{"image.tar", "docker-archive:image.tar", "container-image"},
		{"odd:name", "file:odd:name", "file"},
		{"bom.json", "sbom:bom.json", "sbom"},
	} {
		tree, err := Open(context.Background(), c.ref, o)
		if err != nil {
			t.Errorf("%s: %v", c.ref, err)
			continue
		}
		if a := tree.Artifact; a.Ref != c.wantRef || a.Kind != c.kind {
			t.Errorf("%s: got %s, %s, want %s, %s", c.ref, a.Ref, a.Kind, c.wantRef, c.kind)
		}
		if err := tree.Close(); err != nil {
			t.Errorf("%s: %v", c.ref, err)
		}
	}
	for _, c := range []struct{ ref, want, hint string }{
		{"nothing", "nothing: no such file", "dir:"},
		{"ftp:x", "no such file", "registry:"},
		{"dir:", "names nothing", "PATH"},
		{"dir:root.tar", "not a directory", "file:"},
		{os.DevNull, "not a regular file", "registry:"},
		{"file:" + os.DevNull, "not a regular file", "copy"},
		{"registry:host/x", "offline", "docker save"},
		{"git:https://host/x", "offline", "clone"},
	} {
		_, err := Open(context.Background(), c.ref, o)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(hint.Of(err), c.hint) {
			t.Errorf("%s: got %v (%q), want %q (%q)", c.ref, err, hint.Of(err), c.want, c.hint)
		}
	}
}

func TestNamesAreSchemes(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range All {
		if o.Name == "" || o.Open == nil || seen[o.Name] {
			t.Errorf("opener %q is incomplete or there twice", o.Name)
		}
		seen[o.Name] = true
	}
}
