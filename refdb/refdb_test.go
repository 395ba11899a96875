package refdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
)

var built = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)

func date(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// samples are a small world: a hole known to three feeds, a distribution's notice of it, a notice of two holes, a git-only record.
func samples() []biopsy.Advisory {
	return []biopsy.Advisory{
		{
			ID: "GHSA-aaaa-bbbb-cccc", Source: "osv/PyPI", Aliases: []string{"CVE-2024-0001"}, Summary: "Parser reads too far.", Details: "A long story.",
			Published: date("2024-01-02T03:04:05Z"), Modified: date("2024-02-03T04:05:06.789Z"),
			Severity: []biopsy.Severity{{Type: "CVSS_V3", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, {Type: "word", Vector: "HIGH"}},
			Affected: []biopsy.Affected{{
				Ecosystem: "PyPI", Name: "Pump_Parser", Purl: "pkg:pypi/pump-parser",
				Ranges:   []biopsy.Range{{Type: "ECOSYSTEM", Events: []biopsy.Event{{Introduced: "0"}, {Fixed: "1.2"}, {Introduced: "2.0"}, {LastAffected: "2.1"}}}},
				Versions: []string{"1.0", "1.1", "2.0", "2.1"}, Extra: map[string]string{"urgency": "low"},
			}},
			References: []biopsy.Reference{{Type: "ADVISORY", URL: "https://example.org/1"}}, Extra: map[string]string{"cwe": "CWE-125"},
		},
		{
			ID: "PYSEC-2024-1", Source: "osv/PyPI", Aliases: []string{"GHSA-aaaa-bbbb-cccc"}, Modified: date("2024-02-01T00:00:00Z"),
			Affected: []biopsy.Affected{{Ecosystem: "PyPI", Name: "pump-parser", Versions: []string{"1.0"}}},
		},
		{
			ID: "DSA-1-1", Source: "osv/Debian", Upstream: []string{"CVE-2024-0001", "CVE-2024-0002"}, Modified: date("2024-03-01T00:00:00Z"),
			Affected: []biopsy.Affected{
				{Ecosystem: "Debian:12", Name: "pump", Ranges: []biopsy.Range{{Type: "ECOSYSTEM", Events: []biopsy.Event{{Introduced: "0"}, {Fixed: "1.2-1"}}}}},
				{Ecosystem: "Debian:11", Name: "pump", Ranges: []biopsy.Range{{Type: "ECOSYSTEM", Events: []biopsy.Event{{Introduced: "0"}, {Fixed: "1.1-9"}}}}},
			},
		},
		{
			ID: "GHSA-two-holes", Source: "osv/npm", Aliases: []string{"CVE-2024-0001", "CVE-2024-0002"}, Modified: date("2024-03-01T00:00:00Z"), Withdrawn: date("2024-04-01T00:00:00Z"),
			Affected: []biopsy.Affected{{Ecosystem: "npm", Name: "@pump/core"}},
		},
		{
			ID: "CVE-2024-0002", Source: "osv/GIT", Modified: date("2024-03-01T00:00:00Z"),
			Affected: []biopsy.Affected{{Ranges: []biopsy.Range{{Type: "GIT", Repo: "https://example.org/Pump/Core.git", Events: []biopsy.Event{{Introduced: "0"}, {Limit: "abc"}}}}}},
		},
		{ID: "CVE-2024-0002", Source: "builtin", Modified: date("2024-05-01T00:00:00Z"), Affected: []biopsy.Affected{{Ecosystem: "Upstream", Name: "pump"}}},
	}
}

// build commits records and exploits in the order given.
func build(t testing.TB, records []biopsy.Advisory) string {
	t.Helper()
	b := NewBuilder(t.TempDir())
	for _, a := range records {
		if err := b.Advisory(a); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range []biopsy.Exploit{
		{KEV: true, KEVAdded: "2024-06-01", KEVDue: "2024-06-22", KEVAction: "Mend it.", Ransomware: true},
		{EPSS: 0.00043, Percentile: 0.12345, EPSSDate: "2024-06-02"},
		{EPSS: 0.5, Percentile: 0.9, EPSSDate: "2024-06-01"},
	} {
		if err := b.Exploit("CVE-2024-0001", e); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Exploit("CVE-2024-00011", biopsy.Exploit{EPSS: 1.0 / 3, Percentile: 1, EPSSDate: "2024-06-02"}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "book.refdb")
	if _, err := b.Commit(path, built); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, path string) *Book {
	t.Helper()
	b, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestAdvisoryComesBackWhole(t *testing.T) {
	b := open(t, build(t, samples()))
	want := samples()[0]
	want.Severity[0].Score = 9.8
	want.Severity[0].Source, want.Severity[1].Source = want.ID, want.ID
	got, ok, err := b.Advisory("ghsa-AAAA-bbbb-cccc")
	if err != nil || !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, %v; want %+v", got, ok, err, want)
	}
	if _, ok, err := b.Advisory("CVE-2024-0001"); ok || err != nil {
		t.Errorf("an alias is no record of its own: got %v, %v", ok, err)
	}
}

func TestPackage(t *testing.T) {
	b := open(t, build(t, samples()))
	for _, c := range []struct{ ecosystem, name, want string }{
		{"PyPI", "pump.parser", "GHSA-aaaa-bbbb-cccc [CVE-2024-0001 PYSEC-2024-1] PyPI; PYSEC-2024-1 [CVE-2024-0001 GHSA-aaaa-bbbb-cccc] PyPI; "},
		{"Debian", "pump", "DSA-1-1 [] Debian:12; DSA-1-1 [] Debian:11; "},
		{"npm", "@pump/core", "GHSA-two-holes [CVE-2024-0001 CVE-2024-0002 GHSA-aaaa-bbbb-cccc PYSEC-2024-1] npm; "},
		{"npm", "@Pump/core", ""},
		{"npm", "@pump/cor", ""},
		{"GIT", "git://example.org/pump/core", "CVE-2024-0002 [] ; "},
		{"Upstream", "pump", "CVE-2024-0002 [] Upstream; "},
		{"", "", ""},
	} {
		entries, err := b.Package(c.ecosystem, c.name)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, e := range entries {
			got += fmt.Sprintf("%s %v %s; ", e.ID, e.Aliases, e.Affected.Ecosystem)
		}
		if got != c.want {
			t.Errorf("Package(%q, %q): got %q, want %q", c.ecosystem, c.name, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	b := open(t, build(t, samples()))
	for _, c := range []struct {
		ecosystem, beginning string
		max                  int
		want                 string
	}{
		{"Debian:12", "pu", 9, "[pump]"}, {"PyPI", "Pump.", 9, "[pump-parser]"}, {"npm", "", 9, "[@pump/core]"}, {"npm", "", 0, "[]"}, {"npm", "x", 9, "[]"}, {"np", "", 9, "[]"},
	} {
		got, err := b.Names(c.ecosystem, c.beginning, c.max)
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("Names(%q, %q): got %v, %v; want %s", c.ecosystem, c.beginning, got, err, c.want)
		}
	}
}

func TestEntryHoldsWhatDecides(t *testing.T) {
	b := open(t, build(t, samples()))
	got, err := b.Package("npm", "@pump/core")
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	if w := date("2024-04-01T00:00:00Z"); !got[0].Withdrawn.Equal(w) || got[0].Source != "osv/npm" {
		t.Errorf("got withdrawn %v by %q, want %v by osv/npm", got[0].Withdrawn, got[0].Source, w)
	}
	got, err = b.Package("PyPI", "pump-parser")
	if err != nil || !reflect.DeepEqual(got[0].Affected, samples()[0].Affected[0]) || got[0].Severity[0].Score != 9.8 {
		t.Errorf("got %+v, %v; want %+v with score 9.8", got[0], err, samples()[0].Affected[0])
	}
}

func TestSeverityOfOnePackage(t *testing.T) {
	high, low := "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"
	a := biopsy.Advisory{ID: "X-1", Source: "osv/npm", Modified: built, Severity: []biopsy.Severity{{Type: "CVSS_V3", Vector: high}, {Type: "CVSS_V3", Vector: low}}}
	a.Affected = []biopsy.Affected{{Ecosystem: "npm", Name: "a", Extra: map[string]string{"severity": low}}, {Ecosystem: "npm", Name: "b"}}
	b := open(t, build(t, []biopsy.Advisory{a}))
	for name, want := range map[string]int{"a": 1, "b": 2} {
		e, err := b.Package("npm", name)
		if err != nil || len(e) != 1 || len(e[0].Severity) != want {
			t.Errorf("%s: got %+v, %v; want %d severities", name, e, err, want)
		}
	}
}

func TestLookup(t *testing.T) {
	b := open(t, build(t, samples()))
	for id, want := range map[string]string{
		"cve-2024-0001": "DSA-1-1/osv/Debian GHSA-aaaa-bbbb-cccc/osv/PyPI GHSA-two-holes/osv/npm PYSEC-2024-1/osv/PyPI",
		"CVE-2024-0002": "CVE-2024-0002/builtin CVE-2024-0002/osv/GIT DSA-1-1/osv/Debian GHSA-two-holes/osv/npm",
		"PYSEC-2024-1":  "GHSA-aaaa-bbbb-cccc/osv/PyPI PYSEC-2024-1/osv/PyPI",
		"CVE-2024-000":  "",
		"":              "",
	} {
		all, err := b.Lookup(id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range all {
			got = append(got, a.ID+"/"+a.Source)
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("Lookup(%q): got %q, want %q", id, g, want)
		}
	}
	if a, ok, err := b.Advisory("CVE-2024-0002"); err != nil || !ok || a.Source != "builtin" {
		t.Errorf("of two feeds the newer record: got %q, %v, %v; want builtin", a.Source, ok, err)
	}
}

func TestExploit(t *testing.T) {
	b := open(t, build(t, samples()))
	want := biopsy.Exploit{KEV: true, KEVAdded: "2024-06-01", KEVDue: "2024-06-22", KEVAction: "Mend it.", Ransomware: true, EPSS: 0.00043, Percentile: 0.12345, EPSSDate: "2024-06-02"}
	if got, ok, err := b.Exploit("cve-2024-0001"); err != nil || !ok || got != want {
		t.Errorf("got %+v, %v, %v; want %+v", got, ok, err, want)
	}
	if got, ok, err := b.Exploit("CVE-2024-00011"); err != nil || !ok || got.EPSS != 1.0/3 || got.Percentile != 1 {
		t.Errorf("got %+v, %v, %v; want a third exactly", got, ok, err)
	}
	if got, ok, err := b.Exploit("CVE-2024-000"); ok || err != nil {
		t.Errorf("got %+v, %v, %v; want none", got, ok, err)
	}
}

func TestSnapshot(t *testing.T) {
	b := open(t, build(t, samples()))
	s := b.Snapshot()
	if s.Name != "advisories" || s.Built != "2026-08-20T12:00:00Z" || s.Records != 6 || !strings.HasPrefix(s.Digest, "sha256:") {
		t.Errorf("got %+v", s)
	}
	want := []biopsy.Snap{
		{Feed: "builtin", Newest: "2024-05-01T00:00:00Z", Records: 1},
		{Feed: "epss", Newest: "2024-06-02T00:00:00Z", Records: 2},
		{Feed: "kev", Newest: "2024-06-01T00:00:00Z", Records: 1},
		{Feed: "osv/Debian", Newest: "2024-03-01T00:00:00Z", Records: 1},
		{Feed: "osv/GIT", Newest: "2024-03-01T00:00:00Z", Records: 1},
		{Feed: "osv/PyPI", Newest: "2024-02-03T04:05:06Z", Records: 2},
		{Feed: "osv/npm", Newest: "2024-03-01T00:00:00Z", Records: 1},
	}
	if !reflect.DeepEqual(s.Feeds, want) {
		t.Errorf("got %+v, want %+v", s.Feeds, want)
	}
	if got, want := b.Ecosystems(), []string{"Debian", "GIT", "PyPI", "Upstream", "npm"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := b.Verify(); err != nil {
		t.Error(err)
	}
}

func TestSameInputSameBytes(t *testing.T) {
	records := samples()
	first, err := os.ReadFile(build(t, records))
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(records)
	second, err := os.ReadFile(build(t, append(records, records...)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("another order of the same records gave other bytes")
	}
}

func TestNewerRecordOfTheSameFeedReplaces(t *testing.T) {
	a := biopsy.Advisory{ID: "X-1", Source: "osv/npm", Summary: "old", Modified: date("2024-01-01T00:00:00Z"), Affected: []biopsy.Affected{{Ecosystem: "npm", Name: "gone"}}}
	c := biopsy.Advisory{ID: "X-1", Source: "osv/Hex", Summary: "new", Modified: date("2024-01-02T00:00:00Z")}
	b := open(t, build(t, []biopsy.Advisory{c, a}))
	all, err := b.Lookup("X-1")
	if err != nil || len(all) != 1 || all[0].Summary != "new" {
		t.Fatalf("got %+v, %v; want the new one", all, err)
	}
	if e, err := b.Package("npm", "gone"); err != nil || len(e) != 0 {
		t.Errorf("got %+v, %v; want no entry of the old record", e, err)
	}
	if s := b.Snapshot(); s.Records != 1 || len(s.Feeds) != 4 {
		t.Errorf("got %+v; want one record, counted for both ecosystems", s)
	}
}

func TestBuilderFromDropsFeeds(t *testing.T) {
	old := open(t, build(t, samples()))
	b, err := NewBuilderFrom(old, "osv/PyPI", "kev")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "next.refdb")
	if _, err := b.Commit(path, built); err != nil {
		t.Fatal(err)
	}
	next := open(t, path)
	if _, ok, err := next.Advisory("PYSEC-2024-1"); ok || err != nil {
		t.Errorf("a dropped feed's record is there: %v, %v", ok, err)
	}
	if e, ok, err := next.Exploit("CVE-2024-0001"); !ok || err != nil || e.KEV || e.EPSS != 0.00043 {
		t.Errorf("got %+v, %v, %v; want EPSS only", e, ok, err)
	}
	if got := next.Snapshot().Records; got != 4 {
		t.Errorf("got %d records, want 4", got)
	}
	same, err := NewBuilderFrom(old)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := same.Commit(path, built); err != nil || s.Digest != old.Snapshot().Digest {
		t.Errorf("a copy has another digest: %v, %v", s, err)
	}
}

func TestBadRecords(t *testing.T) {
	b := NewBuilder(t.TempDir())
	defer b.Close()
	for _, a := range []biopsy.Advisory{
		{Source: "x"}, {ID: "X-1"}, {ID: "X\x00", Source: "x"}, {ID: strings.Repeat("x", 300), Source: "x"},
		{ID: "X-1", Source: "x", Affected: make([]biopsy.Affected, 1<<16)},
		{ID: "X-1", Source: "x", Affected: []biopsy.Affected{{Name: "a\x00b"}}},
		{ID: "X-1", Source: "x", Details: strings.Repeat("x", 17<<20)},
	} {
		if err := b.Advisory(a); !errors.Is(err, ErrRecord) {
			t.Errorf("%.20q: got %v, want ErrRecord", a.ID, err)
		}
	}
	if err := b.Exploit("", biopsy.Exploit{KEV: true}); !errors.Is(err, ErrRecord) {
		t.Errorf("got %v, want ErrRecord", err)
	}
	if s, err := b.Commit(filepath.Join(t.TempDir(), "b"), built); err != nil || s.Records != 0 {
		t.Errorf("got %+v, %v; want an empty book", s, err)
	}
}

func TestSpillsAndLeavesNothingBehind(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	b := NewBuilder(dir)
	if err := b.start(); err != nil {
		t.Fatal(err)
	}
	b.records.Budget, b.exploits.Budget = 4<<10, 1<<10
	for i := range 500 {
		id := fmt.Sprintf("X-%d", i*7%500)
		a := biopsy.Advisory{ID: id, Source: "osv/npm", Modified: built, Aliases: []string{fmt.Sprintf("CVE-2024-%d", i%100)}, Details: strings.Repeat(id, 20)}
		a.Affected = []biopsy.Affected{{Ecosystem: "npm", Name: fmt.Sprint("p", i%50)}}
		if err := b.Advisory(a); err != nil {
			t.Fatal(err)
		}
		if err := b.Exploit(fmt.Sprintf("CVE-2024-%d", i), biopsy.Exploit{EPSS: 0.5, EPSSDate: "2024-01-01"}); err != nil {
			t.Fatal(err)
		}
	}
	if runs, err := os.ReadDir(b.temp); err != nil || len(runs) < 10 {
		t.Fatalf("got %d runs, %v; the test tests nothing", len(runs), err)
	}
	path := filepath.Join(out, "b.refdb")
	if s, err := b.Commit(path, built); err != nil || s.Records != 500 {
		t.Fatalf("got %+v, %v", s, err)
	}
	book := open(t, path)
	if e, err := book.Package("npm", "p7"); err != nil || len(e) != 10 {
		t.Errorf("got %d entries, %v; want 10", len(e), err)
	}
	if all, err := book.Lookup("CVE-2024-42"); err != nil || len(all) != 5 {
		t.Errorf("got %d records, %v; want 5", len(all), err)
	}
	for d, want := range map[string]int{dir: 0, out: 1} {
		left, err := os.ReadDir(d)
		if err != nil || len(left) != want {
			t.Errorf("%s: got %v, %v; want %d files", d, left, err, want)
		}
	}
}

func TestStoppedCommitLeavesTheOldBook(t *testing.T) {
	path := build(t, samples())
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuilder(t.TempDir())
	b.Stop = func() error { return context.Canceled }
	if err := b.Advisory(biopsy.Advisory{ID: "X-1", Source: "x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Commit(path, built); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the old book was touched: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("got %v, %v; want the old book alone", left, err)
	}
}

func TestFailedCommitLeavesTheOldBook(t *testing.T) {
	path := build(t, samples())
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuilder(t.TempDir())
	if err := b.Advisory(biopsy.Advisory{ID: "X-1", Source: "x"}); err != nil {
		t.Fatal(err)
	}
	// A row of another shape breaks the build in the middle.
	if err := b.records.Add([]byte("broken"), []byte{9, 9}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Commit(path, built); err == nil {
		t.Fatal("got no error of a broken build")
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the old book was touched: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("got %v, %v; want the old book alone", left, err)
	}
}

func TestReadersWhileReplaced(t *testing.T) {
	path := build(t, samples())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				b, err := Open(path)
				if err != nil {
					t.Error(err)
					return
				}
				if e, err := b.Package("Debian", "pump"); err != nil || len(e) != 2 {
					t.Errorf("got %v, %v", e, err)
				}
				if err := b.Close(); err != nil {
					t.Error(err)
				}
				if _, err := b.Package("Debian", "pump"); err != ErrClosed {
					t.Errorf("got %v, want ErrClosed", err)
				}
			}
		})
	}
	for range 20 {
		next := NewBuilder("")
		for _, a := range samples() {
			if err := next.Advisory(a); err != nil {
				t.Error(err)
			}
		}
		if _, err := next.Commit(path, built); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

func TestLookupsAtTheSameTime(t *testing.T) {
	b := open(t, build(t, samples()))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				e, err := b.Package("Debian", "pump")
				all, err2 := b.Lookup("CVE-2024-0001")
				x, ok, err3 := b.Exploit("CVE-2024-0001")
				if errors.Join(err, err2, err3) != nil || len(e) != 2 || len(all) != 4 || !ok || !x.KEV {
					t.Errorf("got %d entries, %d records, %+v, %v", len(e), len(all), x, errors.Join(err, err2, err3))
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestNotABook(t *testing.T) {
	good, err := os.ReadFile(build(t, samples()))
	if err != nil {
		t.Fatal(err)
	}
	other := slices.Clone(good)
	other[8] = 7
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":    {nil, "not a book of advisories"},
		"other":    {bytes.Repeat([]byte("x"), 1000), "not a book of advisories"},
		"short":    {good[:len(good)-1], "and its header says"},
		"version":  {other, "has format 7, and this biopsy reads 2"},
		"bit flip": {flip(good, 100), "checksum of the header"},
		"contents": {flip(good, len(good)-3), "checksum of the contents"},
	} {
		if _, err := FromBytes(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: got %v", err)
	}
}

func flip(data []byte, at int) []byte {
	out := slices.Clone(data)
	out[at] ^= 0x10
	return out
}

// TestEveryFlippedBitIsSeen holds that no damage anywhere is taken for an answer.
func TestEveryFlippedBitIsSeen(t *testing.T) {
	good, err := os.ReadFile(build(t, samples()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		b, err := FromBytes(flip(good, i))
		if err != nil {
			continue
		}
		if err := b.Verify(); err == nil {
			t.Fatalf("byte %d: nobody noticed", i)
		}
		all := errors.Join(b.All(func(biopsy.Advisory) error { return nil }), b.Exploits(func(string, biopsy.Exploit) error { return nil }))
		_, err = b.Package("Debian", "pump")
		_, err2 := b.Lookup("CVE-2024-0001")
		if errors.Join(all, err, err2) == nil {
			t.Fatalf("byte %d: no look-up noticed", i)
		}
	}
}
