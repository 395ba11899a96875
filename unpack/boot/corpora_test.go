package boot

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// TestCorpora opens a FIT of a Debian kernel, a board's tree and a root file system, and looks for the kernel's banner.
func TestCorpora(t *testing.T) {
	dir := os.Getenv("BIOPSY_CORPORA")
	if dir == "" {
		t.Skip("BIOPSY_CORPORA is not set")
	}
	image, err := os.ReadFile(filepath.Join(dir, "firmware", "fit.itb"))
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := extentFDT(spool.Bytes(image), 0, int64(len(image))); !ok || n != int64(len(image)) {
		t.Errorf("extent: got %d, %v, want %d", n, ok, len(image))
	}
	s := newSpool(t)
	var names []string
	options := biopsy.UnpackOptions{Limits: biopsy.DefaultLimits, Spool: s, Gap: func(g biopsy.Gap) { t.Errorf("gap %s: %s", g.Place, g.Reason) }}
	options.Yield = func(f biopsy.File) error {
		names = append(names, f.Path)
		if f.Path != "kernel-1.raw" {
			return nil
		}
		c, err := f.Open()
		if err != nil {
			return err
		}
		options.Yield = func(f biopsy.File) error {
			inner, err := f.Open()
			if err != nil {
				return err
			}
			defer inner.Close()
			if b, err := io.ReadAll(io.NewSectionReader(inner, 0, inner.Size())); err != nil || len(b) < 16<<20 {
				t.Errorf("%s: %d bytes: %v", f.Path, len(b), err)
			}
			names = append(names, f.Path)
			return nil
		}
		return ZImage.Unpack(context.Background(), f, c, options)
	}
	if err := FDT.Unpack(context.Background(), biopsy.File{Path: "fit.itb"}, spool.Bytes(image), options); err != nil {
		t.Fatal(err)
	}
	if len(names) < 2 || names[1] != "vmlinux.raw" {
		t.Errorf("got %q", names)
	}
}
