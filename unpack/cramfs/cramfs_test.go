package cramfs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
	"github.com/biopsy-sca/biopsy/internal/lazy/imagetest"
)

func mkfs(t testing.TB, dir string, args ...string) []byte {
	if _, err := exec.LookPath("mkfs.cramfs"); err != nil {
		t.Skip(err)
	}
	img := filepath.Join(t.TempDir(), "img")
	if out, err := exec.Command("mkfs.cramfs", append(args, dir, img)...).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.cramfs %v: %v\n%s", args, err, out)
	}
	b, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestUnpack(t *testing.T) {
	dir := imagetest.Plant(t)
	want := imagetest.Escaped(imagetest.TreeSums(t, dir))
	for _, args := range []string{"-N little", "-N big", "-N big -z", "-p", "-p -N big"} {
		img := mkfs(t, dir, strings.Fields(args)...)
		if !Image.Match(biopsy.File{}, img[:4096]) {
			t.Errorf("%s: does not match", args)
		}
		got := imagetest.Open(Image, lazy.Bytes(img), biopsy.DefaultLimits)
		imagetest.Compare(t, args, got, want)
		imagetest.Ledger(t, args, got.Ledgers, int64(len(img)))
		if strings.HasPrefix(args, "-p") { // a carver finds what stands behind the boot code
			img = img[bootSize:]
			imagetest.Compare(t, args+", without boot code", imagetest.Open(Image, lazy.Bytes(img), biopsy.DefaultLimits), want)
		}
		size, ok := Image.Extent(bytes.NewReader(append(make([]byte, 100), img...)), 100, int64(len(img)))
		if !ok || size != int64(len(img)) {
			t.Errorf("%s: extent %d, %v of %d", args, size, ok, len(img))
		}
	}
}
