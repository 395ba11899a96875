package enrich

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// fake is a book in memory.
type fake struct {
	cycles []biopsy.Lifecycle
	same   []biopsy.Synonym
	err    error
}

func (f fake) Lifecycles(yield func(biopsy.Lifecycle) error) error {
	for _, l := range f.cycles {
		if err := yield(l); err != nil {
			return err
		}
	}
	return f.err
}

func (f fake) Synonyms(name string) (out []biopsy.Synonym, err error) {
	for _, s := range f.same {
		if strings.EqualFold(s.Name, name) {
			out = append(out, s)
		}
	}
	return out, nil
}

var world = fake{
	cycles: []biopsy.Lifecycle{
		{Product: "debian", Label: "Debian", Source: "eol/distro-info", Cycles: []biopsy.Cycle{{Name: "12", End: "2026-06-10", ExtendedEnd: "2028-06-30"}, {Name: "13", End: "2028-08-09"}, {Name: "11", ActiveEnd: "2024-08-14", End: "2026-08-31"}}},
		{Product: "debian", Label: "Debian", Source: "eol/endoflife.date", Cycles: []biopsy.Cycle{{Name: "12", End: "2026-07-11"}, {Name: "14"}}},
		{Product: "openssl", Label: "OpenSSL", Source: "eol/endoflife.date", Names: []string{"cpe:2.3:a:openssl:openssl", "pkg:generic/openssl"}, Cycles: []biopsy.Cycle{
			{Name: "3.0", End: "2026-09-07", Latest: "3.0.21"}, {Name: "1.1.1", End: "2023-09-11", Latest: "1.1.1w"}, {Name: "1.1.0", End: "2019-09-11"}, {Name: "4", Ended: biopsy.No}, {Name: "2", Ended: biopsy.Yes}, {Name: "9"}}},
		{Product: "oldpump", Source: "x", Names: []string{"pkg:npm/%40pump/old"}, Cycles: []biopsy.Cycle{{Name: "2", End: "2020-01-01"}, {Name: "1", Ended: biopsy.Yes}}},
		{Product: "go", Label: "Go", Source: "x", Names: []string{"pkg:generic/go"}, Cycles: []biopsy.Cycle{{Name: "1.2", End: "2015-01-01"}, {Name: "1.20", End: "2024-02-06"}, {Name: "1.26", Ended: biopsy.No}}},
	},
	same: []biopsy.Synonym{
		{Name: "pkg:generic/openssl", Same: "pkg:conan/openssl", Source: "learned", Records: 9},
		{Name: "pkg:generic/openssl", Same: "pkg:npm/openssl", Source: "learned", Records: 2},
		{Name: "cpe:2.3:a:openssl:openssl", Same: "github.com/openssl/openssl", Source: "builtin"},
	},
}

