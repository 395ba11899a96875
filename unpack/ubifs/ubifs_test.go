package ubifs

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash/flashtest"
	"github.com/biopsy-sca/biopsy/unpack/ubi"
)

// corpus returns the folder of built corpora, or skips.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("BIOPSY_CORPORA")
	if dir == "" {
		t.Skip("BIOPSY_CORPORA is not set")
	}
	return dir
}

func TestCorpus(t *testing.T) {
	dir := corpus(t)
	c := flashtest.File(t, filepath.Join(dir, "firmware/ubi.img"))
	err := ubi.Image.Unpack(context.Background(), biopsy.File{}, c, biopsy.UnpackOptions{
		Gap: func(g biopsy.Gap) { t.Errorf("gap: %+v", g) },
		Yield: func(f biopsy.File) error {
			v, err := f.Open()
			if err != nil {
				return err
			}
			r := flashtest.Unpack(Volume, v)
			flashtest.Same(t, r, filepath.Join(dir, "device-armhf-stripped/rootfs"))
			if len(r.Gaps) > 0 {
				t.Errorf("gaps: %s", r.Reasons())
			}
			return nil
		},
	})
	if err != nil {
		t.Error(err)
	}
}

// make makes a volume out of a folder.
func makeVolume(t testing.TB, dir string, args ...string) biopsy.Content {
	t.Helper()
	img := filepath.Join(t.TempDir(), "img")
	flashtest.Run(t, "mkfs.ubifs", append([]string{"-r", dir, "-o", img}, args...)...)
	return flashtest.File(t, img)
}

func TestMade(t *testing.T) {
	dir := flashtest.Tree(t)
	for _, c := range []struct {
		name string
		args []string
	}{
		{"lzo", []string{"-m", "2048", "-e", "126976", "-c", "200", "-x", "lzo"}},
		{"zlib", []string{"-m", "2048", "-e", "126976", "-c", "200", "-x", "zlib"}},
		{"zstd", []string{"-m", "4096", "-e", "253952", "-c", "200", "-x", "zstd"}},
		{"none", []string{"-m", "512", "-e", "15872", "-c", "400", "-x", "none"}},
		{"favor lzo", []string{"-m", "2048", "-e", "126976", "-c", "200", "-x", "favor_lzo"}},
		{"fanout", []string{"-m", "2048", "-e", "126976", "-c", "200", "-f", "3"}},
		{"nor", []string{"-m", "8", "-e", "65408", "-c", "200"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := makeVolume(t, dir, c.args...)
			r := flashtest.Unpack(Volume, content)
			flashtest.Same(t, r, dir)
			if len(r.Gaps) > 0 {
				t.Errorf("gaps: %s", r.Reasons())
			}
			if n, ok := extent(content, 0, content.Size()); !ok || n != content.Size() {
				t.Errorf("extent: got %d, %v, want %d", n, ok, content.Size())
			}
		})
	}
}
