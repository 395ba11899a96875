package eol

import (
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

var update = flag.Bool("update", false, "write the golden files")

// outcome is what a file brought, as the golden files keep it.
type outcome struct {
	Lifecycles []biopsy.Lifecycle `json:"lifecycles"`
	Bad        []string           `json:"bad,omitempty"`
}

func read(t testing.TB, name, doc string) (outcome, error) {
	t.Helper()
	var got outcome
	err := parse(t.Context(), name, strings.NewReader(doc), int64(len(doc)), biopsy.Sink{
		Lifecycle: func(l biopsy.Lifecycle) error { got.Lifecycles = append(got.Lifecycles, l); return nil },
		Bad:       func(g biopsy.Gap) { got.Bad = append(got.Bad, g.Place.String()+": "+g.Reason) },
	})
	return got, err
}

var files = []string{"pumpos.json", "valve.json", "full", "one.json", "debian.csv", "ubuntu.csv"}

func sample(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestParse(t *testing.T) {
	for _, name := range files {
		doc := sample(t, name)
		if !match("feeds/"+name, []byte(doc)) {
			t.Errorf("%s: not known for one of the feed", name)
		}
		got, err := read(t, name, doc)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		text, err := json.MarshalIndent(got, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".want")
		if *update {
			if err := os.WriteFile(golden, append(text, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := sample(t, name+".want"); want != string(text)+"\n" {
			t.Errorf("%s: got %s\nwant %s", name, text, want)
		}
	}
}

func TestMatchLeavesOthers(t *testing.T) {
	for name, head := range map[string]string{
		"osv.json": `{"schema_version":"1.7.0","id":"X","modified":"2026"}`, "INDEX.json": `[{"name":"a","title":"b","identifiers":[],"releaseLabel":1}]`,
		"all.json": `["a","b"]`, "x.csv": "cve,epss", "empty": "", "kev.json": `{"title":"x","vulnerabilities":[]}`,
	} {
		if match(name, []byte(head)) {
			t.Errorf("%s: taken for one of the feed", name)
		}
	}
}

func TestParseBroken(t *testing.T) {
	full, csv := sample(t, "full"), sample(t, "debian.csv")
	for doc, c := range map[string]struct{ name, want string }{
		"":                          {"a.json", "EOF"},
		"7":                         {"a.json", "not a list"},
		full[:len(full)/2]:          {"full", "byte"},
		full[:len(full)-3]:          {"full", "EOF"},
		`[{"cycle":"1"}`:            {"a.json", "cut short"},
		`{"result":7}`:              {"a.json", "not a list"},
		csv:                         {"fedora.csv", "debian.csv or ubuntu.csv"},
		csv + "\"":                  {"debian.csv", "quote"},
		`{"result":{"releases":[1]`: {"a.json", "EOF"},
		`{"result":` + strings.Repeat(`{"result":`, 50_000): {"a.json", ""},
	} {
		if _, err := read(t, c.name, doc); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%.40q: got %v, want %q", doc, err, c.want)
		}
	}
	err := parse(t.Context(), "one.json", strings.NewReader(sample(t, "one.json")), int64(len(sample(t, "one.json"))), biopsy.Sink{
		Lifecycle: func(biopsy.Lifecycle) error { return errors.New("disk full") },
	})
	if err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v, want the sink's error", err)
	}
}

func TestFetch(t *testing.T) {
	answers := map[string]string{"/full": sample(t, "full"), "/debian.csv": sample(t, "debian.csv"), "/ubuntu.csv": sample(t, "ubuntu.csv")}
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"1"` {
			asked++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"1"`)
		_, _ = w.Write([]byte(answers[r.URL.Path]))
	}))
	defer srv.Close()
	dir := t.TempDir()
	o := biopsy.FetchOptions{Dir: dir, Base: srv.URL + "/"}
	for range 2 {
		if err := fetch(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 3 {
		t.Errorf("got %d conditional requests, want one for each of three files", asked)
	}
	got, err := os.ReadFile(filepath.Join(dir, "eol", "ubuntu.csv"))
	if err != nil || string(got) != answers["/ubuntu.csv"] {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for doc, want := range map[string]string{`{"total":2,"result":[{}]}`: "1, and its total is 2", `{"total":1,"result":[{}]}`: "", "<html>": "not endoflife.date's"} {
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := checkProducts(path); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", doc, err, want)
		}
		if err := checkTable(path); err == nil || !strings.Contains(err.Error(), "not a table") {
			t.Errorf("%s: got %v for a table", doc, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range files {
		f.Add(name, sample(f, name))
	}
	f.Fuzz(func(t *testing.T, name, doc string) {
		match(name, []byte(doc))
		got, _ := read(t, name, doc)
		for _, l := range got.Lifecycles {
			for _, c := range l.Cycles {
				for _, day := range []string{c.End, c.ExtendedEnd, c.ActiveEnd, c.Released} {
					if day != "" && !isDay(day) {
						t.Errorf("%s: %q is no day", l.Product, day)
					}
				}
			}
		}
	})
}
