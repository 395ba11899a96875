package erofs

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
	if _, err := exec.LookPath("mkfs.erofs"); err != nil {
		t.Skip(err)
	}
	img := filepath.Join(t.TempDir(), "img")
	if out, err := exec.Command("mkfs.erofs", append(append([]string{"--quiet", "-T0"}, args...), img, dir)...).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.erofs %v: %v\n%s", args, err, out)
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
		"", "-zlz4", "-zlz4hc", "-zlz4hc -C65536", "-zlz4 -Elegacy-compress", "-zlz4hc -Eztailpacking -C16384",
		"--chunksize=4096", "--chunksize=65536 -Eforce-chunk-indexes", "-Eforce-inode-extended -Enoinline_data", "-Eforce-inode-compact -zlz4",
	} {
		img := mkfs(t, dir, strings.Fields(args)...)
		if !Image.Match(biopsy.File{}, img[:4096]) {
			t.Errorf("%s: does not match", args)
		}
		got := imagetest.Open(Image, lazy.Bytes(img), biopsy.DefaultLimits)
		imagetest.Compare(t, args, got, want)
		size, ok := Image.Extent(bytes.NewReader(append(make([]byte, 100), img...)), 100, int64(len(img)))
		if !ok || size != int64(len(img)) {
			t.Errorf("%s: extent %d, %v of %d", args, size, ok, len(img))
		}
		imagetest.Ledger(t, args, got.Ledgers, int64(len(img)))
	}
}
