package epss

import (
	"bytes"
	"compress/gzip"
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
func read(t *testing.T, doc []byte) (map[string]biopsy.Exploit, []biopsy.Gap, error) {
	t.Helper()
	got, bad := map[string]biopsy.Exploit{}, []biopsy.Gap{}
	err := parse(t.Context(), "scores.csv", bytes.NewReader(doc), int64(len(doc)), biopsy.Sink{
		Advisory: func(biopsy.Advisory) error { return errors.New("EPSS has no advisories") },
		Exploit:  func(cve string, e biopsy.Exploit) error { got[cve] = e; return nil },
		Bad:      func(g biopsy.Gap) { bad = append(bad, g) },
	})
	return got, bad, err
}

func scores(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/scores.csv")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func zipped(t testing.TB, doc []byte) []byte {
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

func TestParse(t *testing.T) {
	want := map[string]biopsy.Exploit{
		"CVE-1999-0001": {EPSS: 0.03351, Percentile: 0.8765, EPSSDate: "2026-08-16"},
		"CVE-2026-0001": {EPSS: 1, Percentile: 1, EPSSDate: "2026-08-16"},
		"CVE-2026-0004": {EPSS: 0.00043, Percentile: 0.1, EPSSDate: "2026-08-16"},
	}
	plain := scores(t)
	for _, doc := range [][]byte{plain, zipped(t, plain), bytes.ReplaceAll(plain, []byte("\n"), []byte("\r\n"))} {
		got, bad, err := read(t, doc)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
		if len(bad) != 3 || bad[0].Place.String() != "scores.csv:5" || !strings.Contains(bad[1].Reason, "between 0 and 1") {
			t.Errorf("got %+v, want three bad lines", bad)
		}
	}
}

func TestParseBroken(t *testing.T) {
	whole := zipped(t, scores(t))
	bad := "#model_version:x,score_date:2026-08-16T00:00:00+0000\n" + strings.Repeat("x\n", maxBad)
	for name, c := range map[string]struct{ doc, want string }{
		"no date":   {"cve,epss,percentile\nCVE-2026-1,0.1,0.1\n", "no score_date"},
		"bad date":  {"#score_date:2026-13-45\nCVE-2026-1,0.1,0.1\n", "no score_date"},
		"cut":       {string(whole[:len(whole)-6]), "EOF"},
		"long line": {strings.Repeat("x", maxLine+1), "too long"},
		"nonsense":  {bad, "giving up"},
	} {
		if _, _, err := read(t, []byte(c.doc)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name, head string
		want       bool
	}{
		{"epss_scores.csv.gz", "\x1f\x8b", true},
		{"epss/epss_scores-current.csv.gz", "\x1f\x8b", true},
		{"other.csv.gz", "\x1f\x8b", false},
		{"scores.csv", "#model_version:v1", true},
		{"scores.csv", "cve,epss,percentile", true},
		{"scores.csv", "a,b,c", false},
		{"epss.json", "{}", false},
	} {
		if got := match(c.name, []byte(c.head)); got != c.want {
			t.Errorf("match(%q, %q): got %v, want %v", c.name, c.head, got, c.want)
		}
	}
}

func TestFetch(t *testing.T) {
	doc := zipped(t, scores(t))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/"+file || doc == nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(doc)
	}))
	defer srv.Close()
	dir, told := t.TempDir(), 0
	o := biopsy.FetchOptions{Dir: dir, Base: srv.URL, Events: func(biopsy.Progress) { told++ }}
	if err := fetch(t.Context(), o); err != nil || told == 0 {
		t.Fatalf("got %v and %d events", err, told)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "epss", file)); err != nil || !bytes.Equal(got, doc) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	doc = nil
	if err := fetch(t.Context(), o); err == nil || !strings.Contains(err.Error(), "stays in use") {
		t.Errorf("got %v, want the age of what is kept", err)
	}
}

func TestCheck(t *testing.T) {
	whole := zipped(t, scores(t))
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-6] ^= 1
	for name, c := range map[string]struct {
		doc []byte
		ok  bool
	}{"whole": {whole, true}, "cut": {whole[:len(whole)-1], false}, "checksum": {flipped, false}, "page": {[]byte("<html>"), false}} {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, c.doc, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := check(path); (err == nil) != c.ok {
			t.Errorf("%s: got %v, want ok %v", name, err, c.ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(scores(f))
	f.Add(zipped(f, scores(f)))
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, _, _ := read(t, doc)
		for cve, e := range got {
			if e.EPSSDate == "" || !(e.EPSS >= 0 && e.EPSS <= 1) || !(e.Percentile >= 0 && e.Percentile <= 1) {
				t.Errorf("got %q %+v", cve, e)
			}
		}
	})
}
