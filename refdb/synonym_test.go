package refdb

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// twice is a book of the names and cycles that fill adds, built, taken over and filled again.
func twice(t *testing.T, fill func(*Builder) error, drop ...string) *Book {
	t.Helper()
	path := filepath.Join(t.TempDir(), "b.refdb")
	b := NewBuilder(t.TempDir())
	for range 2 {
		if err := fill(b); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Commit(path, built); err != nil {
			t.Fatal(err)
		}
		old, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if b, err = NewBuilderFrom(old, drop...); err != nil {
			t.Fatal(err)
		}
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Commit(path, built); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

func pairs(records int) func(*Builder) error {
	return func(b *Builder) error {
		var errs []error
		for range 2 {
			errs = append(errs,
				b.Synonym(biopsy.Synonym{Name: "pkg:npm/lodash", Same: "cpe:2.3:a:lodash:lodash", Source: "nvd", Records: records}),
				b.Synonym(biopsy.Synonym{Name: "cpe:2.3:a:lodash:lodash", Same: "pkg:npm/Lodash", Source: "nvd", Records: 1}))
		}
		return errors.Join(append(errs, b.Synonym(biopsy.Synonym{Name: "pkg:npm/lodash", Same: "github.com/lodash/lodash", Source: "builtin"}))...)
	}
}

func TestSynonyms(t *testing.T) {
	b := twice(t, pairs(2))
	for name, want := range map[string][]biopsy.Synonym{
		"pkg:NPM/lodash": {
			{Name: "pkg:npm/Lodash", Same: "cpe:2.3:a:lodash:lodash", Source: "nvd", Records: 6},
			{Name: "pkg:npm/lodash", Same: "github.com/lodash/lodash", Source: "builtin"},
		},
		"cpe:2.3:a:lodash:lodash": {{Name: "cpe:2.3:a:lodash:lodash", Same: "pkg:npm/Lodash", Source: "nvd", Records: 6}},
		"pkg:npm/lodas":           nil,
	} {
		got, err := b.Synonyms(name)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, want)
		}
	}
	n := 0
	if err := b.EachSynonym(func(biopsy.Synonym) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("got %d pairs, %v; want 2", n, err)
	}
	if feeds := b.Snapshot().Feeds; len(feeds) != 2 || feeds[1].Feed != "names/nvd" || feeds[1].Records != 1 {
		t.Errorf("got %+v, want one pair of nvd", feeds)
	}
}

func TestSynonymsDropped(t *testing.T) {
	fills := 0
	b := twice(t, func(b *Builder) error {
		if fills++; fills == 1 {
			return pairs(1)(b)
		}
		return nil
	}, "nvd")
	if got, err := b.Synonyms("pkg:npm/lodash"); err != nil || len(got) != 1 || got[0].Source != "builtin" {
		t.Errorf("got %+v, %v; want what builtin says alone", got, err)
	}
}

func TestBadNames(t *testing.T) {
	b := NewBuilder(t.TempDir())
	for _, s := range []biopsy.Synonym{
		{Name: "", Same: "a", Source: "x"}, {Name: "a", Same: "A", Source: "x"}, {Name: "a", Same: "b"}, {Name: "a\x00", Same: "b", Source: "x"},
		{Name: "a", Same: strings.Repeat("b", maxName+1), Source: "x"}, {Name: "a", Same: "b", Source: "x", Records: -1},
	} {
		if err := b.Synonym(s); !errors.Is(err, ErrRecord) {
			t.Errorf("%.60v: got %v, want a bad record", s, err)
		}
	}
	for _, l := range []biopsy.Lifecycle{
		{Source: "x"}, {Product: "a"}, {Product: "a", Source: "x", Names: []string{""}}, {Product: "a", Source: "x", Cycles: make([]biopsy.Cycle, maxCycles+1)},
	} {
		if err := b.Lifecycle(l); !errors.Is(err, ErrRecord) {
			t.Errorf("%.60v: got %v, want a bad record", l, err)
		}
	}
}

