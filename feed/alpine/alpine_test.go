package alpine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/feedtest"
)

func TestSecdb(t *testing.T) { feedtest.Golden(t, Feed, "testdata/secdb/*.json*") }

func TestIDs(t *testing.T) {
	for text, want := range map[string][2][]string{
		"CVE-2019-17340 XSA-284":          {{"CVE-2019-17340"}, {"XSA-284"}},
		"CVE-2017-9671, CVE-2017-9669":    {{"CVE-2017-9671", "CVE-2017-9669"}, nil},
		"CVE_2019-2426":                   {{"CVE-2019-2426"}, nil},
		"cve-2019-2426":                   {{"CVE-2019-2426"}, nil},
		"XSA-299":                         {{"XSA-299"}, nil},
		"CVE-2018-12020 (+ regression)":   {{"CVE-2018-12020"}, nil},
		"GHSA-aaaa-bbbb-ccc1 VSV00003":    {{"GHSA-aaaa-bbbb-ccc1"}, nil},
		"CVE-2024 fixed-in upstream":      {nil, nil},
		strings.Repeat("A", 70) + "-1":    {nil, nil},
		"RUSTSEC-2023-0001 CVE-2023-1234": {{"CVE-2023-1234"}, {"RUSTSEC-2023-0001"}},
	} {
		holes, others := ids(text)
		if !slices.Equal(holes, want[0]) || !slices.Equal(others, want[1]) {
			t.Errorf("%.60q: got %v and %v, want %v", text, holes, others, want)
		}
	}
}

func TestSinkEnds(t *testing.T) {
	doc, err := os.ReadFile("testdata/secdb/main.json")
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	err = Feed.Parse(t.Context(), "main.json", bytes.NewReader(doc), int64(len(doc)), biopsy.Sink{
		Advisory: func(biopsy.Advisory) error { return full }, Bad: func(biopsy.Gap) {},
	})
	if err != full {
		t.Errorf("got %v, want %v", err, full)
	}
}

func TestFetch(t *testing.T) {
	doc, err := os.ReadFile("testdata/secdb/main.json")
	if err != nil {
		t.Fatal(err)
	}
	s := feedtest.Serve(t, map[string][]byte{
		"/":                         []byte(`<a href="../">../</a> <a href="edge/">edge/</a> <a href="v2.7/">v2.7/</a> <a href="v3.20/">v3.20/</a> <a href="last-update">last-update</a>`),
		"/edge/main.json":           doc,
		"/edge/community.json":      doc,
		"/v2.7/main.json":           doc,
		"/v3.20/main.json":          doc,
		"/v3.20/community.json":     doc,
		"/wolfi/security.json":      doc,
		"/chainguard/security.json": doc,
	})
	o := biopsy.FetchOptions{Dir: t.TempDir(), Base: s.URL}
	for i, want := range []string{"8 0", "0 8"} {
		if err := Feed.Fetch(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		sent, same := s.Counts()
		if got := fmt.Sprint(sent, " ", same); got != want {
			t.Errorf("fetch %d: got %s sent and same, want %s", i+1, got, want)
		}
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "alpine", "v3.20", "community.json")); err != nil {
		t.Error(err)
	}
	o.Names = []string{"v3.20", "wolfi"}
	if err := Feed.Fetch(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if sent, same := s.Counts(); sent != 0 || same != 3 {
		t.Errorf("named parts: %d sent, %d the same", sent, same)
	}
	o.Names = []string{"v3"}
	if err := Feed.Fetch(t.Context(), o); err == nil || !strings.Contains(err.Error(), `no part is called "v3"`) {
		t.Errorf("got %v", err)
	}
	s.Put("/", nil)
	o.Names = nil
	if err := Feed.Fetch(t.Context(), o); err == nil || !strings.Contains(err.Error(), "list of branches") {
		t.Errorf("got %v", err)
	}
	if sent, same := s.Counts(); sent != 0 || same != 2 {
		t.Errorf("without a list Wolfi and Chainguard still come: %d sent, %d the same", sent, same)
	}
}

func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("testdata/secdb/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range paths {
		doc, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		all, _, _ := feedtest.Read(t, Feed, "x.json", doc)
		for _, a := range all {
			if a.ID == "" || a.Source == "" || len(a.Affected) == 0 {
				t.Fatalf("a record that says nothing: %+v", a)
			}
		}
	})
}

// BenchmarkSecdb reads a document of the size of Wolfi's.
func BenchmarkSecdb(b *testing.B) {
	var doc bytes.Buffer
	doc.WriteString(`{"apkurl":"x","archs":["x86_64"],"reponame":"main","urlprefix":"https://example.org","distroversion":"v3.20","packages":[`)
	for i := range 20_000 {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `{"pkg":{"name":"pkg%d","secfixes":{"0":["CVE-2024-%d"]`, i, 10000+i)
		for j := range 8 {
			fmt.Fprintf(&doc, `,"1.%d.0-r%d":["CVE-2023-%d","GHSA-aaaa-bbbb-%d"]`, j, j, 10000+(i*8+j)%30000, i%1000)
		}
		doc.WriteString("}}}")
	}
	doc.WriteString("]}")
	b.SetBytes(int64(doc.Len()))
	b.ReportAllocs()
	records := 0
	for b.Loop() {
		err := Feed.Parse(b.Context(), "x.json", bytes.NewReader(doc.Bytes()), int64(doc.Len()), biopsy.Sink{Advisory: func(biopsy.Advisory) error { records++; return nil }})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}
