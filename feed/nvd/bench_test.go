package nvd

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

// corpora names a folder of NVD's files for tests on real data.
const corpora = "BIOPSY_NVD"

// BenchmarkParse reads all files of a folder.
func BenchmarkParse(b *testing.B) {
	files, err := filepath.Glob(filepath.Join(os.Getenv(corpora), "nvdcve-2.0-*.json.gz"))
	if err != nil || len(files) == 0 {
		b.Skip(corpora + " names no folder with files of NVD")
	}
	b.ReportAllocs()
	records, packages, bad, bytes := 0, 0, 0, int64(0)
	for b.Loop() {
		records, packages, bad, bytes = 0, 0, 0, 0
		sink := biopsy.Sink{
			Advisory: func(a biopsy.Advisory) error { records++; packages += len(a.Affected); return nil },
			Exploit:  func(string, biopsy.Exploit) error { return nil },
			Bad: func(g biopsy.Gap) {
				if bad++; bad < 20 {
					b.Log(g)
				}
			},
		}
		for _, path := range files {
			bytes += parseFile(b, path, sink)
		}
	}
	b.SetBytes(bytes)
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(records), "records")
	b.ReportMetric(float64(packages), "packages")
	b.ReportMetric(float64(bad), "bad")
}

func parseFile(t testing.TB, path string, sink biopsy.Sink) int64 {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := parse(context.Background(), path, f, st.Size(), sink); err != nil {
		t.Fatal(err)
	}
	return st.Size()
}
