package sbom

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/cyclonedx"
	"github.com/biopsy-sca/biopsy/format/scanfile"
	"github.com/biopsy-sca/biopsy/format/spdx"
	"github.com/biopsy-sca/biopsy/internal/bom"
	"github.com/biopsy-sca/biopsy/internal/schemas"
)

// With BIOPSY_CORPORA set, every SBOM in its folder sboms, and every scan file in its folder scans, is written in every form; each must
// be valid and read back with as many components.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("BIOPSY_CORPORA")
	if dir == "" {
		t.Skip("BIOPSY_CORPORA is not set")
	}
	for name, s := range scans(t, dir) {
		for _, w := range Writers {
			for _, version := range w.Versions {
				var b bytes.Buffer
				if err := w.Write(&b, s, version); err != nil {
					t.Errorf("%s as %s: %v", name, w.Name, err)
					continue
				}
				if err := validate(w.Name, strings.TrimSuffix(version, bsi), b.Bytes()); err != nil && !errors.Is(err, schemas.ErrAbsent) {
					t.Errorf("%s as %s@%s: %.3000v", name, w.Name, version, err)
				}
				back, err := read(b.Bytes())
				if err != nil {
					t.Errorf("%s as %s: %v", name, w.Name, err)
					continue
				}
				compare(t, name+" as "+w.Name, back.Inventory.Components, s.Components)
			}
		}
	}
}

// compare holds components against those that were written. Of evidence its claims are not compared: formats hold the component's alone.
func compare(t *testing.T, what string, got, want []biopsy.Component) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d components back, want %d", what, len(got), len(want))
		return
	}
	shown := 0
	for i := range want {
		g, w := bare(got[i]), bare(want[i])
		if !reflect.DeepEqual(g, w) && shown < 2 {
			shown++
			t.Errorf("%s:\ngot  %+v\nwant %+v", what, g, w)
		}
	}
}

func bare(c biopsy.Component) biopsy.Component {
	c.Evidence = slices.Clone(c.Evidence)
	for i := range c.Evidence {
		c.Evidence[i].Claim = biopsy.Claim{}
	}
	if len(c.Extra) == 0 {
		c.Extra = nil
	}
	return c
}

func scans(t *testing.T, dir string) map[string]*biopsy.Scan {
	t.Helper()
	out := map[string]*biopsy.Scan{}
	files, err := filepath.Glob(filepath.Join(dir, "*s", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		kind := filepath.Base(filepath.Dir(file))
		if kind != "sboms" && kind != "scans" {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if kind == "scans" {
			if out[filepath.Base(file)], err = scanfile.Read(bytes.NewReader(b)); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			continue
		}
		if d, err := read(b); err == nil {
			out[filepath.Base(file)] = &biopsy.Scan{Subject: d.Subject, Inventory: d.Inventory}
		}
	}
	return out
}

func read(b []byte) (*bom.Document, error) {
	if d, err := cyclonedx.Read(bytes.NewReader(b), "x"); err == nil {
		return d, nil
	}
	return spdx.Read(bytes.NewReader(b), "x")
}

func validate(name, version string, doc []byte) error {
	switch name {
	case "cyclonedx-json":
		return schemas.ValidateJSON("bom-"+version+".SNAPSHOT.schema.json", doc)
	case "cyclonedx-xml":
		return schemas.ValidateXML("bom-"+version+".SNAPSHOT.xsd", doc)
	case "spdx-json":
		return schemas.ValidateJSON("spdx-2.3.schema.json", doc)
	case "spdx3-json":
		return schemas.ValidateJSON("spdx-3.0.1.schema.json", doc)
	}
	return nil
}
