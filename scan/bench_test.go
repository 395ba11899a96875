package scan

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// BenchmarkCorpora scans the built corpora below the folder that BIOPSY_CORPORA names, at the two depths people use.
func BenchmarkCorpora(b *testing.B) {
	root := os.Getenv("BIOPSY_CORPORA")
	if root == "" {
		b.Skip("BIOPSY_CORPORA names no folder of built corpora")
	}
	for _, target := range []string{"debian-amd64/rootfs", "device-armhf/rootfs", "go-monorepo/tree", "go-binaries/bin", "npm-app/tree", "java-app/tree", "python-app/tree", "source-c/tree", "image/image.tar", "image/oci.tar"} {
		for _, depth := range []biopsy.Depth{biopsy.Quick, biopsy.Standard} {
			b.Run(target+"/"+string(depth), func(b *testing.B) {
				path := filepath.Join(root, target)
				if _, err := os.Stat(path); err != nil {
					b.Skip(err)
				}
				sp, err := spool.Open(b.TempDir(), 0)
				if err != nil {
					b.Fatal(err)
				}
				defer sp.Close()
				b.ReportAllocs()
				for b.Loop() {
					s, err := Run(context.Background(), []string{path}, Options{Depth: depth, Spool: sp})
					if err != nil {
						b.Fatal(err)
					}
					b.SetBytes(s.Artifacts[0].Size)
				}
			})
		}
	}
}
