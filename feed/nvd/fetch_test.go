package nvd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// service20 is NVD's API with a few records a page.
type service20 struct {
	t         *testing.T
	perPage   int
	changed   []time.Time // of the records CVE-2024-90000, -90001 ...
	now       time.Time
	failAfter int // requests until it refuses; 0 never
	refuse    int // how many requests it refuses with 403 then
	questions []url.Values
	keys      []string
}

func (s *service20) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if s.failAfter > 0 && len(s.questions) >= s.failAfter && s.refuse > 0 {
		s.refuse--
		w.WriteHeader(http.StatusForbidden)
		return
	}
	s.questions, s.keys = append(s.questions, q), append(s.keys, r.Header.Get("apiKey"))
	if r.URL.Path != "/rest/json/cves/2.0" || q.Get("resultsPerPage") != "2000" {
		s.t.Errorf("asked for %s", r.URL)
	}
	var matching []int
	for i, c := range s.changed {
		if q.Has("lastModStartDate") && (c.Before(s.time(q.Get("lastModStartDate"))) || c.After(s.time(q.Get("lastModEndDate")))) {
			continue
		}
		matching = append(matching, i)
	}
	start, err := strconv.Atoi(q.Get("startIndex"))
	if err != nil {
		s.t.Errorf("startIndex: %v", err)
	}
	page := map[string]any{"startIndex": start, "totalResults": len(matching), "format": "NVD_CVE", "timestamp": s.now.Format(stamp)}
	all := []any{}
	for _, i := range matching[start:min(len(matching), start+s.perPage)] {
		all = append(all, map[string]any{"cve": map[string]any{"id": fmt.Sprint("CVE-2024-", 90000+i), "lastModified": s.changed[i].Format(stamp)}})
	}
	page["vulnerabilities"], page["resultsPerPage"] = all, len(all)
	if err := json.NewEncoder(w).Encode(page); err != nil {
		s.t.Error(err)
	}
}

func (s *service20) time(text string) time.Time {
	t, err := time.Parse(stamp, text)
	if err != nil {
		s.t.Error(err)
	}
	return t
}

// bring fetches and returns the sorted ids that are there now.
func (s *service20) bring(o biopsy.FetchOptions) ([]string, time.Duration, error) {
	slept := time.Duration(0)
	a := newAPI(o)
	a.sleep = func(ctx context.Context, d time.Duration) error { slept += d; return ctx.Err() }
	err := a.bring(context.Background(), s.now)
	pages, globErr := filepath.Glob(inAPI(o.Dir, "run-*.json"))
	if globErr != nil {
		s.t.Fatal(globErr)
	}
	var ids []string
	for _, path := range pages {
		parseFile(s.t, path, biopsy.Sink{Advisory: func(a biopsy.Advisory) error { ids = append(ids, a.ID[9:]); return nil }, Bad: func(g biopsy.Gap) { s.t.Error(g) }})
	}
	return ids, slept, err
}

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

func TestAPI(t *testing.T) {
	s := &service20{t: t, perPage: 2, now: day(10)}
	for range 5 {
		s.changed = append(s.changed, day(1))
	}
	server := httptest.NewServer(s)
	defer server.Close()
	o := biopsy.FetchOptions{Dir: t.TempDir(), Base: server.URL + "/"}
	ids, slept, err := s.bring(o)
	if want := []string{"90000", "90001", "90002", "90003", "90004"}; err != nil || !slices.Equal(ids, want) {
		t.Fatalf("first fetch: got %v, %v, want %v", ids, err, want)
	}
	if want := 2 * window / without; slept != want {
		t.Errorf("three questions: waited %v, want %v", slept, want)
	}
	// Later two records have changed; only they are asked for, with the key.
	s.changed[1], s.changed[3], s.now, o.Key = day(12), day(13), day(15), "secret"
	s.questions, s.keys = nil, nil
	ids, _, err = s.bring(o)
	if want := []string{"90000", "90001", "90002", "90003", "90004", "90001", "90003"}; err != nil || !slices.Equal(ids, want) {
		t.Fatalf("second fetch: got %v, %v, want %v", ids, err, want)
	}
	if len(s.questions) != 1 || s.questions[0].Get("lastModStartDate") != day(10).Format(stamp) || s.keys[0] != "secret" {
		t.Errorf("second fetch asked %v with keys %v", s.questions, s.keys)
	}
	// After more days than the API looks back everything is fetched anew.
	s.now, s.questions = day(15).AddDate(0, 0, maxDays), nil
	ids, _, err = s.bring(o)
	if err != nil || len(ids) != 5 || s.questions[0].Has("lastModStartDate") {
		t.Errorf("third fetch: got %v, %v, asked %v", ids, err, s.questions)
	}
}

