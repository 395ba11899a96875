package jffs2

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/flash/flashtest"
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
	r := flashtest.Unpack(Image, flashtest.File(t, filepath.Join(dir, "firmware/jffs2.img")))
	flashtest.Same(t, r, filepath.Join(dir, "device-armhf-stripped/rootfs"))
	if len(r.Gaps) > 0 {
		t.Errorf("gaps: %s", r.Reasons())
	}
}

func TestMade(t *testing.T) {
	dir := flashtest.Tree(t)
	for _, c := range []struct {
		name string
		args []string
	}{
		{"little", []string{"-l"}},
		{"big", []string{"-b"}},
		{"no clean markers", []string{"-l", "-n"}},
		{"padded", []string{"-l", "-p"}},
		{"lzo", []string{"-l", "-X", "lzo", "-y", "60:lzo", "-x", "zlib"}},
		{"rtime", []string{"-b", "-x", "zlib", "-x", "lzo"}},
		{"plain", []string{"-l", "-m", "none"}},
		{"small pages", []string{"-l", "-s", "1024"}},
		{"large pages", []string{"-b", "-s", "65536"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			img := filepath.Join(t.TempDir(), "img")
			flashtest.Run(t, "mkfs.jffs2", append([]string{"-q", "-r", dir, "-o", img, "-e", "128KiB"}, c.args...)...)
			content := flashtest.File(t, img)
			r := flashtest.Unpack(Image, content)
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
