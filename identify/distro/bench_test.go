package distro

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

// BenchmarkCorpus times the readers over the files of a real tree, read from disk before: BIOPSY_CORPORA names the folder.
func BenchmarkCorpus(b *testing.B) {
	base := os.Getenv("BIOPSY_CORPORA")
	if base == "" {
		b.Skip("BIOPSY_CORPORA is not set")
	}
	for _, x := range []biopsy.Extractor{Dpkg, DpkgFiles, DpkgCopyright} {
		b.Run(x.Name, func(b *testing.B) { benchReader(b, filepath.Join(base, "debian-amd64", "rootfs"), x) })
	}
}

func benchReader(b *testing.B, dir string, x biopsy.Extractor) {
	var inputs []biopsy.Input
	var size int64
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil || !wants(x, filepath.ToSlash(rel)) {
			return err
		}
		data, err := os.ReadFile(p)
		inputs = append(inputs, input(filepath.ToSlash(rel), data, func(biopsy.Gap) {}))
		size += int64(len(data))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, in := range inputs {
			if err := x.Extract(b.Context(), in, func(biopsy.Evidence) {}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(inputs)), "files")
}

// BenchmarkRPM times the reading of a small database of each form.
func BenchmarkRPM(b *testing.B) {
	for _, c := range []struct{ file, place string }{{"sqlite", "var/lib/rpm/rpmdb.sqlite"}, {"ndb", "var/lib/rpm/Packages.db"}, {"bdb-1234", "var/lib/rpm/Packages"}} {
		b.Run(c.file, func(b *testing.B) {
			data := gunzip(b, "testdata/rpm/"+c.file+".gz")
			in := input(c.place, data, func(biopsy.Gap) {})
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if err := RPM.Extract(b.Context(), in, func(biopsy.Evidence) {}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
