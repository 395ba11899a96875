package spdx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	jsonlibrary "github.com/spdx/tools-golang/json"
	spdxlibrary "github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/tagvalue"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom/bomtest"
	"github.com/biopsy-sca/biopsy/internal/schemas"
)

var encodings = []struct {
	name    string
	version string
	schema  string
	write   func(io.Writer, *biopsy.Scan) error
}{{"json", "2.3", "spdx-2.3.schema.json", WriteJSON}, {"tag-value", "2.3", "", WriteTagValue}, {"json-ld", "3.0.1", "spdx-3.0.1.schema.json", WriteJSONLD}}

func written(t testing.TB, s *biopsy.Scan, write func(io.Writer, *biopsy.Scan) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, s); err != nil {
		t.Fatalf("write: %v", err)
	}
	return b.Bytes()
}

// Everything that is written must be what the official schemas allow, and 2.3 what the SPDX project's own library takes.
func TestWrittenIsValid(t *testing.T) {
	for _, e := range encodings {
		for _, s := range []*biopsy.Scan{bomtest.Scan(), bomtest.Hostile(), {}} {
			doc := written(t, s, e.write)
			for _, err := range []error{bySchema(e.schema, doc), byLibrary(e.name, doc)} {
				if errors.Is(err, schemas.ErrAbsent) {
					t.Log(err)
				} else if err != nil {
					t.Errorf("%s: %v\n%s", e.name, err, doc)
				}
			}
		}
	}
}

func bySchema(schema string, doc []byte) error {
	if schema == "" {
		return nil
	}
	return schemas.ValidateJSON(schema, doc)
}

func byLibrary(encoding string, doc []byte) error {
	read := map[string]func(io.Reader) (*spdxlibrary.Document, error){"json": jsonlibrary.Read, "tag-value": tagvalue.Read}[encoding]
	if read == nil {
		return nil
	}
	d, err := read(bytes.NewReader(doc))
	if err != nil {
		return err
	}
	return referencesExist(d)
}

// referencesExist holds every relationship against the elements; the library's own check knows neither NONE nor NOASSERTION.
func referencesExist(d *spdxlibrary.Document) error {
	known := map[string]bool{"DOCUMENT": true}
	for _, p := range d.Packages {
		known[string(p.PackageSPDXIdentifier)] = true
	}
	for _, f := range d.Files {
		known[string(f.FileSPDXIdentifier)] = true
	}
	for _, r := range d.Relationships {
		for _, end := range []string{string(r.RefA.ElementRefID), string(r.RefB.ElementRefID)} {
			if !known[end] && r.RefB.SpecialID == "" {
				return fmt.Errorf("relationship %s with %q, which is not in the document", r.Relationship, end)
			}
		}
	}
	return nil
}

// lose takes from the scan what SPDX cannot hold. Everything else must come back.
func lose(s *biopsy.Scan) biopsy.Inventory {
	return s.Inventory // of an evidence's claim, only what the component itself says comes back: see bomtest
}

