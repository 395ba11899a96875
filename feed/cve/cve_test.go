package cve

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
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
)

// taken is what a sink was handed, a line a thing.
type taken struct{ lines []string }

func (k *taken) sink() biopsy.Sink {
	return biopsy.Sink{
		Advisory: func(a biopsy.Advisory) error {
			k.lines = append(k.lines, fmt.Sprintf("%s of %s, %d affected", a.ID, a.Source, len(a.Affected)))
			return nil
		},
		Exploit: func(cve string, e biopsy.Exploit) error {
			k.lines = append(k.lines, cve+" exploitation "+e.Maturity+" on "+e.SSVCDate)
			return nil
		},
		Synonym: func(s biopsy.Synonym) error { k.lines = append(k.lines, s.Name+" is "+s.Same); return nil },
		Bad:     func(g biopsy.Gap) { k.lines = append(k.lines, "bad: "+g.Place.String()+": "+g.Reason) },
	}
}

// record writes a record of the list.
func record(id string) []byte {
	return fmt.Appendf(nil, `{"dataType": "CVE_RECORD", "dataVersion": "5.1",
 "cveMetadata": {"cveId": %q, "state": "PUBLISHED", "datePublished": "2024-02-03T04:05:06Z", "dateUpdated": "2024-02-04T04:05:06Z"},
 "containers": {"cna": {"providerMetadata": {"shortName": "acme"},
  "affected": [{"collectionURL": "https://crates.io", "packageName": "dose", "cpes": ["cpe:2.3:a:acme:dose:*:*:*:*:*:rust:*:*"], "versions": [{"version": "0", "lessThan": "1.2", "status": "affected", "versionType": "semver"}]}]},
  "adp": [{"metrics": [{"other": {"type": "ssvc", "content": {"options": [{"Exploitation": "poc"}], "timestamp": "2024-02-05T00:00:00Z"}}}]}]}}`, id)
}

// said is what a record comes to.
func said(id string) []string {
	return []string{id + " of cve, 2 affected", id + " exploitation poc on 2024-02-05", "cpe:2.3:a:acme:dose is pkg:cargo/dose"}
}

// member is a file of a zip.
type member struct {
	name  string
	text  []byte
	plain bool // stored, not packed
}

func zipOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		if m.plain {
			h.Method = zip.Store
		}
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write(m.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// listZip is the daily zip: the list as a zip inside it.
func listZip(t testing.TB, plain bool, ids ...string) []byte {
	in := []member{{"cves/delta.json", []byte(`{"numberOfChanges": 0}`), false}}
	for _, id := range ids {
		in = append(in, member{"cves/2024/99xxx/" + id + ".json", record(id), false})
	}
	return zipOf(t, member{"cves.zip", zipOf(t, in...), plain})
}

func parsed(t testing.TB, name string, doc []byte) ([]string, error) {
	t.Helper()
	if !match(name, doc[:min(len(doc), 4096)]) {
		t.Fatalf("%s is not matched", name)
	}
	var k taken
	err := parse(context.Background(), name, bytes.NewReader(doc), int64(len(doc)), k.sink())
	return k.lines, err
}

func TestParse(t *testing.T) {
	var ids, want []string
	for i := range 200 {
		id := fmt.Sprintf("CVE-2024-%d", 99000+i)
		ids, want = append(ids, id), append(want, said(id)...)
	}
	for name, doc := range map[string][]byte{"packed.zip": listZip(t, false, ids...), "stored.zip": listZip(t, true, ids...)} {
		got, err := parsed(t, name, doc)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %d lines beginning %.300v, want %d lines", name, err, len(got), got, len(want))
		}
	}
	got, err := parsed(t, "x/CVE-2024-99001.json", record("CVE-2024-99001"))
	if err != nil || !slices.Equal(got, said("CVE-2024-99001")) {
		t.Errorf("one record: got %v, %v", got, err)
	}
}

