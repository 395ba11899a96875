package cyclonedx

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom/bomtest"
	"github.com/biopsy-sca/biopsy/internal/schemas"
)

var encodings = []struct {
	name  string
	write func(io.Writer, *biopsy.Scan, string) error
}{{"json", WriteJSON}, {"xml", WriteXML}}

func written(t testing.TB, s *biopsy.Scan, write func(io.Writer, *biopsy.Scan, string) error, version string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, s, version); err != nil {
		t.Fatalf("write: %v", err)
	}
	return b.Bytes()
}

// valid holds a document against the official schema.
func valid(t *testing.T, encoding, version string, doc []byte) {
	t.Helper()
	var err error
	if encoding == "json" {
		err = schemas.ValidateJSON("bom-"+version+".SNAPSHOT.schema.json", doc)
	} else {
		err = schemas.ValidateXML("bom-"+version+".SNAPSHOT.xsd", doc)
	}
	if errors.Is(err, schemas.ErrAbsent) {
		t.Log(err)
	} else if err != nil {
		t.Errorf("%s %s: %v\n%s", version, encoding, err, doc)
	}
}

// Everything that is written must be what the official schemas allow, whatever the scan holds.
func TestWrittenIsValid(t *testing.T) {
	for _, version := range Versions {
		for _, s := range []*biopsy.Scan{bomtest.Scan(), bomtest.Hostile(), {}} {
			for _, e := range encodings {
				valid(t, e.name, version, written(t, s, e.write, version))
			}
		}
	}
}

// lose takes from the scan what CycloneDX cannot hold. Everything else must come back.
func lose(s *biopsy.Scan) biopsy.Inventory {
	return s.Inventory // of an evidence's claim, only what the component itself says comes back: see bomtest
}

func TestRoundTrip(t *testing.T) {
	for _, version := range Versions {
		for _, e := range encodings {
			s := bomtest.Scan()
			doc := written(t, s, e.write, version)
			d, err := Read(bytes.NewReader(doc), "x")
			if err != nil {
				t.Fatalf("%s %s: %v", e.name, version, err)
			}
			same(t, e.name+" "+version, d.Inventory, lose(s))
			if d.Subject != s.Subject || d.Created != s.Created || d.Tools[0].Name != "biopsy" || d.Authors[0] != s.Subject.Manufacturer || d.Version != version {
				t.Errorf("%s %s: document says %+v", e.name, version, d)
			}
			if d.Vulnerabilities != 2 || len(d.Compositions) != 3 || d.Compositions[0].Aggregate != "incomplete" || d.Lifecycles[0] != "post-build" {
				t.Errorf("%s %s: got %d vulnerabilities, compositions %+v, lifecycles %v", e.name, version, d.Vulnerabilities, d.Compositions, d.Lifecycles)
			}
		}
	}
}

// TestLedgers writes an image and what is inside it: the numbers stand on the image, and each container is complete when all its bytes are known.
func TestLedgers(t *testing.T) {
	s := bomtest.Scan()
	s.Artifacts[0].Kind = "file"
	var doc cdx.BOM
	if err := json.Unmarshal(written(t, s, WriteJSON, "1.6"), &doc); err != nil {
		t.Fatal(err)
	}
	about := map[string]string{}
	for _, p := range *doc.Metadata.Component.Properties {
		about[p.Name] = p.Value
	}
	for name, want := range map[string]string{"parsed": "100", "padding": "0", "encrypted": "0", "unknown": "28"} {
		if got := about["biopsy:ledger:"+name]; got != want {
			t.Errorf("%s bytes: got %q, want %q", name, got, want)
		}
	}
	said := map[cdx.BOMReference]cdx.CompositionAggregate{}
	for _, c := range *doc.Compositions {
		for _, ref := range list(c.Assemblies) {
			if said[ref] != "" {
				t.Errorf("%s is both %s and %s", ref, said[ref], c.Aggregate)
			}
			said[ref] = c.Aggregate
		}
	}
	for i, want := range []cdx.CompositionAggregate{"incomplete", "complete"} {
		c := (*doc.Metadata.Component.Components)[i]
		if c.Name != s.Ledgers[i].Place.Path || said[cdx.BOMReference(c.BOMRef)] != want {
			t.Errorf("got %s %s, want %s %s", c.Name, said[cdx.BOMReference(c.BOMRef)], s.Ledgers[i].Place.Path, want)
		}
	}
}

func same(t *testing.T, what string, got, want biopsy.Inventory) {
	t.Helper()
	if len(got.Components) != len(want.Components) {
		t.Fatalf("%s: got %d components, want %d", what, len(got.Components), len(want.Components))
	}
	for i := range want.Components {
		if g, w := got.Components[i], want.Components[i]; !reflect.DeepEqual(g, w) {
			t.Errorf("%s: component\ngot  %+v\nwant %+v", what, g, w)
		}
	}
	for _, p := range []struct{ got, want any }{{got.Relations, want.Relations}, {got.Gaps, want.Gaps}, {got.Artifacts, want.Artifacts}, {got.Ledgers, want.Ledgers}} {
		if !reflect.DeepEqual(p.got, p.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", what, p.got, p.want)
		}
	}
}

