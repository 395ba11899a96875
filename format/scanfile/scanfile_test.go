package scanfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom/bomtest"
)

var update = flag.Bool("update", false, "rewrite golden files")

func written(t testing.TB, s *biopsy.Scan) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sample has something in every member that a file can hold.
func sample() *biopsy.Scan {
	s := bomtest.Scan()
	s.Verdicts = []biopsy.Verdict{{Rule: "fail-on:high", Message: "one finding", Findings: []string{"f1"}}}
	s.Advice = []biopsy.Advice{{Name: "openssl", Components: []string{"c1"}, Rule: "Upstream", From: "3.0.11", To: "3.0.20", Branch: "3.0", Best: true, Clears: []string{"f1"}, Gone: 1, Because: "lowest"}}
	slices.SortFunc(s.Findings, func(a, b biopsy.Finding) int { return findings(&a, &b) })
	return s
}

func TestRoundTripLosesNothing(t *testing.T) {
	want := sample()
	got, err := Read(bytes.NewReader(written(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestGolden(t *testing.T) {
	const file = "testdata/scan.json"
	got := written(t, sample())
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What is written must be the JSON that the words themselves have.
func TestSameAsTheWords(t *testing.T) {
	s := sample()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(written(t, s), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}

func TestSortedAndScanUntouched(t *testing.T) {
	s := sample()
	want := written(t, s)
	slices.Reverse(s.Components)
	slices.Reverse(s.Relations)
	slices.Reverse(s.Gaps)
	slices.Reverse(s.Findings)
	last := s.Components[0].ID
	if got := written(t, s); !bytes.Equal(got, want) {
		t.Errorf("a scan in another order gives other bytes:\n%s", got)
	}
	if s.Components[0].ID != last {
		t.Error("Write has changed the scan")
	}
}

func TestEmptyScan(t *testing.T) {
	got, want := string(written(t, &biopsy.Scan{})), "{\"biopsy\": 1,\n \"tool\": {\"name\":\"\",\"version\":\"\"},\n \"subject\": {\"name\":\"\"},\n \"options\": {\"depth\":\"\"},\n \"artifacts\": [ ],\n \"components\": [ ]\n}\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestErrors(t *testing.T) {
	for doc, want := range map[string]string{
		``: "ends too early", `[]`: "want \"{\"", `{}`: "not a scan file", `{"bomFormat":"CycloneDX"}`: "not a scan file", `{"biopsy":2}`: "version 2; this biopsy reads version 1",
		`{"biopsy":"1"}`: "biopsy: byte", `{"biopsy":1,"gizmo":1}`: `"gizmo" is no member`, `{"biopsy":1,"components":[{},{"name":7}]}`: "components[1]: byte",
		`{"biopsy":1,"findings":[{"answer":"maybe"}]}`: `answer "maybe"`, `{"biopsy":1} {}`: "follows the document",
	} {
		if _, err := Read(strings.NewReader(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", doc, err, want)
		}
	}
	if _, err := Read(strings.NewReader(`{"x":1}`)); !errors.Is(err, ErrNotScan) {
		t.Errorf("got %v, want %v", err, ErrNotScan)
	}
}

func TestIs(t *testing.T) {
	for head, want := range map[string]bool{`{"biopsy": 1,`: true, "\ufeff {\n \"biopsy\" : 9": true, `{"biopsys":1`: false, `{"a":"biopsy":`: false, "": false, "{": false} {
		if got := Is([]byte(head)); got != want {
			t.Errorf("Is(%q): got %v, want %v", head, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(written(f, sample()))
	f.Add(written(f, bomtest.Hostile()))
	f.Fuzz(func(t *testing.T, doc []byte) {
		s, err := Read(bytes.NewReader(doc))
		if err != nil {
			return
		}
		if _, err := Read(bytes.NewReader(written(t, s))); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}

func BenchmarkScanfile(b *testing.B) {
	s := bomtest.Large(10_000)
	doc := written(b, s)
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			if err := Write(io.Discard, s); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Read(bytes.NewReader(doc)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
