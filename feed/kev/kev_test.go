package kev

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

// read parses doc and returns what came out.
func read(t *testing.T, doc string) (map[string]biopsy.Exploit, []biopsy.Gap, error) {
	t.Helper()
	got, bad := map[string]biopsy.Exploit{}, []biopsy.Gap{}
	err := parse(t.Context(), "kev.json", strings.NewReader(doc), int64(len(doc)), biopsy.Sink{
		Advisory: func(biopsy.Advisory) error { return errors.New("KEV has no advisories") },
		Exploit:  func(cve string, e biopsy.Exploit) error { got[cve] = e; return nil },
		Bad:      func(g biopsy.Gap) { bad = append(bad, g) },
	})
	return got, bad, err
}

func catalogue(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestParse(t *testing.T) {
	doc := catalogue(t)
	got, bad, err := read(t, doc)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]biopsy.Exploit{
		"CVE-2026-0001": {KEV: true, KEVAdded: "2026-08-07", KEVDue: "2026-08-28", KEVAction: "Mend it.", Ransomware: true},
		"CVE-2026-0002": {KEV: true, KEVAdded: "2026-08-06", KEVAction: "Take it off the net."},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if len(bad) != 3 {
		t.Fatalf("got %+v, want three bad entries", bad)
	}
	for i, want := range []string{"entry 3: cveID", "entry 4: CVE-2026-0003: dateAdded", "entry 5: json"} {
		if !strings.HasPrefix(bad[i].Reason, want) {
			t.Errorf("got %q, want %q", bad[i].Reason, want)
		}
	}
	if at := bad[0].Place.Offset; !strings.HasPrefix(doc[at:], `{"cveID": "GHSA-1"`) {
		t.Errorf("offset %d is at %.30q", at, doc[at:])
	}
}

func TestParseBroken(t *testing.T) {
	doc := catalogue(t)
	for name, c := range map[string]struct{ doc, want string }{
		"empty":       {"", "EOF"},
		"list":        {"[]", "another shape"},
		"other":       {`{"a":1}`, "no vulnerabilities"},
		"not a list":  {`{"vulnerabilities":{}}`, "another shape"},
		"cut":         {doc[:len(doc)/2], "unexpected EOF"},
		"cut at ends": {doc[:strings.LastIndex(doc, "]")], "cut short"},
	} {
		if _, _, err := read(t, c.doc); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "kev.json") {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestMatch(t *testing.T) {
	if !match("feeds/kev.json", []byte(catalogue(t))) {
		t.Error("does not know its own")
	}
	for _, head := range []string{"", `{"id":"X","modified":""}`, `{"vulnerabilities":[]}`} {
		if match("x.json", []byte(head)) {
			t.Errorf("takes %q", head)
		}
	}
}

func TestFetch(t *testing.T) {
	doc := `{"catalogVersion":"1","count":1,"vulnerabilities":[{"cveID":"CVE-2026-1","dateAdded":"2026-01-01"}]}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/"+file || doc == "" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(doc))
	}))
	defer srv.Close()
	dir := t.TempDir()
	o := biopsy.FetchOptions{Dir: dir, Base: srv.URL + "/"}
	if err := fetch(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "kev", file)); err != nil || string(got) != doc {
		t.Errorf("got %q, %v", got, err)
	}
	doc = ""
	if err := fetch(t.Context(), o); err == nil || !strings.Contains(err.Error(), "stays in use") {
		t.Errorf("got %v, want the age of what is kept", err)
	}
}

func TestCheck(t *testing.T) {
	for doc, want := range map[string]string{
		`{"count":1,"vulnerabilities":[{}]}`: "",
		`{"count":2,"vulnerabilities":[{}]}`: "1 entries, and its count is 2",
		`{"count":0,"vulnerabilities":[]}`:   "0 entries",
		`<html>`:                             "not a KEV catalogue",
	} {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := check(path); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", doc, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(catalogue(f))
	f.Add(`{"vulnerabilities":[{"cveID":"CVE-1","dateAdded":"2026-01-01"}]}`)
	f.Fuzz(func(t *testing.T, doc string) {
		got, _, err := read(t, doc)
		for cve, e := range got {
			if err == nil && (!e.KEV || e.KEVAdded == "" || !strings.HasPrefix(cve, "CVE-")) {
				t.Errorf("got %q %+v", cve, e)
			}
		}
	})
}
