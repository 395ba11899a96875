package scan

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

func TestSubjectOfSBOM(t *testing.T) {
	path := filepath.Join(t.TempDir(), "supplier.json")
	write(t, path, `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"firmware","name":"radio","version":"2.1"}},"components":[{"type":"library","name":"zlib","version":"1.2.11","purl":"pkg:generic/zlib@1.2.11"}]}`, 0o644)
	lock := t.TempDir()
	write(t, filepath.Join(lock, "package-lock.json"), `{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}`, 0o644)

	s, err := Run(context.Background(), []string{path}, options(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := (biopsy.Subject{Name: "radio", Version: "2.1", Kind: biopsy.Firmware}); s.Subject != want {
		t.Errorf("subject %+v, want %+v", s.Subject, want)
	}
	o := options(t)
	o.Name, o.Version = "pump", "3"
	if s, err = Run(context.Background(), []string{lock, path}, o); err != nil {
		t.Fatal(err)
	}
	if s.Subject.Name != "pump" || s.Subject.Version != "3" || len(s.Artifacts) != 2 {
		t.Errorf("subject %+v, %d artifacts", s.Subject, len(s.Artifacts))
	}
	for _, c := range s.Components {
		want := 0
		if c.Name == "zlib" || c.Name == "radio" {
			want = 1
		}
		if got := c.Evidence[0].Place.Artifact; got != want {
			t.Errorf("%s: evidence in artifact %d, want %d", c.Name, got, want)
		}
	}
}
