package squashfs

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

func mksquashfs(t testing.TB, dir string, args ...string) []byte {
	if _, err := exec.LookPath("mksquashfs"); err != nil {
		t.Skip(err)
	}
	img := filepath.Join(t.TempDir(), "img")
	if out, err := exec.Command("mksquashfs", append([]string{dir, img, "-quiet", "-no-progress", "-all-root", "-mkfs-time", "0", "-processors", "1", "-mem", "64M"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("mksquashfs %v: %v\n%s", args, err, out)
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
	for _, args := range []string{
		"-comp gzip -b 4K", "-comp lzma", "-comp lzo -Xalgorithm lzo1x_1 -noI", "-comp lz4 -Xhc -always-use-fragments", "-comp zstd -b 1M -no-xattrs -no-exports",
		"-comp xz -Xbcj x86,powerpc -b 64K", "-noI -noD -noF -no-sparse", "-comp gzip -no-fragments -no-duplicates",
	} {
		img := mksquashfs(t, dir, strings.Fields(args)...)
		if !Image.Match(biopsy.File{}, img[:4096]) {
			t.Errorf("%s: does not match", args)
		}
		got := imagetest.Open(Image, lazy.Bytes(img), biopsy.DefaultLimits)
		imagetest.Compare(t, args, got, want)
		size, ok := Image.Extent(bytes.NewReader(append(make([]byte, 100), img...)), 100, int64(len(img)))
		if !ok || size > int64(len(img)) || size+4096 <= int64(len(img)) {
			t.Errorf("%s: extent %d, %v of %d", args, size, ok, len(img))
		}
		imagetest.Ledger(t, args, got.Ledgers, int64(len(img)))
	}
}
