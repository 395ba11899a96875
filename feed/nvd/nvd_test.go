package nvd

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/biopsy-sca/biopsy"
)

var update = flag.Bool("update", false, "rewrite wanted answers")

// taken is what a sink was handed.
type taken struct {
	Advisories []biopsy.Advisory
	Exploits   map[string]biopsy.Exploit
	Synonyms   []biopsy.Synonym `json:",omitempty"`
	Bad        []biopsy.Gap
}

func (k *taken) sink() biopsy.Sink {
	k.Exploits = map[string]biopsy.Exploit{}
	return biopsy.Sink{
		Advisory: func(a biopsy.Advisory) error { k.Advisories = append(k.Advisories, a); return nil },
		Exploit:  func(cve string, e biopsy.Exploit) error { k.Exploits[cve] = e; return nil },
		Synonym:  func(s biopsy.Synonym) error { k.Synonyms = append(k.Synonyms, s); return nil },
		Bad:      func(g biopsy.Gap) { k.Bad = append(k.Bad, g) },
	}
}

func (k *taken) text(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(k); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func parsed(t testing.TB, name string, doc []byte) (*taken, error) {
	t.Helper()
	if !match(name, doc[:min(len(doc), 4096)]) {
		t.Fatalf("%s is not matched", name)
	}
	k := &taken{}
	err := parse(context.Background(), name, bytes.NewReader(doc), int64(len(doc)), k.sink())
	return k, err
}

func TestPages(t *testing.T) {
	docs, err := filepath.Glob("testdata/page/*.json")
	if err != nil || len(docs) == 0 {
		t.Fatalf("got %d pages, %v", len(docs), err)
	}
	for _, path := range docs {
		doc, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsed(t, filepath.Base(path), doc)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.TrimSuffix(path, ".json") + ".want"
		if *update {
			if err := os.WriteFile(want, []byte(got.text(t)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(want)
		if err != nil {
			t.Fatal(err)
		}
		if got.text(t) != string(text) {
			t.Errorf("%s: got\n%s\nwant\n%s", path, got.text(t), text)
		}
	}
}

// TestPacked: the same page comes to the same plain, in gzip and in a zip.
func TestPacked(t *testing.T) {
	doc, err := os.ReadFile("testdata/page/mixed.json")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := parsed(t, "page.json", doc)
	if err != nil {
		t.Fatal(err)
	}
	for name, packed := range map[string][]byte{"nvdcve-2.0-2024.json.gz": gzipped(t, doc), "nvdcve-2.0-2024.json.zip": zipped(t, doc), "other.gz": gzipped(t, doc)} {
		got, err := parsed(t, name, packed)
		if err != nil || len(got.Advisories) != len(plain.Advisories) || len(got.Bad) != len(plain.Bad) {
			t.Errorf("%s: got %v, %d records and %d bad, want %d and %d", name, err, len(got.Advisories), len(got.Bad), len(plain.Advisories), len(plain.Bad))
		}
	}
}

func gzipped(t testing.TB, doc []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(doc); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t testing.TB, doc []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("nvdcve-2.0-2024.json")
	if err == nil {
		_, err = f.Write(doc)
	}
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestCut: a page that was cut keeps the records before and is an error; so is one of another shape.
func TestCut(t *testing.T) {
	doc, err := os.ReadFile("testdata/page/mixed.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		doc     []byte
		records int
		says    string
	}{
		"cut":         {doc[:bytes.Index(doc, []byte("CVE-2024-90002"))], 1, "unexpected EOF"},
		"no array":    {[]byte(`{"format":"NVD_CVE","vulnerabilities":{}}`), 0, "want '['"},
		"none":        {[]byte(`{"format":"NVD_CVE","x":[{"vulnerabilities":[]}]}`), 0, "no vulnerabilities"},
		"two at once": {[]byte(`{"format":"NVD_CVE","vulnerabilities":[{"cve":{"id":"CVE-2024-90001"}}{}]}`), 1, "want ','"},
	} {
		got, err := parsed(t, name+".json", c.doc)
		if err == nil || !strings.Contains(err.Error(), c.says) || len(got.Advisories) != c.records {
			t.Errorf("%s: got %d records and %v, want %d and an error that says %q", name, len(got.Advisories), err, c.records, c.says)
		}
	}
	if _, err := parsed(t, "nvdcve-2.0-x.json.gz", gzipped(t, doc)[:500]); err == nil {
		t.Error("a cut gzip file is no error")
	}
}

func TestEmptyPage(t *testing.T) {
	got, err := parsed(t, "page.json", []byte(`{"resultsPerPage":0,"totalResults":0,"format":"NVD_CVE","vulnerabilities" : [ ] }`))
	if err != nil || len(got.Advisories)+len(got.Bad) > 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestSinkErrors(t *testing.T) {
	doc, err := os.ReadFile("testdata/page/mixed.json")
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	for name, spoil := range map[string]func(*biopsy.Sink){
		"advisory": func(s *biopsy.Sink) { s.Advisory = func(biopsy.Advisory) error { return full } },
		"exploit":  func(s *biopsy.Sink) { s.Exploit = func(string, biopsy.Exploit) error { return full } },
	} {
		sink := (&taken{}).sink()
		spoil(&sink)
		if err := parse(context.Background(), "page.json", bytes.NewReader(doc), int64(len(doc)), sink); !errors.Is(err, full) {
			t.Errorf("%s: got %v, want %v", name, err, full)
		}
	}
}

// criteria writes n criteria of which each stands there times over.
func criteria(n, times int) string {
	var b strings.Builder
	for i := range n * times {
		fmt.Fprintf(&b, `, {"vulnerable": true, "criteria": "cpe:2.3:a:acme:tool:%d.0:*:*:*:*:*:*:*"}`, i%n)
	}
	return b.String()[2:]
}

func pageOf(nodes ...string) []byte {
	for i := range nodes {
		nodes[i] = `{"operator": "OR", "negate": false, "cpeMatch": [` + nodes[i] + `]}`
	}
	return []byte(`{"format": "NVD_CVE", "vulnerabilities": [{"cve": {"id": "CVE-2024-90001", "configurations": [{"nodes": [` + strings.Join(nodes, ",") + `]}]}},
	 {"cve": {"id": "CVE-2024-90002"}}]}`)
}

// TestRepeatedCriteria: a record of 30 MB in which one thing is said over and over is read as if it were said once; one that has as
// much to say is bad, and those behind it come.
func TestRepeatedCriteria(t *testing.T) {
	got, err := parsed(t, "page.json", pageOf(criteria(300, 1200), criteria(200, 4)))
	if err != nil || len(got.Bad) > 0 || len(got.Advisories) != 2 {
		t.Fatalf("got %v, %v, %d records", err, got.Bad, len(got.Advisories))
	}
	if a := got.Advisories[0].Affected; len(a) != 1 || len(a[0].Versions) != 300 {
		t.Errorf("got %d entries, the first of %d versions; want 1 of 300", len(a), len(a[0].Versions))
	}
	got, err = parsed(t, "page.json", pageOf(criteria(250_000, 1)))
	if err != nil || len(got.Bad) != 1 || len(got.Advisories) != 1 || got.Advisories[0].ID != "CVE-2024-90002" {
		t.Fatalf("too long: got %v, %v, %d records", err, got.Bad, len(got.Advisories))
	}
}

func TestMatch(t *testing.T) {
	for name, c := range map[string]struct {
		head string
		want bool
	}{
		"nvdcve-2.0-2024.json":        {`{"resultsPerPage":1,"startIndex":0,"totalResults":1,"format":"NVD_CVE"`, true},
		"page.json":                   {`{"resultsPerPage":1,"startIndex":0,"totalResults":1,`, true},
		"CVE-2024-99001.json":         {`{"dataType": "CVE_RECORD"`, false},
		"kev.json":                    {`{"catalogVersion": "1", "vulnerabilities": []`, false},
		"epss_scores.csv.gz":          {string(gzipped(t, []byte("#model_version:v2025"))), false},
		"nvdcve-2.0-2024.json.zip":    {"PK\x03\x04", true},
		"all.zip":                     {"PK\x03\x04", false},
		"nvdcve-2.0-modified.json.gz": {"\x1f\x8b", true},
	} {
		if got := match(name, []byte(c.head)); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// FuzzSplit holds the splitter against encoding/json: what is a page to both has the same records.
func FuzzSplit(f *testing.F) {
	doc, err := os.ReadFile("testdata/page/mixed.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc)
	f.Add([]byte(`{"a":"\"vulnerabilities\":[","b":[{"c":1.5e3}],"vulnerabilities":[1, "x]", null,{"}":"{"},[[]],-2e5 ]}`))
	f.Add([]byte(`{"vulnerabilities":[{"cve":{"configurations":[{"nodes":[{"cpeMatch":[{"a":1},{"a":1}]}]}]}}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		k := &taken{}
		if err := parse(context.Background(), "page.json", bytes.NewReader(doc), int64(len(doc)), k.sink()); err != nil {
			_ = err // only what both read is compared
		}
		// A page's keys are each there once; of several of one name encoding/json takes the last.
		var page struct {
			V []json.RawMessage `json:"vulnerabilities"`
		}
		if json.Unmarshal(doc, &page) != nil || bytes.Count(bytes.ToLower(doc), []byte("vulnerabilities")) != 1 || !bytes.Contains(doc, []byte(`"vulnerabilities"`)) || page.V == nil {
			return
		}
		s := newSplitter(iotest.OneByteReader(bytes.NewReader(doc)))
		for i := 0; ; i++ {
			got, err := s.next(nil)
			if err == io.EOF && i == len(page.V) {
				return
			}
			if err != nil || i >= len(page.V) || !bytes.Equal(got, page.V[i]) {
				t.Fatalf("record %d of %d: got %q, %v", i, len(page.V), got, err)
			}
		}
	})
}
