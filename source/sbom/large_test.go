package sbom

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/cyclonedx"
	"github.com/biopsy-sca/biopsy/format/spdx"
	"github.com/biopsy-sca/biopsy/internal/bom/bomtest"
)

// TestLarge times documents of 300,000 components in the folder that BIOPSY_LARGE names. A document that is not there is written, one
// that is there is read, so that two runs under "time -v" show the peak memory of each.
func TestLarge(t *testing.T) {
	dir := os.Getenv("BIOPSY_LARGE")
	if dir == "" {
		t.Skip("BIOPSY_LARGE is not set")
	}
	const n = 300_000
	var s *biopsy.Scan
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"large.cdx.json", func(w io.Writer) error { return cyclonedx.WriteJSON(w, s, "1.6") }},
		{"large.cdx.xml", func(w io.Writer) error { return cyclonedx.WriteXML(w, s, "1.6") }},
		{"large.spdx.json", func(w io.Writer) error { return spdx.WriteJSON(w, s) }},
		{"large.spdx", func(w io.Writer) error { return spdx.WriteTagValue(w, s) }},
		{"large.spdx3.json", func(w io.Writer) error { return spdx.WriteJSONLD(w, s) }},
	} {
		t.Run(f.name, func(t *testing.T) {
			path := filepath.Join(dir, f.name)
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				if s == nil {
					s = bomtest.Large(n)
				}
				out, err := os.Create(path)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				if err := errors.Join(f.write(out), out.Close()); err != nil {
					t.Fatal(err)
				}
				t.Logf("written in %v", time.Since(start))
				return
			}
			start := time.Now()
			d, err := Read(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(d.Inventory.Components); got != n {
				t.Errorf("got %d components, want %d", got, n)
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			t.Logf("%d MB read in %v; %d MB from the system", d.Size>>20, time.Since(start), m.Sys>>20)
		})
	}
}
