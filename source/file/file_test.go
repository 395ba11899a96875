package file

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
)

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pump.bin")
	if err := os.WriteFile(path, []byte("firmware"), 0o755); err != nil {
		t.Fatal(err)
	}
	tree, err := open(context.Background(), path, biopsy.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tree.Artifact, (biopsy.Artifact{Ref: "file:" + path, Name: "pump.bin", Kind: "file"}); got.Ref != want.Ref || got.Name != want.Name || got.Kind != want.Kind {
		t.Errorf("got %+v, want %+v", got, want)
	}
	n := 0
	err = tree.Walk(context.Background(), func(f biopsy.File) error {
		n++
		c, err := f.Open()
		if err != nil {
			return err
		}
		defer c.Close()
		b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
		if f.Path != "pump.bin" || f.Size != 8 || f.Mode != 0o755 || string(b) != "firmware" || c.(biopsy.LocalPath).LocalPath() != path {
			t.Errorf("got %+v, %q", f, b)
		}
		return err
	}, func(g biopsy.Gap) { t.Errorf("gap %+v", g) })
	if err != nil || n != 1 {
		t.Errorf("got %d files, %v", n, err)
	}
	if err := tree.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ ref, want, hint string }{
		{dir, "is a directory", "dir:"},
		{filepath.Join(dir, "none"), "no such file", ""},
		{os.DevNull, "not a regular file", "copy"},
	} {
		_, err := open(context.Background(), c.ref, biopsy.OpenOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(hint.Of(err), c.hint) {
			t.Errorf("%s: got %v (%q), want %q (%q)", c.ref, err, hint.Of(err), c.want, c.hint)
		}
	}
}
