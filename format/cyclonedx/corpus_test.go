package cyclonedx

import (
	"os"
	"path/filepath"
	"testing"
)

// With BIOPSY_CORPORA set, every document in its folder sboms must open or say what is wrong; the answers are logged.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("BIOPSY_CORPORA")
	if dir == "" {
		t.Skip("BIOPSY_CORPORA is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "sboms", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Read(f, filepath.Base(file))
		f.Close()
		if err != nil {
			t.Logf("%.70s: %v", filepath.Base(file), err)
			continue
		}
		t.Logf("%.70s: %s %s, %d components, %d relations, %d gaps", filepath.Base(file), d.Version, d.Encoding, len(d.Inventory.Components), len(d.Inventory.Relations), len(d.Inventory.Gaps))
		for i, g := range d.Inventory.Gaps {
			if i < 3 {
				t.Logf("    %s: %.200s", g.Place, g.Reason)
			}
		}
	}
}
