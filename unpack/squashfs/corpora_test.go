package squashfs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy/imagetest"
)

// onDisk is a file of the operating system as biopsy.Content.
type onDisk struct{ *os.File }

func (f onDisk) Size() int64 {
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// corpus opens an image below the folder that BIOPSY_CORPORA names.
func corpus(t testing.TB, name string) onDisk {
	dir := os.Getenv("BIOPSY_CORPORA")
	if dir == "" {
		t.Skip("BIOPSY_CORPORA is not set")
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { f.Close() })
	return onDisk{f}
}

var corpora = []string{"squashfs-xz", "squashfs-lzma", "squashfs-zstd"}

func TestCorpora(t *testing.T) {
	var first map[string]string
	for _, name := range corpora {
		got := imagetest.Open(Image, corpus(t, "firmware/"+name+".img"), biopsy.DefaultLimits)
		if first == nil {
			first = got.Sums
		}
		if len(first) < 100 {
			t.Fatalf("%s: only %d files", name, len(first))
		}
		imagetest.Compare(t, name, got, first)
	}
}

func BenchmarkCorpora(b *testing.B) {
	for _, name := range corpora {
		c := corpus(b, "firmware/"+name+".img")
		b.Run(name, func(b *testing.B) {
			b.SetBytes(c.Size())
			b.ReportAllocs()
			for b.Loop() {
				if got := imagetest.Open(Image, c, biopsy.DefaultLimits); got.Err != nil || len(got.Gaps) > 0 {
					b.Fatal(got.Err, got.Gaps)
				}
			}
		})
	}
}
