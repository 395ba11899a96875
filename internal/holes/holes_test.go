package holes

import (
	"os"
	"path/filepath"
	"testing"
)

func TestData(t *testing.T) {
	const size = 64 << 20
	f, err := os.Create(filepath.Join(t.TempDir(), "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{1}, 32<<20); err != nil {
		t.Fatal(err)
	}
	for off, most := range map[int64]int64{0: 32 << 20, 32 << 20: 32 << 20, 48 << 20: size, size: size} {
		if got := Data(f.Fd(), off, size); got < off || got > most {
			t.Errorf("from %d: data at %d, want it from there to %d", off, got, most)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
