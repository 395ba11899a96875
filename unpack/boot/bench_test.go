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

// BenchmarkKernel opens the kernels in $BIOPSY_CORPORA/kernels, and what they hold.
func BenchmarkKernel(b *testing.B) {
	dir := os.Getenv("BIOPSY_CORPORA")
	files, err := filepath.Glob(filepath.Join(dir, "kernels", "*"))
	if dir == "" || err != nil || len(files) == 0 {
		b.Skip("BIOPSY_CORPORA has no kernels")
	}
	for _, path := range files {
		b.Run(filepath.Base(path), func(b *testing.B) {
			image, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(image)))
			s, err := spool.Open(b.TempDir(), 0)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			for b.Loop() {
				openAll(b, biopsy.File{Path: filepath.Base(path)}, spool.Bytes(image), s)
			}
		})
	}
}

// openAll opens a container and the containers inside.
func openAll(t testing.TB, f biopsy.File, c biopsy.Content, s biopsy.Spool) {
	head := header(c, 0, c.Size(), 4096)
	for _, u := range All {
		if !u.Match(f, head) {
			continue
		}
		err := u.Unpack(context.Background(), f, c, biopsy.UnpackOptions{Limits: biopsy.DefaultLimits, Spool: s, Gap: func(biopsy.Gap) {}, Yield: func(m biopsy.File) error {
			inner, err := m.Open()
			if err != nil {
				return err
			}
			defer inner.Close()
			openAll(t, m, inner, s)
			_, err = io.Copy(io.Discard, io.NewSectionReader(inner, 0, inner.Size()))
			return err
		}})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
}
