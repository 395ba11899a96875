package feed

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/refdb"
)

var built = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)

const (
	osvDoc  = `{"id":"GHSA-1","modified":"2026-03-02T00:00:00Z","aliases":["CVE-2026-1"],"affected":[{"package":{"ecosystem":"npm","name":"pump"},"versions":["1"]}]}`
	badDoc  = `{"id":"GHSA-\u0000","modified":"2026-03-02T00:00:00Z","affected":[]}`
	kevDoc  = `{"catalogVersion":"1","count":1,"vulnerabilities":[{"cveID":"CVE-2026-1","dateAdded":"2026-01-01"}]}`
	epssDoc = "#model_version:v1,score_date:2026-08-16T00:00:00+0000\ncve,epss,percentile\nCVE-2026-1,0.5,0.9\n"
)

func pack(t *testing.T, members map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, doc := range members {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// tree writes files below a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, doc := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func commit(t *testing.T, b *refdb.Builder) *refdb.Book {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book.refdb")
	if _, err := b.Commit(path, built); err != nil {
		t.Fatal(err)
	}
	book, err := refdb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	return book
}

// feeds lists a snapshot's feeds as "name records".
func feeds(b *refdb.Book) string {
	var out []string
	for _, s := range b.Snapshot().Feeds {
		out = append(out, s.Feed+" "+string(rune('0'+s.Records)))
	}
	return strings.Join(out, ", ")
}

func TestImportFolder(t *testing.T) {
	dir := tree(t, map[string]string{
		"osv/npm/all.zip":      pack(t, map[string]string{"a.json": osvDoc, "b.json": badDoc, "c.json": "{"}),
		"osv/ecosystems.txt":   "npm\n",
		"one/X.json":           `{"id":"X","modified":"2026-03-02T00:00:00Z","affected":[{"package":{"ecosystem":"Go","name":"example.org/x"}}]}`,
		"known.json":           kevDoc,
		"epss.csv":             epssDoc,
		"notes.md":             "# no feed",
		".hidden/GHSA-2.json":  osvDoc,
		"osv/npm/.all.zip.bad": "x",
	})
	b, last := refdb.NewBuilder(t.TempDir()), biopsy.Progress{}
	r, err := Import(t.Context(), b, []string{dir}, func(p biopsy.Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	if r.Advisories != 2 || r.Exploits != 2 || len(r.Files) != 4 || len(r.Bad) != 2 || r.BadCount != 2 || last.Done != 6 || last.Total != 6 {
		t.Errorf("got %+v, last step %+v", r, last)
	}
	if want := []string{filepath.Join(dir, "notes.md"), filepath.Join(dir, "osv", "ecosystems.txt")}; !slices.Equal(r.Skipped, want) {
		t.Errorf("skipped %v, want %v", r.Skipped, want)
	}
	book := commit(t, b)
	if got, want := feeds(book), "epss 1, kev 1, osv/Go 1, osv/npm 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if e, ok, err := book.Exploit("CVE-2026-1"); err != nil || !ok || !e.KEV || e.EPSS != 0.5 {
		t.Errorf("got %+v, %v, %v", e, ok, err)
	}
}

func TestImportErrors(t *testing.T) {
	dir := tree(t, map[string]string{"npm/all.zip": pack(t, map[string]string{"a.json": osvDoc})[:60]})
	for _, path := range []string{dir, filepath.Join(dir, "nothing")} {
		b := refdb.NewBuilder(t.TempDir())
		if _, err := Import(t.Context(), b, []string{path}, nil); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want an error that names %s", err, path)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestOneFileDoesNotSpoilTheOthers: a zip that is cut short, beside a catalogue that is whole.
func TestOneFileDoesNotSpoilTheOthers(t *testing.T) {
	dir := tree(t, map[string]string{"npm/all.zip": pack(t, map[string]string{"a.json": osvDoc})[:60], "zkev.json": kevDoc})
	b := refdb.NewBuilder(t.TempDir())
	r, err := Import(t.Context(), b, []string{dir}, nil)
	if !errors.Is(err, ErrPartly) || !strings.Contains(err.Error(), "all.zip") || len(r.Failed) != 1 || len(r.Files) != 1 {
		t.Errorf("got %v and %+v, want one failure that is named", err, r)
	}
	book := commit(t, b)
	if got, want := feeds(book), "kev 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	st, err := os.Stat(filepath.Join(dir, "zkev.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := book.Reads(); len(got) != 1 || got[0].Feed != "kev" || !got[0].At.Equal(st.ModTime().Truncate(time.Second)) {
		t.Errorf("got %v, want the age of the catalogue's file", got)
	}
}

// TestOnlyWhatChangedIsRead: two updates of which the second finds one file changed, and a third into another book.
func TestOnlyWhatChangedIsRead(t *testing.T) {
	files := map[string]string{"/known_exploited_vulnerabilities.json": kevDoc, "/npm/all.zip": pack(t, map[string]string{"a.json": osvDoc})}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, len(files[r.URL.Path])))
		if r.Header.Get("If-None-Match") == w.Header().Get("ETag") {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write([]byte(files[r.URL.Path]))
	}))
	defer srv.Close()
	now := time.Date(2099, 8, 20, 0, 0, 0, 0, time.UTC)
	o := UpdateOptions{Dir: t.TempDir(), Base: map[string]string{"osv": srv.URL, "kev": srv.URL}, Feeds: []string{"kev", "osv/npm"}}
	book := commit(t, refdb.NewBuilder(t.TempDir()))
	update := func() *Report {
		t.Helper()
		b, err := refdb.NewBuilderFrom(book)
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(24 * time.Hour)
		o.Now = now
		r, err := Update(t.Context(), b, o)
		if err != nil {
			t.Fatal(err)
		}
		book = commit(t, b)
		o.Book = book.Snapshot().Digest
		if err := r.Remember(o.Dir, o.Book); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := update(); len(r.Files) != 2 || len(r.Known) != 0 {
		t.Errorf("first: got %+v", r)
	}
	files["/npm/all.zip"] = pack(t, map[string]string{"a.json": osvDoc, "b.json": strings.Replace(osvDoc, "GHSA-1", "GHSA-2", 1)})
	if r := update(); len(r.Files) != 1 || r.Files[0].Feed != "osv" || len(r.Known) != 1 {
		t.Errorf("second: got %+v, want OSV read and KEV known", r)
	}
	if got, want := feeds(book), "kev 1, osv/npm 2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, r := range book.Reads() {
		if !r.At.Equal(now) {
			t.Errorf("%s was found current at %v, want %v", r.Feed, r.At, now)
		}
	}
	files["/npm/all.zip"] = pack(t, map[string]string{"b.json": strings.Replace(osvDoc, "GHSA-1", "GHSA-2", 1)})
	if update(); feeds(book) != "kev 1, osv/npm 1" {
		t.Errorf("got %q: npm has dropped a record", feeds(book))
	}
	o.Book = "sha256:of another"
	if r := update(); len(r.Files) != 2 {
		t.Errorf("another book: got %+v, want all read", r)
	}
}