func TestRoundTrip(t *testing.T) {
	for _, e := range encodings {
		s := bomtest.Scan()
		d, err := Read(bytes.NewReader(written(t, s, e.write)), "x")
		if err != nil {
			t.Fatalf("%s: %v", e.name, err)
		}
		same(t, e.name, d.Inventory, lose(s))
		if d.Subject != s.Subject || d.Created != s.Created || d.Version != e.version || len(d.Tools) != 1 || d.Tools[0].Version != "0.1.0" ||
			len(d.Authors) != 1 || d.Authors[0] != s.Subject.Manufacturer || len(d.Lifecycles) != 1 {
			t.Errorf("%s: document says %+v", e.name, d)
		}
		if len(d.Compositions) == 0 {
			t.Errorf("%s: nothing is said about completeness", e.name)
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

func TestHostileReadsBack(t *testing.T) {
	for _, e := range encodings {
		s := bomtest.Hostile()
		d, err := Read(bytes.NewReader(written(t, s, e.write)), "x")
		if err != nil {
			t.Fatalf("%s: %v", e.name, err)
		}
		if got, want := len(d.Inventory.Components), len(s.Components); got != want {
			t.Errorf("%s: got %d components, want %d", e.name, got, want)
		}
		if got, want := len(d.Inventory.Gaps), len(s.Gaps); got < want {
			t.Errorf("%s: got %d gaps, want at least %d", e.name, got, want)
		}
	}
}

// Each file of testdata holds the same two packages and one file, in another form.
func TestForms(t *testing.T) {
	files, err := filepath.Glob("testdata/forms/*")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		in, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Read(bytes.NewReader(in), file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		check(t, file, d.Inventory)
		if d.Subject.Name != "app" || d.Subject.Version != "1.10" || d.Created == "" || len(d.Tools) != 1 || len(d.Authors) != 1 {
			t.Errorf("%s: document says %+v", file, d)
		}
	}
}

func check(t *testing.T, file string, inv biopsy.Inventory) {
	t.Helper()
	var zlib *biopsy.Component
	for i := range inv.Components {
		if inv.Components[i].Name == "zlib" {
			zlib = &inv.Components[i]
		}
	}
	if zlib == nil {
		t.Errorf("%s: no component zlib in %+v", file, inv.Components)
		return
	}
	want := biopsy.Component{ID: biopsy.ComponentID(zlib), Eco: "generic", Name: "zlib", Version: "1.3.1", Purl: "pkg:generic/zlib@1.3.1", Supplier: "Zlib Makers",
		Licenses: []biopsy.License{{Expression: "Zlib", Basis: "declared"}, {Expression: "LicenseRef-1", Name: "Odd Licence", Basis: "concluded"}},
		Hashes:   []biopsy.Hash{{Alg: "SHA-1", Value: "da39a3ee5e6b4b0d3255bfef95601890afd80709"}}}
	got := *zlib
	got.Evidence, got.Extra = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", file, got, want)
	}
	contained := false
	for _, r := range inv.Relations {
		contained = contained || r.From == "artifact:0" && r.To == zlib.ID && r.Kind == biopsy.DependsOn
	}
	if !contained || len(inv.Gaps) > 0 {
		t.Errorf("%s: relations %+v, gaps %+v", file, inv.Relations, inv.Gaps)
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for doc, want := range map[string]string{
		``: "empty", `hello`: "line 1", "one: two": "line 1: tag", `{}`: "not an SPDX document", `{"spdxVersion":"SPDX-4.0"}`: `spdxVersion "SPDX-4.0"`,
		`{"spdxVersion":"SPDX-2.3","packages":[{"name"`: "packages[0]", `{"spdxVersion":"SPDX-2.3"} x`: "end",
		"SPDXVersion: SPDX-2.3\nPackageComment: <text>a\nb": "<text> of line 2 has no end",
		"spdxVersion: [":   "line 1",
		`<rdf>x</rdf>`:     "namespace of SPDX",
		`{"@context":"x"}`: "without a @graph",
		`{"@context":"x","@graph":[{"type":"CreationInfo","specVersion":"2"}]}`: "specVersion",
	} {
		_, err := Read(strings.NewReader(doc), "x")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", doc, err, want)
		}
	}
}

func TestDeterministic(t *testing.T) {
	for _, e := range encodings {
		if a, b := written(t, bomtest.Hostile(), e.write), written(t, bomtest.Hostile(), e.write); !bytes.Equal(a, b) {
			t.Errorf("%s: two writes differ", e.name)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, e := range encodings {
		f.Add(written(f, bomtest.Scan(), e.write))
		f.Add(written(f, bomtest.Hostile(), e.write))
	}
	files, _ := filepath.Glob("testdata/forms/*")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		d, err := Read(bytes.NewReader(doc), "x")
		if err != nil {
			return
		}
		s := &biopsy.Scan{Subject: d.Subject, Inventory: d.Inventory}
		for _, e := range encodings {
			if err := e.write(io.Discard, s); err != nil {
				t.Errorf("what was read cannot be written as %s: %v", e.name, err)
			}
		}
	})
}

func BenchmarkWriteRead(b *testing.B) {
	const n = 10_000
	s := bomtest.Large(n)
	for _, e := range encodings {
		doc := written(b, s, e.write)
		b.Run("write/"+e.name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if err := e.write(io.Discard, s); err != nil {
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