// TestBadRecords: one bad record is told, by zip and member, and the others come.
func TestBadRecords(t *testing.T) {
	damaged := zipOf(t,
		member{"deltaCves/CVE-2024-99001.json", []byte(`{"dataType": "CVE_RECORD", "cveMeta`), false},
		member{"deltaCves/CVE-2024-99002.json", record("CVE-2024-99002"), false},
		member{"deltaCves/CVE-2024-99003.json", bytes.Replace(record("CVE-2024-99003"), []byte("2024-02-03"), []byte("2024-14-03"), 1), false},
		member{"deltaCves/CVE-2024-99004.json", bytes.Replace(record("CVE-2024-99004"), []byte(`"lessThan": "1.2"`), []byte(`"lessThan": "1.2", "changes": [{"at": 3}]`), 1), false},
		member{"deltaCves/CVE-2024-99005.json", bytes.Repeat([]byte(" "), maxRecord+1), false})
	got, err := parsed(t, "delta.zip", damaged)
	want := []string{
		"bad: delta.zip!deltaCves/CVE-2024-99001.json: not a CVE record: at byte 35: unexpected end of JSON input",
		said("CVE-2024-99002")[0], said("CVE-2024-99002")[1], said("CVE-2024-99002")[2],
		`bad: delta.zip!deltaCves/CVE-2024-99003.json: CVE-2024-99003: datePublished: "2024-14-03T04:05:06Z" is not a time`,
		"bad: delta.zip!deltaCves/CVE-2024-99004.json: not a CVE record: json: cannot unmarshal number into Go struct field Change.containers.cna.affected.versions.changes.at of type string",
		fmt.Sprintf("bad: delta.zip!deltaCves/CVE-2024-99005.json: more than the %d bytes a record may have", maxRecord),
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v and\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSinkErrors(t *testing.T) {
	full := errors.New("full")
	doc := listZip(t, false, "CVE-2024-99001", "CVE-2024-99002")
	for name, spoil := range map[string]func(*biopsy.Sink){
		"advisory": func(s *biopsy.Sink) { s.Advisory = func(biopsy.Advisory) error { return full } },
		"exploit":  func(s *biopsy.Sink) { s.Exploit = func(string, biopsy.Exploit) error { return full } },
		"synonym":  func(s *biopsy.Sink) { s.Synonym = func(biopsy.Synonym) error { return full } },
	} {
		var k taken
		sink := k.sink()
		spoil(&sink)
		if err := parse(context.Background(), "all.zip", bytes.NewReader(doc), int64(len(doc)), sink); !errors.Is(err, full) {
			t.Errorf("%s: got %v, want %v", name, err, full)
		}
	}
	var k taken
	sink := k.sink()
	sink.Synonym = nil
	if err := parse(context.Background(), "all.zip", bytes.NewReader(doc), int64(len(doc)), sink); err != nil || len(k.lines) != 4 {
		t.Errorf("without place for synonyms: got %v and %v", k.lines, err)
	}
}

func TestDamagedZip(t *testing.T) {
	whole := listZip(t, false, "CVE-2024-99001")
	for name, doc := range map[string][]byte{
		"cut":             whole[:len(whole)-30],
		"inner is no zip": zipOf(t, member{"cves.zip", []byte("PK nothing"), false}),
	} {
		if got, err := parsed(t, name+".zip", doc); err == nil {
			t.Errorf("%s: got %v and no error", name, got)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name string
		head []byte
		want bool
	}{
		{"CVE-2024-99001.json", record("CVE-2024-99001"), true},
		{"CVE-2024-99001.txt", record("CVE-2024-99001"), false},
		{"all.zip", zipOf(t, member{"GHSA-1.json", []byte("{}"), false}), false},
		{"delta.zip", zipOf(t, member{"deltaCves/CVE-2024-99001.json", []byte("{}"), false}), true},
		{"cves.zip", zipOf(t, member{"cves/2024/99xxx/CVE-2024-99001.json", []byte("{}"), false}), true},
		{"osv.json", []byte(`{"id": "CVE-2024-99001", "schema_version": "1.7.0"}`), false},
		{"short.zip", []byte("PK\x03\x04"), false},
	} {
		if got := match(c.name, c.head); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// github is a release as GitHub serves it, at one address for description and files.
type github struct {
	day   string
	list  []byte
	delta []byte
	asked map[string]int
}

func (g *github) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.asked[r.URL.Path]++
	name := filepath.Base(r.URL.Path)
	switch {
	case strings.HasSuffix(r.URL.Path, "/releases/latest"):
		at := "http://" + r.Host + "/download/"
		assets := []asset{{g.day + "_all_CVEs_at_midnight.zip.zip", at + g.day + "_all_CVEs_at_midnight.zip.zip"}}
		if g.delta != nil {
			assets = append([]asset{{g.day + "_delta_CVEs_at_1000Z.zip", at + g.day + "_delta_CVEs_at_1000Z.zip"}}, assets...)
		}
		doc, err := json.Marshal(release{assets})
		if err != nil {
			panic(err)
		}
		w.Write(doc)
	case strings.Contains(name, "_all_"):
		w.Write(g.list)
	case strings.Contains(name, "_delta_"):
		w.Write(g.delta)
	}
}

// awake never sleeps.
func awake(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func TestFetch(t *testing.T) {
	g := &github{day: "2026-09-28", list: listZip(t, true, "CVE-2024-99001"), delta: zipOf(t, member{"deltaCves/CVE-2024-99002.json", record("CVE-2024-99002"), false}),
		asked: map[string]int{}}
	server := httptest.NewServer(g)
	defer server.Close()
	dir := t.TempDir()
	o := biopsy.FetchOptions{Dir: dir, Base: server.URL + "/repos/x/"}
	for range 2 {
		if err := bring(context.Background(), o, awake); err != nil {
			t.Fatal(err)
		}
	}
	wantFile(t, filepath.Join(dir, "cve", listFile), g.list)
	wantFile(t, filepath.Join(dir, "cve", deltaFile), g.delta)
	if got := g.asked["/download/2026-09-28_all_CVEs_at_midnight.zip.zip"]; got != 1 {
		t.Errorf("the same day's list was fetched %d times, want once", got)
	}
	g.day, g.list, g.delta = "2026-09-29", listZip(t, true, "CVE-2024-99003"), nil
	if err := bring(context.Background(), o, awake); err != nil {
		t.Fatal(err)
	}
	wantFile(t, filepath.Join(dir, "cve", listFile), g.list)
	if _, err := os.Stat(filepath.Join(dir, "cve", deltaFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("yesterday's changes are still there: %v", err)
	}
	g.day, g.list = "2026-09-30", []byte("no zip")
	if err := bring(context.Background(), o, awake); err == nil || !strings.Contains(err.Error(), "stays in use") {
		t.Errorf("a broken list: got %v", err)
	}
	wantFile(t, filepath.Join(dir, "cve", listFile), listZip(t, true, "CVE-2024-99003"))
}

// TestFetchElsewhere: a release that names files of another server is not followed.
func TestFetchElsewhere(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"assets": [{"name": "1_all_CVEs_at_midnight.zip", "browser_download_url": "http://127.0.0.1:1/all.zip"}]}`)
	}))
	defer server.Close()
	err := bring(context.Background(), biopsy.FetchOptions{Dir: t.TempDir(), Base: server.URL}, awake)
	if err == nil || !strings.Contains(err.Error(), "is not where the CVE list is published") {
		t.Errorf("got %v", err)
	}
}

func wantFile(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: got %d bytes and %v, want %d", path, len(got), err, len(want))
	}
}

// FuzzParse: any bytes come back without a panic.
func FuzzParse(f *testing.F) {
	f.Add("CVE-2024-99001.json", record("CVE-2024-99001"))
	f.Add("all.zip", listZip(f, true, "CVE-2024-99001"))
	f.Add("all.zip", listZip(f, false, "CVE-2024-99001"))
	f.Fuzz(func(t *testing.T, name string, doc []byte) {
		match(name, doc)
		var k taken
		if err := parse(context.Background(), name, bytes.NewReader(doc), int64(len(doc)), k.sink()); err == nil && len(k.lines) == 0 && len(doc) > 0 && doc[0] == '{' {
			t.Fatal("a document without record, and nobody was told")
		}
	})
}

// BenchmarkParse reads a list of 5,000 records.
func BenchmarkParse(b *testing.B) {
	var ids []string
	for i := range 5000 {
		ids = append(ids, fmt.Sprintf("CVE-2024-%d", 90000+i))
	}
	doc := listZip(b, true, ids...)
	n := 0
	sink := biopsy.Sink{Advisory: func(biopsy.Advisory) error { n++; return nil }, Exploit: func(string, biopsy.Exploit) error { return nil }, Bad: func(g biopsy.Gap) { b.Error(g) }}
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if err := parse(context.Background(), "all.zip", bytes.NewReader(doc), int64(len(doc)), sink); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}