// A document of others that goes through a scan keeps the fields that our words lack.
func TestForeignFieldsSurvive(t *testing.T) {
	for _, file := range []string{"foreign.json", "foreign.xml"} {
		in, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		d, err := Read(bytes.NewReader(in), file)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Inventory.Gaps) > 0 {
			t.Errorf("%s: gaps %+v", file, d.Inventory.Gaps)
		}
		for _, e := range encodings {
			s := &biopsy.Scan{Subject: d.Subject, Inventory: d.Inventory}
			doc := written(t, s, e.write, "1.6")
			valid(t, e.name, "1.6", doc)
			again, err := Read(bytes.NewReader(doc), "again")
			if err != nil {
				t.Fatal(err)
			}
			if again.SubjectID != d.SubjectID {
				t.Errorf("%s as %s: subject %q, want %q", file, e.name, again.SubjectID, d.SubjectID)
			}
			for i, c := range d.Inventory.Components {
				got := again.Inventory.Components[i]
				c.Evidence, got.Evidence = nil, nil
				if !reflect.DeepEqual(got, c) {
					t.Errorf("%s as %s:\ngot  %+v\nwant %+v", file, e.name, got, c)
				}
			}
		}
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for doc, want := range map[string]string{
		``:                     "empty",
		`hello`:                "neither JSON nor XML",
		`{}`:                   "not a CycloneDX document",
		`{"bomFormat":"SPDX"}`: `bomFormat "SPDX"`,
		`{"bomFormat":"CycloneDX","specVersion":"2.0"}`:                 `specification version "2.0"`,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"`: "components[0]",
		`{"bomFormat":"CycloneDX","specVersion":"1.6","components":{}}`: "components: byte",
		`{"bomFormat":"CycloneDX","specVersion":"1.6"}{}`:               "follows the document",
		`<bom/>`: "not a CycloneDX document",
		`<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><components>`:  "line 1",
		`<bom xmlns="http://cyclonedx.org/schema/bom/1.4"></components>`: "line 1",
	} {
		_, err := Read(strings.NewReader(doc), "x")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", doc, err, want)
		}
	}
}

func TestOddComponentsBecomeGaps(t *testing.T) {
	d, err := Read(strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
		{"type":"library","name":"a","version":7},{"type":"library"},{"name":"b","purl":"pkg:broken"}],
		"dependencies":[{"ref":"a","dependsOn":["nowhere"]}]}`), "x.json")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(d.Inventory.Components), 2; got != want {
		t.Errorf("got %d components, want %d", got, want)
	}
	if got, want := len(d.Inventory.Gaps), 4; got != want {
		t.Errorf("got %d gaps, want %d: %+v", got, want, d.Inventory.Gaps)
	}
	for _, g := range d.Inventory.Gaps {
		if g.Place.Path != "x.json" || g.Reader != Reader || g.Reason == "" {
			t.Errorf("gap without place, reader or reason: %+v", g)
		}
	}
}

func TestUTF16(t *testing.T) {
	doc := `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"näme"}]}`
	wide := []byte{0xFF, 0xFE}
	for _, r := range doc {
		wide = append(wide, byte(r), byte(r>>8))
	}
	d, err := Read(bytes.NewReader(wide), "x")
	if err != nil || d.Inventory.Components[0].Name != "näme" {
		t.Errorf("UTF-16: %v %+v", err, d)
	}
}

func TestDeterministic(t *testing.T) {
	for _, e := range encodings {
		if a, b := written(t, bomtest.Hostile(), e.write, "1.6"), written(t, bomtest.Hostile(), e.write, "1.6"); !bytes.Equal(a, b) {
			t.Errorf("%s: two writes differ", e.name)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, e := range encodings {
		f.Add(written(f, bomtest.Scan(), e.write, "1.6"))
		f.Add(written(f, bomtest.Hostile(), e.write, "1.7"))
	}
	f.Add([]byte("\xff\xfe{\x00"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		d, err := Read(bytes.NewReader(doc), "x")
		if err != nil {
			return
		}
		s := &biopsy.Scan{Subject: d.Subject, Inventory: d.Inventory}
		for _, e := range encodings {
			if err := e.write(io.Discard, s, "1.6"); err != nil {
				t.Errorf("what was read cannot be written as %s: %v", e.name, err)
			}
		}
	})
}

func BenchmarkWriteRead(b *testing.B) {
	const n = 10_000
	s := bomtest.Large(n)
	for _, e := range encodings {
		doc := written(b, s, e.write, "1.6")
		b.Run("write/"+e.name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if err := e.write(io.Discard, s, "1.6"); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("read/"+e.name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(bytes.NewReader(doc), "x"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
