package romfs

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
	if _, err := exec.LookPath("genromfs"); err != nil {
		t.Skip(err)
	}
	img := filepath.Join(t.TempDir(), "img")
	if out, err := exec.Command("genromfs", append(args, "-V", "a volume's name", "-f", img, "-d", dir)...).CombinedOutput(); err != nil {
		t.Fatalf("genromfs %v: %v\n%s", args, err, out)
	}
	b, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// twoModes makes modes those that romfs knows.
func twoModes(sums map[string]string) map[string]string {
	for path, sum := range sums {
		mode := "-rw-r--r--"
		if strings.Contains(strings.Fields(sum)[0], "x") {
			mode = "-rwxr-xr-x"
		}
		sums[path] = mode + " " + strings.Fields(sum)[1]
	}
	return sums
}

func TestUnpack(t *testing.T) {
	dir := imagetest.Plant(t)
	want := twoModes(imagetest.Escaped(imagetest.TreeSums(t, dir)))
	for _, args := range []string{"", "-a 4096"} {
		img := mkfs(t, dir, strings.Fields(args)...)
		if !Image.Match(biopsy.File{}, img[:4096]) {
			t.Errorf("%s: does not match", args)
		}
		got := imagetest.Open(Image, lazy.Bytes(img), biopsy.DefaultLimits)
		imagetest.Compare(t, args, got, want)
		size, ok := Image.Extent(bytes.NewReader(append(make([]byte, 100), img...)), 100, int64(len(img)))
		if !ok || size > int64(len(img)) || size+1024 <= int64(len(img)) {
			t.Errorf("%s: extent %d, %v of %d", args, size, ok, len(img))
		}
		imagetest.Ledger(t, args, got.Ledgers, int64(len(img)))
	}
}
