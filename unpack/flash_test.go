package unpack

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash/flashtest"
	"github.com/biopsy-sca/biopsy/unpack/jffs2"
	"github.com/biopsy-sca/biopsy/unpack/ubi"
	"github.com/biopsy-sca/biopsy/unpack/ubifs"
)

// TestFlashCorpora compares whole images of flash chips with the tree they were made of, byte for byte.
func TestFlashCorpora(t *testing.T) {
	dir := os.Getenv("BIOPSY_CORPORA")
	if dir == "" {
		t.Skip("BIOPSY_CORPORA is not set")
	}
	root := filepath.Join(dir, "device-armhf-stripped", "rootfs")
	same := func(u biopsy.Unpacker, c biopsy.Content) {
		r := flashtest.Unpack(u, c)
		flashtest.Same(t, r, root)
		if len(r.Gaps) > 0 {
			t.Errorf("gaps: %s", r.Reasons())
		}
		flashtest.Covers(t, r, c.Size())
	}
	same(jffs2.Image, flashtest.File(t, filepath.Join(dir, "firmware", "jffs2.img")))
	volumes := 0
	err := ubi.Image.Unpack(context.Background(), biopsy.File{}, flashtest.File(t, filepath.Join(dir, "firmware", "ubi.img")), biopsy.UnpackOptions{
		Gap: func(g biopsy.Gap) { t.Errorf("gap: %+v", g) },
		Yield: func(f biopsy.File) error {
			c, err := f.Open()
			if err != nil {
				return err
			}
			volumes++
			same(ubifs.Volume, c)
			return nil
		},
	})
	if err != nil || volumes != 1 {
		t.Errorf("got %d volumes, %v", volumes, err)
	}
}