func TestBadRecordsAreBounded(t *testing.T) {
	im := importer{report: &Report{}}
	sink := im.sink("x", "osv")
	for range maxBad + 5 {
		sink.Bad(biopsy.Gap{})
	}
	if len(im.report.Bad) != maxBad || im.report.BadCount != maxBad+5 {
		t.Errorf("got %d of %d", len(im.report.Bad), im.report.BadCount)
	}
}

func TestUpdate(t *testing.T) {
	files := map[string]string{
		"/known_exploited_vulnerabilities.json": kevDoc,
		"/ecosystems.txt":                       "npm\nGo\n",
		"/npm/all.zip":                          pack(t, map[string]string{"a.json": osvDoc}),
		"/Go/all.zip":                           pack(t, map[string]string{"x.json": `{"id":"GO-1","modified":"2026-03-02T00:00:00Z","affected":[{"package":{"ecosystem":"Go","name":"x"}}]}`}),
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if doc, ok := files[r.URL.Path]; ok {
			_, _ = w.Write([]byte(doc))
			return
		}
		http.NotFound(w, r)
	}))
	defer srv.Close()
	o := UpdateOptions{Dir: t.TempDir(), Base: map[string]string{"osv": srv.URL, "kev": srv.URL, "epss": srv.URL}, Feeds: []string{"kev", "epss", "osv"}}

	b := refdb.NewBuilder(t.TempDir())
	_, err := Update(t.Context(), b, o)
	if !errors.Is(err, ErrPartly) || !strings.Contains(err.Error(), "epss") || strings.Contains(err.Error(), "kev") {
		t.Errorf("got %v, want that EPSS alone failed", err)
	}
	first := commit(t, b)
	if got, want := feeds(first), "kev 1, osv/Go 1, osv/npm 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	// The next day npm has dropped its record and Go is out of reach.
	files["/npm/all.zip"] = pack(t, map[string]string{"b.json": strings.Replace(osvDoc, "GHSA-1", "GHSA-2", 1)})
	delete(files, "/Go/all.zip")
	if b, err = refdb.NewBuilderFrom(first, "osv"); err != nil {
		t.Fatal(err)
	}
	o.Feeds = []string{"osv"}
	if _, err := Update(t.Context(), b, o); !errors.Is(err, ErrPartly) || !strings.Contains(err.Error(), "osv/Go") || !strings.Contains(err.Error(), "stay in use") {
		t.Errorf("got %v, want that Go failed and what is kept", err)
	}
	second := commit(t, b)
	if got, want := feeds(second), "kev 1, osv/Go 1, osv/npm 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, ok, err := second.Advisory("GHSA-1"); ok || err != nil {
		t.Errorf("the deleted record is there: %v, %v", ok, err)
	}
	o = UpdateOptions{Dir: t.TempDir(), Feeds: []string{"epss"}, Base: o.Base}
	if _, err := Update(t.Context(), b, o); err == nil || errors.Is(err, ErrPartly) || !strings.Contains(err.Error(), "404") {
		t.Errorf("nothing at all came: got %v, want the cause and not ErrPartly", err)
	}
	if _, err := Update(t.Context(), b, UpdateOptions{Feeds: []string{"rumours"}}); err == nil || !strings.Contains(err.Error(), "the feeds are kev, epss, ") {
		t.Errorf("got %v", err)
	}
}

func TestUpdateOfOneEcosystem(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/npm/all.zip" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		_, _ = w.Write([]byte(pack(t, map[string]string{"a.json": osvDoc})))
	}))
	defer srv.Close()
	dir := tree(t, map[string]string{"osv/Go/all.zip": "not to be read"})
	b := refdb.NewBuilder(t.TempDir())
	o := UpdateOptions{Dir: dir, Feeds: []string{"osv/npm"}, Base: map[string]string{"osv": srv.URL}}
	if r, err := Update(t.Context(), b, o); err != nil || r.Advisories != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
	if got, want := feeds(commit(t, b)), "osv/npm 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
