package osv

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

var update = flag.Bool("update", false, "rewrite wanted answers")

// taken is what a sink was handed.
type taken struct {
	Advisories []biopsy.Advisory `json:"advisories,omitempty"`
	Bad        []biopsy.Gap      `json:"bad,omitempty"`
}

func (k *taken) sink() biopsy.Sink {
	return biopsy.Sink{
		Advisory: func(a biopsy.Advisory) error { k.Advisories = append(k.Advisories, a); return nil },
		Exploit:  func(string, biopsy.Exploit) error { return errors.New("OSV has no exploits") },
		Bad:      func(g biopsy.Gap) { k.Bad = append(k.Bad, g) },
	}
}

func TestRecords(t *testing.T) {
	docs, err := filepath.Glob("testdata/record/*.json")
	if err != nil || len(docs) < 10 {
		t.Fatalf("got %d cases, %v", len(docs), err)
	}
	for _, path := range docs {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var got taken
		if err := parse(t.Context(), filepath.Base(path), bytes.NewReader(b), int64(len(b)), got.sink()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		text, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, strings.TrimSuffix(path, ".json")+".want", append(text, '\n'))
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

func doc(id, ecosystem string) string {
	return fmt.Sprintf(`{"id":%q,"modified":"2026-03-02T00:00:00Z","affected":[{"package":{"ecosystem":%q,"name":"pump"}}]}`, id, ecosystem)
}

// pack makes a zip of names and contents, in that order.
func pack(t testing.TB, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.Create(members[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(members[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZipKeepsOrderAndGoesOnAfterBadRecords(t *testing.T) {
	var members []string
	for i := range 500 {
		members = append(members, fmt.Sprintf("X-%d.json", i), doc(fmt.Sprintf("X-%d", i), "npm"))
	}
	members = append(members, "README.txt", "no record", "bad.json", "{", "Y.json", doc("Y", "Debian:12"), "Z.json", `{"id":"Z","modified":"2026-03-02T00:00:00Z"}`)
	data := pack(t, members...)
	var got taken
	if err := parse(t.Context(), "feeds/npm/all.zip", bytes.NewReader(data), int64(len(data)), got.sink()); err != nil {
		t.Fatal(err)
	}
	if len(got.Advisories) != 502 || len(got.Bad) != 1 {
		t.Fatalf("got %d records and %d bad, want 502 and 1", len(got.Advisories), len(got.Bad))
	}
	for i, a := range got.Advisories[:500] {
		if a.ID != fmt.Sprintf("X-%d", i) || a.Source != "osv/npm" {
			t.Fatalf("record %d: got %s by %s", i, a.ID, a.Source)
		}
	}
	if y, z := got.Advisories[500].Source, got.Advisories[501].Source; y != "osv/Debian" || z != "osv/GIT" {
		t.Errorf("got sources %q and %q", y, z)
	}
	if g := got.Bad[0]; g.Place.Path != "feeds/npm/all.zip!bad.json" || !strings.Contains(g.Reason, "not an OSV record") {
		t.Errorf("got %+v", g)
	}
}

func TestSourceOfRecordInSeveralEcosystems(t *testing.T) {
	a := biopsy.Advisory{Affected: []biopsy.Affected{{Ecosystem: "Hex"}, {Ecosystem: "npm"}, {}}}
	for folder, want := range map[string]string{"npm": "osv/npm", "Hex": "osv/Hex", "GIT": "osv/GIT", "downloads": "osv/Hex", "": "osv/Hex"} {
		if got := source(&a, folder); got != want {
			t.Errorf("folder %q: got %q, want %q", folder, got, want)
		}
	}
}

func TestDamagedMemberIsABadRecord(t *testing.T) {
	data := pack(t, "a.json", doc("A", "npm"), "b.json", doc("B", "npm"))
	i := bytes.Index(data, []byte("a.json")) + 20
	data[i] ^= 0xff
	var got taken
	if err := parse(t.Context(), "all.zip", bytes.NewReader(data), int64(len(data)), got.sink()); err != nil {
		t.Fatal(err)
	}
	if len(got.Advisories) != 1 || len(got.Bad) != 1 {
		t.Errorf("got %d records and %+v, want one of each", len(got.Advisories), got.Bad)
	}
}

func TestBombs(t *testing.T) {
	data := pack(t, "a.json", strings.Repeat(" ", maxRecord+1), "b.json", doc("B", "npm"))
	var got taken
	if err := parse(t.Context(), "all.zip", bytes.NewReader(data), int64(len(data)), got.sink()); err != nil {
		t.Fatal(err)
	}
	if len(got.Advisories) != 1 || len(got.Bad) != 1 || !strings.Contains(got.Bad[0].Reason, "more than a record may have") {
		t.Errorf("got %d records and %+v", len(got.Advisories), got.Bad)
	}
	got = taken{}
	if err := parse(t.Context(), "big.json", bytes.NewReader(nil), maxRecord+1, got.sink()); err != nil || len(got.Bad) != 1 {
		t.Errorf("got %v, %+v", err, got.Bad)
	}
}

func TestCutZipIsAnError(t *testing.T) {
	data := pack(t, "a.json", doc("A", "npm"))
	var got taken
	if err := parse(t.Context(), "all.zip", bytes.NewReader(data[:len(data)-9]), int64(len(data)-9), got.sink()); err == nil || !strings.Contains(err.Error(), "all.zip") {
		t.Errorf("got %v", err)
	}
}

func TestSinkErrorEndsTheWalk(t *testing.T) {
	var members []string
	for i := range 1000 {
		members = append(members, fmt.Sprintf("X-%d.json", i), doc("X", "npm"))
	}
	data := pack(t, members...)
	full, n := errors.New("disk full"), 0
	sink := (&taken{}).sink()
	sink.Advisory = func(biopsy.Advisory) error { n++; return full }
	if err := parse(t.Context(), "all.zip", bytes.NewReader(data), int64(len(data)), sink); err != full || n != 1 {
		t.Errorf("got %v after %d records, want %v after one", err, n, full)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := parse(ctx, "all.zip", bytes.NewReader(data), int64(len(data)), (&taken{}).sink()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestMatch(t *testing.T) {
	zipped := pack(t, "GHSA-1.json", doc("X", "npm"))
	for _, c := range []struct {
		name, head string
		want       bool
	}{
		{"osv/npm/all.zip", string(zipped), true},
		{"npm.zip", string(zipped), true},
		{"src.zip", string(pack(t, "src/a.json", "{}")), false},
		{"GHSA-1.json", doc("X", "npm"), true},
		{"X.json", `{"schema_version":"1.7.0"`, true},
		{"index.json", `[{"ecosystem":"npm"}]`, false},
		{"bom.json", `{"bomFormat":"CycloneDX","id":"","modified":""}`, false},
		{"cve.json", `{"dataType":"CVE_RECORD","containers":{"cna":{"affected":[]}}}`, false},
		{"kev.json", `{"catalogVersion":"1","affected":1}`, false},
		{"x.txt", doc("X", "npm"), false},
		{"short.zip", "PK\x03\x04", false},
		{"empty.json", "", false},
	} {
		if got := match(c.name, []byte(c.head)); got != c.want {
			t.Errorf("match(%q, %.40q): got %v, want %v", c.name, c.head, got, c.want)
		}
	}
}

// bucketServer plays osv.dev's bucket with the ecosystems given.
func bucketServer(t *testing.T, files map[string][]byte) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, ok := files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		etag := fmt.Sprintf(`"%d"`, len(b))
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(b)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestFetch(t *testing.T) {
	files := map[string][]byte{
		"ecosystems.txt":         []byte("npm\nDebian\nDebian:12\nGitHub Actions\n../../etc\n[EMPTY]\nGone\n\n"),
		"npm/all.zip":            pack(t, "a.json", doc("A", "npm")),
		"Debian/all.zip":         pack(t, "b.json", doc("B", "Debian:12")),
		"GitHub Actions/all.zip": pack(t, "c.json", doc("C", "GitHub Actions")),
	}
	dir, steps := t.TempDir(), map[string]bool{}
	o := biopsy.FetchOptions{Dir: dir, Base: bucketServer(t, files), Events: func(p biopsy.Progress) { steps[p.Stage] = true }}
	err := fetch(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "osv/Gone") || strings.Contains(err.Error(), "npm") {
		t.Errorf("got %v, want an error about Gone alone", err)
	}
	for _, eco := range []string{"npm", "Debian", "GitHub Actions"} {
		if got, err := os.ReadFile(filepath.Join(dir, "osv", eco, "all.zip")); err != nil || !bytes.Equal(got, files[eco+"/all.zip"]) {
			t.Errorf("%s: got %d bytes, %v", eco, len(got), err)
		}
		if !steps["fetch osv/"+eco] {
			t.Errorf("%s: no progress was told; got %v", eco, steps)
		}
	}
}

func TestFetchKeepsTheOldPartAndSaysItsAge(t *testing.T) {
	files := map[string][]byte{"npm/all.zip": pack(t, "a.json", doc("A", "npm"))}
	dir := t.TempDir()
	o := biopsy.FetchOptions{Dir: dir, Base: bucketServer(t, files), Names: []string{"npm"}}
	if err := fetch(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	delete(files, "npm/all.zip")
	err := fetch(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "stay in use") {
		t.Errorf("got %v, want the age of what is kept", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "osv/npm/all.zip")); err != nil {
		t.Error(err)
	}
	o.Names = []string{"../x"}
	if err := fetch(t.Context(), o); err == nil || !strings.Contains(err.Error(), "no name of an ecosystem") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkParse(b *testing.B) {
	one, err := os.ReadFile("testdata/record/reviewed.json")
	if err != nil {
		b.Fatal(err)
	}
	var members []string
	for i := range 2000 {
		members = append(members, fmt.Sprintf("X-%d.json", i), string(one))
	}
	data := pack(b, members...)
	b.SetBytes(int64(2000 * len(one)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		sink := biopsy.Sink{Advisory: func(biopsy.Advisory) error { n++; return nil }, Bad: func(g biopsy.Gap) { b.Fatal(g) }}
		if err := parse(b.Context(), "npm/all.zip", bytes.NewReader(data), int64(len(data)), sink); err != nil || n != 2000 {
			b.Fatal(n, err)
		}
	}
}

func FuzzRecord(f *testing.F) {
	docs, err := filepath.Glob("testdata/record/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range docs {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		a, err := decode(doc)
		if err == nil && a.ID == "" {
			t.Errorf("got a record without id: %+v", a)
		}
	})
}

func FuzzZip(f *testing.F) {
	f.Add(pack(f, "a.json", doc("A", "npm"), "b.json", "{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got taken
		// Any error will do: the test is that nothing panics or hangs.
		_ = parseZip(t.Context(), "all.zip", bytes.NewReader(data), int64(len(data)), got.sink())
	})
}
