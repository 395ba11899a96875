package match

import (
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/cpe"
	"github.com/biopsy-sca/biopsy/refdb"
)

// FuzzWithin holds our evaluation of ranges against the OSV schema's own, which sorts the events and walks them. Events come as
// words: "i1.0.0 f1.5.0 l2.0.0 m3.0.0".
func FuzzWithin(f *testing.F) {
	f.Add("1.2.0", "i0 f1.5.0 i2.0.0 f2.1.0")
	f.Add("2.0.0", "f1.5.0 i2.0.0 i0 l2.0.0")
	f.Add("2.0.0", "i0 m2.0.0")
	f.Add("1.0.0-rc.1", "i1.0.0-0 f1.0.0")
	f.Add("x", "i0 fy")
	f.Fuzz(func(t *testing.T, version, words string) {
		events := eventsOf(words)
		got := within(version, events, eco.Semver)
		want, ok := schemaSays(version, events)
		if !ok {
			return // the schema does not say what to make of it; we must only come back
		}
		if got.answer != want {
			t.Fatalf("%q in %q: got %v (%+v), want %v", version, words, got.answer, got, want)
		}
		if got.answer != biopsy.Unknown && got.says(version) == "" {
			t.Fatalf("%q in %q: no reason", version, words)
		}
	})
}

func eventsOf(words string) []biopsy.Event {
	var out []biopsy.Event
	for _, w := range strings.Fields(words) {
		switch w[0] {
		case 'i':
			out = append(out, biopsy.Event{Introduced: w[1:]})
		case 'f':
			out = append(out, biopsy.Event{Fixed: w[1:]})
		case 'l':
			out = append(out, biopsy.Event{LastAffected: w[1:]})
		case 'm':
			out = append(out, biopsy.Event{Limit: w[1:]})
		}
	}
	return out
}

// schemaSays is the pseudocode of the OSV schema's section "Evaluation". ok is false for events it does not foresee: none that
// introduces, versions that do not parse, two events of different kinds at one version.
func schemaSays(version string, events []biopsy.Event) (answer biopsy.Answer, ok bool) {
	if eco.Valid("crates.io", version) != nil {
		return 0, false
	}
	begins, seen := false, map[string]turn{}
	for i := range events {
		kind, at := event(&events[i])
		if at == "" || at != "0" && eco.Valid("crates.io", at) != nil {
			return 0, false
		}
		for other, k := range seen {
			if c, _ := compareTurn(other, at, eco.Semver); c == 0 && (k != kind || other != at) {
				return 0, false
			}
		}
		seen[at] = kind
		begins = begins || kind == introduced
	}
	if !begins || version == "0" {
		return 0, false
	}
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(a, b biopsy.Event) int {
		_, x := event(&a)
		_, y := event(&b)
		c, _ := compareTurn(x, y, eco.Semver)
		return c
	})
	affected, limits, below := false, false, false
	for i := range sorted {
		kind, at := event(&sorted[i])
		c, _ := compareTurn(version, at, eco.Semver)
		switch {
		case kind == limit:
			limits, below = true, below || c < 0
		case kind == introduced && c >= 0:
			affected = true
		case kind == fixed && c >= 0, kind == lastAffected && c > 0:
			affected = false
		}
	}
	if affected && (!limits || below) {
		return biopsy.Yes, true
	}
	return biopsy.No, true
}

// FuzzUpstreamVersion: any version of any package type comes back without a panic and not longer.
func FuzzUpstreamVersion(f *testing.F) {
	for _, v := range []string{"1:9.2p1-2+deb12u3", "1:1.2.13.dfsg-1", "5.1+really5.0-1", "3.0.0~alpha1-1", "9.3_p1-r3", "2.36-9+deb12u10", "~", "-", ":"} {
		f.Add("deb", v)
		f.Add("apk", v)
		f.Add("opkg", v)
	}
	f.Fuzz(func(t *testing.T, typ, v string) {
		if got := upstreamVersion(typ, v); len(got) > len(v) {
			t.Fatalf("upstreamVersion(%q, %q) = %q", typ, v, got)
		}
		hole(v)
	})
}

// FuzzCriterion: any criterion, version and platform come back with a reason and without a panic; a criterion for WordPress is never a yes
// of a C library.
func FuzzCriterion(f *testing.F) {
	f.Add("cpe:2.3:a:openssl:openssl:1.0.2:zg:*:*:*:*:*:*", "1.0.2zg", "cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*")
	f.Add("cpe:2.3:a:openbsd:openssh:9.3:*:*:*:*:*:*:*", "9.3p1", "Windows")
	f.Add("cpe:2.3:a:acme:pluginlib:*:*:*:*:*:wordpress:*:*", "1", "")
	f.Add("cpe:/a:a:b:1.%02:~", "1.2", "h")
	f.Fuzz(func(t *testing.T, criterion, version, platform string) {
		e := refdb.Entry{ID: "CVE-2030-1", Affected: biopsy.Affected{Ecosystem: "CPE", CPE: criterion}}
		if platform != "" {
			e.Affected.Platforms = []string{platform}
		}
		a := ask{rule: "cpe-range", ecosystem: "CPE", name: "x", version: version, subject: &traits{tree: &tree{linux: true, present: map[string]bool{}}}}
		a.subject.setVersion(version)
		op, speaks := a.judge(&e)
		if speaks && op.text == "" {
			t.Fatalf("%q, %q, %q: no reason", criterion, version, platform)
		}
		if n, err := cpe.Parse(criterion); err == nil && n.TargetSW == "wordpress" && op.answer == biopsy.Yes {
			t.Fatalf("%q, %q, %q: yes: %s", criterion, version, platform, op.text)
		}
	})
}