func TestSupport(t *testing.T) {
	type c = biopsy.Component
	for name, test := range map[string]struct {
		in   c
		want string
	}{
		"by CPE":              {c{Eco: "generic", Name: "libssl", Version: "1.1.1w", CPEs: []string{"cpe:2.3:a:openssl:openssl:1.1.1w:*:*:*:*:*:*:*"}}, "no longer maintained|2023-09-11|-1074|1.1.1|OpenSSL 1.1.1: security fixes ended on 2023-09-11"},
		"by purl":             {c{Eco: "generic", Name: "openssl", Version: "3.0.11"}, "actively maintained|2026-09-07|18|3.0|OpenSSL 3.0: security fixes until 2026-09-07"},
		"by upstream name":    {c{Eco: "conda", Name: "ssl", Version: "3.0.11"}, "actively maintained|2026-09-07|18|3.0|OpenSSL 3.0: security fixes until 2026-09-07"},
		"by synonym":          {c{Eco: "conan", Name: "openssl", Version: "3.0.11"}, "actively maintained|2026-09-07|18|3.0|OpenSSL 3.0: security fixes until 2026-09-07; the same as pkg:generic/openssl, by learned"},
		"a purl with all":     {c{Eco: "npm", Name: "old", Version: "2", Purl: "pkg:npm/%40pump/old@2?vcs_url=git%2Bx@y#a/b"}, "abandoned|2020-01-01|-2423|2|oldpump 2: security fixes ended on 2020-01-01, and no other cycle is supported"},
		"thinly learned":      {c{Eco: "npm", Name: "openssl", Version: "3.0.11"}, "nil"},
		"open end":            {c{Eco: "generic", Name: "openssl", Version: "4.0.1"}, "actively maintained||nil|4|OpenSSL 4: supported, with no end announced"},
		"ended some day":      {c{Eco: "generic", Name: "openssl", Version: "2.5"}, "no longer maintained||nil|2|OpenSSL 2: its support has ended, on a day that is not known"},
		"nothing said":        {c{Eco: "generic", Name: "openssl", Version: "9.1"}, "||nil|9|OpenSSL 9: when its support ends is not known"},
		"no cycle":            {c{Eco: "generic", Name: "openssl", Version: "30.1"}, "||nil||no cycle of OpenSSL is known that 30.1 belongs to"},
		"no version":          {c{Eco: "generic", Name: "openssl"}, "nil"},
		"unknown":             {c{Eco: "generic", Name: "pumpssl", Version: "1"}, "nil"},
		"abandoned":           {c{Eco: "npm", Namespace: "@pump", Name: "old", Version: "2.9"}, "abandoned|2020-01-01|-2423|2|oldpump 2: security fixes ended on 2020-01-01, and no other cycle is supported"},
		"release":             {c{Eco: "deb", Namespace: "debian", Name: "openssl", Version: "3.0.11-1", Distro: "debian-12"}, "no longer maintained|2026-06-10|-71|12|Debian 12: security fixes ended on 2026-06-10; extended support, paid or by a community, until 2028-06-30"},
		"release of another":  {c{Eco: "deb", Namespace: "debian", Name: "openssl", Version: "3.0.11-1", Distro: "debian-14"}, "||nil|14|Debian 14: when its support ends is not known"},
		"long term":           {c{Eco: "deb", Name: "openssl", Version: "1", Distro: "debian-11"}, "actively maintained|2026-08-31|11|11|Debian 11: security fixes until 2026-08-31, other fixes ended on 2024-08-14"},
		"bindings":            {c{Eco: "golang", Name: "ssl", Version: "v1.1.1"}, "nil"},
		"no release":          {c{Eco: "deb", Namespace: "pumpos", Name: "openssl", Version: "3.0.11-1", Distro: "pumpos-12"}, "nil"},
		"the system itself":   {c{Kind: biopsy.OperatingSystem, Eco: "generic", Name: "debian", Version: "13.2"}, "actively maintained|2028-08-09|720|13|Debian 13: security fixes until 2028-08-09"},
		"numbers, not text":   {c{Eco: "golang", Name: "stdlib", Version: "v1.20.3"}, "no longer maintained|2024-02-06|-926|1.20|Go 1.20: security fixes ended on 2024-02-06"},
		"a broken CPE is not": {c{Eco: "npm", Name: "x", Version: "1", CPEs: []string{"cpe:openssl"}}, "nil"},
	} {
		inv := biopsy.Inventory{Components: []c{test.in}}
		names := func(_, name string) string {
			if name == "ssl" {
				return "openssl"
			}
			return ""
		}
		if err := Run(&inv, []Book{fake{}, world}, Options{Day: time.Date(2026, 8, 20, 23, 0, 0, 0, time.UTC), Names: names}); err != nil {
			t.Fatal(err)
		}
		if got := show(inv.Components[0].Support); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func show(s *biopsy.Support) string {
	if s == nil {
		return "nil"
	}
	days := "nil"
	if s.Days != nil {
		days = strconv.Itoa(*s.Days)
	}
	return strings.Join([]string{s.Level, s.End, days, s.Cycle, s.Because}, "|")
}

func TestDays(t *testing.T) {
	inv := biopsy.Inventory{Components: []biopsy.Component{{Eco: "generic", Name: "openssl", Version: "2.5"}, {Eco: "generic", Name: "openssl", Version: "3.0.1"}}}
	run := func(o Options) []string {
		inv.Components[0].Support, inv.Components[1].Support = nil, nil
		if err := Run(&inv, []Book{world}, o); err != nil {
			t.Fatal(err)
		}
		return []string{show(inv.Components[0].Support), show(inv.Components[1].Support), inv.Components[1].Support.Latest}
	}
	past := Options{Day: time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC), Past: true}
	want := []string{"||nil|2|OpenSSL 2: when its support ends is not known", "actively maintained|2026-09-07|0|3.0|OpenSSL 3.0: security fixes until 2026-09-07", ""}
	if got := run(past); !reflect.DeepEqual(got, want) {
		t.Errorf("last day of a past: got %q, want %q", got, want)
	}
	past.Day, past.Past = past.Day.AddDate(0, 0, 1), false
	want = []string{"no longer maintained||nil|2|OpenSSL 2: its support has ended, on a day that is not known", "no longer maintained|2026-09-07|-1|3.0|OpenSSL 3.0: security fixes ended on 2026-09-07", "3.0.21"}
	if got := run(past); !reflect.DeepEqual(got, want) {
		t.Errorf("first day without: got %q, want %q", got, want)
	}
	if got := run(Options{}); !strings.HasPrefix(got[1], "|2026-09-07|nil|3.0|") {
		t.Errorf("no day: got %q, want an end without level and days", got[1])
	}
}

func TestSaidByAPersonStays(t *testing.T) {
	said := &biopsy.Support{Level: "actively maintained", Because: "by contract"}
	inv := biopsy.Inventory{Components: []biopsy.Component{{Eco: "generic", Name: "openssl", Version: "1.1.1w", Support: said}}}
	if err := Run(&inv, []Book{world}, Options{}); err != nil || inv.Components[0].Support != said {
		t.Errorf("got %+v, %v", inv.Components[0].Support, err)
	}
}

// TestReadAgain: a scan file that is judged by another book.
func TestReadAgain(t *testing.T) {
	inv := biopsy.Inventory{Components: []biopsy.Component{{Eco: "generic", Name: "openssl", Version: "1.1.1w", Support: &biopsy.Support{Level: "actively maintained", Product: "openssl"}}}}
	if err := Run(&inv, []Book{world}, Options{}); err != nil || inv.Components[0].Support.Cycle != "1.1.1" {
		t.Errorf("got %+v, %v", inv.Components[0].Support, err)
	}
	if err := Run(&inv, []Book{fake{}}, Options{}); err != nil || inv.Components[0].Support != nil {
		t.Errorf("got %+v, %v, want nothing from a book that knows nothing", inv.Components[0].Support, err)
	}
}

func TestDamagedBook(t *testing.T) {
	damaged := world
	damaged.err = errors.New("damaged")
	if err := Run(&biopsy.Inventory{}, []Book{damaged}, Options{}); !errors.Is(err, damaged.err) {
		t.Errorf("got %v", err)
	}
}

func FuzzCycle(f *testing.F) {
	f.Add("1.1.1w", "1.1")
	f.Add("1:v3.0-rc1", "3")
	f.Fuzz(func(t *testing.T, version, name string) {
		got := cycleOf([]biopsy.Cycle{{Name: name}}, version)
		if got != nil && len(parts(name)) > len(parts(version)) {
			t.Errorf("%q does not begin with %q", version, name)
		}
		if got == nil && version == name && len(parts(name)) > 0 {
			t.Errorf("%q is not in the cycle of its own name", version)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	inv := biopsy.Inventory{Components: make([]biopsy.Component, 100_000)}
	for i := range inv.Components {
		inv.Components[i] = biopsy.Component{Eco: "npm", Name: "pump", Version: "1.2.3", Purl: "pkg:npm/pump@1.2.3", CPEs: []string{"cpe:2.3:a:pump:pump:1.2.3:*:*:*:*:*:*:*"}}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := Run(&inv, []Book{world}, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