// TestAPIResumes: what was cut goes on where it was.
func TestAPIResumes(t *testing.T) {
	s := &service20{t: t, perPage: 2, now: day(10), changed: []time.Time{day(1), day(1), day(1), day(1), day(1)}, failAfter: 2, refuse: 100}
	server := httptest.NewServer(s)
	defer server.Close()
	o := biopsy.FetchOptions{Dir: t.TempDir(), Base: server.URL}
	ids, _, err := s.bring(o)
	if err == nil || !strings.Contains(err.Error(), "403 Forbidden") || len(ids) != 4 {
		t.Fatalf("refused: got %v, %v", ids, err)
	}
	s.refuse, s.questions, s.now = 0, nil, day(11)
	ids, _, err = s.bring(o)
	if err != nil || len(ids) != 5 || len(s.questions) != 1 || s.questions[0].Get("startIndex") != "4" {
		t.Errorf("resumed: got %v, %v, asked %v", ids, err, s.questions)
	}
	// What changed while we fetched is fetched the next time: from the time of the first page on.
	s.changed[0], s.now, s.questions = day(10).Add(time.Hour), day(12), nil
	ids, _, err = s.bring(o)
	if err != nil || ids[len(ids)-1] != "90000" {
		t.Errorf("after resuming: got %v, %v, asked %v", ids, err, s.questions)
	}
}

// TestAPIRefusedForAMoment: 403 is how NVD says "slower".
func TestAPIRefusedForAMoment(t *testing.T) {
	s := &service20{t: t, perPage: 2, now: day(10), changed: []time.Time{day(1), day(1), day(1)}, failAfter: 1, refuse: 2}
	server := httptest.NewServer(s)
	defer server.Close()
	if ids, _, err := s.bring(biopsy.FetchOptions{Dir: t.TempDir(), Base: server.URL}); err != nil || len(ids) != 3 {
		t.Errorf("got %v, %v", ids, err)
	}
}

func TestAPIEmpty(t *testing.T) {
	s := &service20{t: t, perPage: 2, now: day(10)}
	server := httptest.NewServer(s)
	defer server.Close()
	o := biopsy.FetchOptions{Dir: t.TempDir(), Base: server.URL}
	for range 2 {
		if ids, _, err := s.bring(o); err != nil || len(ids) != 0 {
			t.Errorf("got %v, %v", ids, err)
		}
	}
	if got, want := s.questions[1].Get("lastModStartDate"), day(10).Format(stamp); got != want {
		t.Errorf("asked for changes since %q, want %q", got, want)
	}
}

// TestAPINonsense: a server that is none, and one that promises more than it gives, end in errors.
func TestAPINonsense(t *testing.T) {
	for name, page := range map[string]string{
		"html": "<html>", "another format": `{"format":"X","vulnerabilities":[]}`, "gives no more": `{"format":"NVD_CVE","totalResults":5,"vulnerabilities":[]}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, page) }))
		a := newAPI(biopsy.FetchOptions{Dir: t.TempDir(), Base: server.URL})
		a.sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
		if err := a.bring(context.Background(), day(10)); err == nil {
			t.Errorf("%s: no error", name)
		}
		server.Close()
	}
}

// TestFiles: the yearly files come into folders by year, the second time only what has changed.
func TestFiles(t *testing.T) {
	doc, err := os.ReadFile("testdata/page/mixed.json")
	if err != nil {
		t.Fatal(err)
	}
	packed := gzipped(t, doc)
	sent := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/feeds/json/cve/2.0/nvdcve-2.0-") {
			http.NotFound(w, r)
			return
		}
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent[filepath.Base(r.URL.Path)]++
		w.Header().Set("ETag", `"1"`)
		if _, err := w.Write(packed); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	for range 2 {
		if err := fetch(context.Background(), biopsy.FetchOptions{Dir: dir, Base: server.URL, Names: []string{"2024", "modified"}}); err != nil {
			t.Fatal(err)
		}
	}
	if len(sent) != 2 || sent["nvdcve-2.0-2024.json.gz"] != 1 || sent["nvdcve-2.0-modified.json.gz"] != 1 {
		t.Errorf("sent %v", sent)
	}
	records := 0
	parseFile(t, filepath.Join(dir, "nvd", "2024", "nvdcve-2.0-2024.json.gz"), biopsy.Sink{Advisory: func(biopsy.Advisory) error { records++; return nil },
		Exploit: func(string, biopsy.Exploit) error { return nil }, Bad: func(biopsy.Gap) {}})
	if records != 6 {
		t.Errorf("got %d records of the file, want 6", records)
	}
	if err := fetch(context.Background(), biopsy.FetchOptions{Dir: dir, Base: server.URL, Names: []string{"1066"}}); err == nil {
		t.Error("a year without file is no error")
	}
	all := files(2026)
	if len(all) != 26 || all[0].Name != "2002" || all[25].Name != "modified" {
		t.Errorf("got %d files from %s to %s", len(all), all[0].Name, all[len(all)-1].Name)
	}
}
