package debian

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/feedtest"
)

func TestTracker(t *testing.T) { feedtest.Golden(t, Feed, "testdata/tracker/*.json*") }

func TestList(t *testing.T) { feedtest.Golden(t, Feed, "testdata/list/*") }

func TestMatch(t *testing.T) {
	for doc, want := range map[string]bool{
		`{"libpump":{"CVE-2024-1":{"releases":`:       true,
		` { "a" : { "TEMP-1-2" : { `:                  true,
		`{"libpump":{"CVE-2024-1":[`:                  false,
		`{"libpump":{"5.10":{"fixed_version"`:         false,
		`{"CVE-2004-0230":{"3.2":{"cmt_id":"61f69d"`:  false,
		`{"id":"DSA-1","affected":[]}`:                false,
		"[1 Jan 2026] DSA-1-1 a - security update":    true,
		"[1 Jan 2026] DTSA-1-1 a - b\n\t[sid] - a 1":  true,
		"[section]\nDSA-1":                            false,
		"":                                            false,
		`["libpump",{"CVE-2024-1":{"releases":{}}}]`:  false,
		`{"libpump":{"CVE-2024-1":null,"CVE-2024-2":`: false,
	} {
		if got := Feed.Match("x.json", []byte(doc)); got != want {
			t.Errorf("%.60q: got %v, want %v", doc, got, want)
		}
	}
}

func TestEcosystem(t *testing.T) {
	for codename, want := range map[string]string{"bookworm": "Debian:12", "trixie": "Debian:13", "forky": "Debian:14", "duke": "Debian:15",
		"sid": "Debian:sid", "squeeze": "Debian:6", "sarge": "Debian:3.1", "jammy": "Debian:jammy"} {
		if got := ecosystem(codename); got != want {
			t.Errorf("%s: got %s, want %s", codename, got, want)
		}
	}
}

// TestRecordTooLarge: one description of many megabytes ends the reading before it is in memory.
func TestRecordTooLarge(t *testing.T) {
	doc := `{"a":{"CVE-2024-1":{"description":"` + strings.Repeat("x", 8*maxRecord) + `"}}}`
	all, _, err := feedtest.Read(t, Feed, "t.json", []byte(doc))
	if err == nil || !strings.Contains(err.Error(), "a record takes more than") || len(all) > 0 {
		t.Errorf("got %d records and error %v", len(all), err)
	}
}

func TestSinkEnds(t *testing.T) {
	full := errors.New("disk full")
	for _, path := range []string{"testdata/tracker/verdicts.json", "testdata/list/DSA"} {
		doc, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		err = Feed.Parse(t.Context(), path, bytes.NewReader(doc), int64(len(doc)), biopsy.Sink{Advisory: func(biopsy.Advisory) error { return full }})
		if !errors.Is(err, full) || strings.Contains(err.Error(), "read ") {
			t.Errorf("%s: got %v, want %v", path, err, full)
		}
	}
}

func TestFetch(t *testing.T) {
	tracker, err := os.ReadFile("testdata/tracker/verdicts.json")
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile("testdata/list/DSA")
	if err != nil {
		t.Fatal(err)
	}
	s := feedtest.Serve(t, map[string][]byte{"/tracker/data/json": tracker, "/data/DSA/list": list, "/data/DLA/list": list})
	dir := t.TempDir()
	o := biopsy.FetchOptions{Dir: dir, Base: s.URL + "/"}
	for i, want := range []string{"3 0", "0 3"} {
		if err := Feed.Fetch(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		sent, same := s.Counts()
		if got := fmt.Sprint(sent, " ", same); got != want {
			t.Errorf("fetch %d: got %s sent and same, want %s", i+1, got, want)
		}
	}
	path := filepath.ToSlash(filepath.Join(dir, "debian", "tracker", "tracker.json"))
	all, _, err := feedtest.Read(t, Feed, path, tracker)
	if err != nil || len(all) == 0 || !all[0].Modified.Equal(feedtest.Date) {
		t.Errorf("records must be as old as the file: got %+v, %v", all[:min(1, len(all))], err)
	}

	s.Put("/tracker/data/json", nil)
	s.Put("/data/DSA/list", nil)
	err = Feed.Fetch(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "debian/tracker") || !strings.Contains(err.Error(), "debian/DSA") || !strings.Contains(err.Error(), "2026-08-20") {
		t.Errorf("got %v, want both parts and how old their copies are", err)
	}
	if err := Feed.Fetch(t.Context(), biopsy.FetchOptions{Dir: dir, Base: s.URL, Names: []string{"DSB"}}); err == nil || !strings.Contains(err.Error(), "tracker, DSA, DLA") {
		t.Errorf("got %v, want the names of the parts", err)
	}
}

// TestCheck: pages for people, and documents that were cut, do not take the place of what is there.
func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for doc, wrong := range map[string][2]bool{ // as tracker, as list
		"<html>Please wait</html>":                          {true, true},
		"[1 Jan 2026] DSA-1-1 a - security update\n":        {true, false},
		`{"a":{"CVE-2024-1":{"releases":{}}}}`:              {false, true},
		`{"a":{"CVE-2024-1":{"releases":{}},"CVE-2024-2":{`: {true, true},
		"{}": {true, true},
	} {
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
		asTracker, asList := checkTracker(path), checkList(path)
		if got := [2]bool{asTracker != nil, asList != nil}; got != wrong {
			t.Errorf("%.40q: got %v and %v", doc, asTracker, asList)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/tracker/*.json", "testdata/list/*"} {
		paths, err := filepath.Glob(pattern)
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
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		all, _, _ := feedtest.Read(t, Feed, "x", doc)
		for _, a := range all {
			if a.ID == "" || a.Source == "" {
				t.Fatalf("a record without id or source: %+v", a)
			}
		}
	})
}

// bigTracker writes a document of the size and shape of the real one: packages of some issues, each with five releases.
type bigTracker struct {
	rest             []byte
	pkg              int
	packages, issues int
}

func (b *bigTracker) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		if b.pkg == b.packages {
			return 0, io.EOF
		}
		b.next()
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *bigTracker) next() {
	var out bytes.Buffer
	sep := ","
	if b.pkg == 0 {
		sep = "{"
	}
	fmt.Fprintf(&out, `%s"pkg%d":{`, sep, b.pkg)
	for i := range b.issues {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, `"CVE-20%02d-%d":{"description":"%s","debianbug":%d,"scope":"remote","releases":{`, i%25, b.pkg*100+i, strings.Repeat("a flaw in the parser. ", 12), 900000+i)
		for j, c := range []string{"bookworm", "bullseye", "forky", "sid", "trixie"} {
			if j > 0 {
				out.WriteByte(',')
			}
			fmt.Fprintf(&out, `"%s":{"status":"resolved","repositories":{"%s":"1.%d-1"},"fixed_version":"1.%d-1+deb12u%d","urgency":"not yet assigned"}`, c, c, i, i, j)
		}
		out.WriteString("}}")
	}
	out.WriteByte('}')
	if b.pkg++; b.pkg == b.packages {
		out.WriteByte('}')
	}
	b.rest = out.Bytes()
}

// BenchmarkTracker reads 70 MB as the tracker sends them.
func BenchmarkTracker(b *testing.B) {
	doc, err := io.ReadAll(&bigTracker{packages: 4000, issues: 21})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	records := 0
	for b.Loop() {
		records = 0
		err := Feed.Parse(b.Context(), "tracker.json", bytes.NewReader(doc), int64(len(doc)), biopsy.Sink{Advisory: func(biopsy.Advisory) error {
			records++
			return nil
		}})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