func TestLifecycles(t *testing.T) {
	pump := biopsy.Lifecycle{
		Product: "pump", Label: "Pump", Names: []string{"cpe:2.3:a:pump:pump", "pkg:generic/pump"}, Source: "eol", URL: "https://example.org", Modified: "2026-01-02",
		Cycles: []biopsy.Cycle{
			{Name: "2.0", Codename: "Heart", Released: "2025-01-01", ActiveEnd: "2026-01-01", End: "2027-01-01", ExtendedEnd: "2030-01-01", LTS: true, Latest: "2.0.9"},
			{Name: "1", Ended: biopsy.Yes}, {Name: "0", Ended: biopsy.No, LTS: true},
		},
	}
	stale := biopsy.Lifecycle{Product: "pump", Source: "eol", Modified: "2025-01-01"}
	undated := biopsy.Lifecycle{Product: "Valve", Source: "eol", Names: []string{"valve"}, Cycles: []biopsy.Cycle{{Name: "1"}}}
	other := biopsy.Lifecycle{Product: "pump", Source: "debian", Cycles: []biopsy.Cycle{{Name: "9"}}}
	fills := 0
	b := twice(t, func(b *Builder) error {
		fills++
		undated.Cycles[0].Latest = strings.Repeat("9", 3-fills) // a shorter value, which sorts before the longer one
		return errors.Join(b.Lifecycle(pump), b.Lifecycle(stale), b.Lifecycle(undated), b.Lifecycle(other))
	})
	for name, want := range map[string][]biopsy.Lifecycle{
		"Pump": {other, pump}, "CPE:2.3:a:pump:pump": {pump}, "valve": {undated}, "pum": nil,
	} {
		got, err := b.Lifecycle(name)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, want)
		}
	}
	var all []string
	if err := b.Lifecycles(func(l biopsy.Lifecycle) error { all = append(all, l.Product+"/"+l.Source); return nil }); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(all, " "), "pump/debian pump/eol Valve/eol"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestUndatedRecordIsReplaced: some feeds give no time of change.
func TestUndatedRecordIsReplaced(t *testing.T) {
	summaries := []string{"zzz, the old text", "a new text"}
	b := twice(t, func(b *Builder) error {
		s := summaries[0]
		summaries = summaries[1:]
		return b.Advisory(biopsy.Advisory{ID: "CVE-2024-1", Source: "debian", Summary: s})
	})
	if a, _, err := b.Advisory("CVE-2024-1"); err != nil || a.Summary != "a new text" {
		t.Errorf("got %q, %v; want the new text", a.Summary, err)
	}
}

func TestPublishersOfCSAFAreApart(t *testing.T) {
	var all []biopsy.Advisory
	for _, source := range []string{"csaf/cisa", "csaf/siemens", "csaf/siemens"} {
		all = append(all, biopsy.Advisory{ID: "2024-0001", Source: source, Summary: source})
	}
	got, err := open(t, build(t, all)).Lookup("2024-0001")
	if err != nil || len(got) != 2 || got[0].Summary != "csaf/cisa" || got[1].Summary != "csaf/siemens" {
		t.Errorf("got %+v, %v; want one record of each publisher", got, err)
	}
}

