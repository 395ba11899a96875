package sbom

import (
	"bytes"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
	"github.com/biopsy-sca/biopsy/internal/bom/bomtest"
)

// TestSubjectKeepsItsManufacturer writes a scan about a component that one party makes and another supplies.
func TestSubjectKeepsItsManufacturer(t *testing.T) {
	for _, maker := range []string{"Acme, Inc.", "Debian OpenSSL Team"} {
		s := bomtest.Scan()
		for i := range s.Components {
			if s.Components[i].Name == "libssl3" {
				bom.Keep(&s.Components[i], bom.SubjectKey, "true")
				s.Subject = biopsy.Subject{Name: "libssl3", Version: s.Components[i].Version, Kind: biopsy.Library, Manufacturer: maker}
			}
		}
		for _, w := range Writers {
			var b bytes.Buffer
			if err := w.Write(&b, s, w.Versions[0]); err != nil {
				t.Fatal(err)
			}
			d, err := read(b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if d.Subject != s.Subject {
				t.Errorf("%s: got %+v, want %+v", w.Name, d.Subject, s.Subject)
			}
		}
	}
}