func TestReads(t *testing.T) {
	kev, npm := built, built.Add(-48*time.Hour)
	b := twice(t, func(b *Builder) error {
		b.Read("kev", kev.Add(500*time.Millisecond))
		b.Read("osv/npm", npm)
		return nil
	}, "osv")
	if got, want := b.Reads(), []Reading{{"kev", kev}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	later := NewBuilder(t.TempDir())
	later.Read("kev", kev.Add(time.Hour))
	book, err := later.Commit(filepath.Join(t.TempDir(), "b"), built)
	if err != nil || book.Digest != b.Snapshot().Digest {
		t.Errorf("got %s, %v: the same records read later are the same book", book.Digest, err)
	}
	if err := b.Verify(); err != nil {
		t.Error(err)
	}
}

// TestUndatedEntries: a verdict without a date is as old as the hole it speaks of; the record itself stays undated.
func TestUndatedEntries(t *testing.T) {
	early, late := date("2024-01-02T03:04:05Z"), date("2024-05-06T00:00:00Z")
	b := open(t, build(t, []biopsy.Advisory{
		{ID: "CVE-2024-0009", Source: "nvd", Published: late, Affected: []biopsy.Affected{{Ecosystem: "CPE", Name: "a:b"}}},
		{ID: "GHSA-9", Source: "osv", Aliases: []string{"CVE-2024-0009"}, Published: early, Affected: []biopsy.Affected{{Ecosystem: "npm", Name: "x"}}},
		{ID: "DEBIAN-CVE-2024-0009", Source: "debian", Upstream: []string{"CVE-2024-0009"}, Modified: late, Affected: []biopsy.Affected{{Ecosystem: "Debian:12", Name: "x"}}},
		{ID: "OTHER-1", Source: "debian", Upstream: []string{"CVE-1999-00x"}, Affected: []biopsy.Affected{{Ecosystem: "Debian:12", Name: "x"}}},
	}))
	got, err := b.Package("Debian", "x")
	if err != nil || len(got) != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if want := date("2024-01-02T00:00:00Z"); !got[0].Published.Equal(want) || !got[0].Modified.Equal(late) || got[0].Affected.Name != "x" || got[0].Source != "debian" {
		t.Errorf("got %+v, want it published %v", got[0], want)
	}
	if !got[1].Published.IsZero() {
		t.Errorf("got %v of a hole that nobody dates", got[1].Published)
	}
	if a, _, err := b.Advisory("DEBIAN-CVE-2024-0009"); err != nil || !a.Published.IsZero() {
		t.Errorf("got %v, %v; the record says no date", a.Published, err)
	}
	if e, err := b.Package("CPE", "a:b"); err != nil || !e[0].Published.Equal(late) {
		t.Errorf("got %v, %v; a date that is there stays", e, err)
	}
}

// TestReplace: a part that was read whole forgets what it says no more; what another part says of the same record stays.
func TestReplace(t *testing.T) {
	fills := 0
	b := twice(t, func(b *Builder) error {
		add := func(id, source string) error {
			return b.Advisory(biopsy.Advisory{ID: id, Source: source, Modified: built})
		}
		if fills++; fills == 1 {
			return errors.Join(add("A-1", "osv/npm"), add("A-2", "osv/npm"), add("A-2", "osv/Go"), add("A-3", "osv/Go"), add("A-4", "osv/npm"))
		}
		b.Replace("osv/npm")
		return add("A-4", "osv/npm")
	})
	var got []string
	if err := b.All(func(a biopsy.Advisory) error { got = append(got, a.ID+" "+a.Source); return nil }); err != nil {
		t.Fatal(err)
	}
	if g, want := strings.Join(got, ", "), "A-2 osv/Go, A-3 osv/Go, A-4 osv/npm"; g != want {
		t.Errorf("got %s, want %s", g, want)
	}
}

// TestSameBookKeepsItsTime: what was judged by a book is judged again to the same bytes.
func TestSameBookKeepsItsTime(t *testing.T) {
	old := open(t, build(t, samples()))
	for _, c := range []struct {
		more []biopsy.Advisory
		want string
	}{{samples()[:1], "2026-08-20T12:00:00Z"}, {[]biopsy.Advisory{{ID: "N-1", Source: "osv"}}, "2026-08-21T12:00:00Z"}} {
		b, err := NewBuilderFrom(old)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range c.more {
			if err := b.Advisory(a); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := b.Commit(filepath.Join(t.TempDir(), "b"), built.AddDate(0, 0, 1)); err != nil || got.Built != c.want {
			t.Errorf("got %s, %v; want %s", got.Built, err, c.want)
		}
	}
}
