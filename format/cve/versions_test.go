package cve

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

var update = flag.Bool("update", false, "rewrite wanted answers")

// wanted compares text with the file, or rewrites it.
func wanted(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// TestVersions reads the lists in testdata/versions: products, of which the list and the default count.
func TestVersions(t *testing.T) {
	docs, err := filepath.Glob("testdata/versions/*.json")
	if err != nil || len(docs) < 10 {
		t.Fatalf("got %d cases, %v", len(docs), err)
	}
	for _, path := range docs {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			doc, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var p Product
			if err := json.Unmarshal(doc, &p); err != nil {
				t.Fatal(err)
			}
			x := Extents(p.Versions, p.Default, orderOf("Upstream"))
			wanted(t, strings.TrimSuffix(path, ".json")+".want", show(&x))
		})
	}
}

// show writes an extent a line a thing.
func show(x *Extent) string {
	var b strings.Builder
	line := func(name string, v any) { fmt.Fprintf(&b, "%s: %v\n", name, v) }
	set := func(name string, s *Set) {
		if len(s.Events) > 0 {
			line(name, turns(s.Events))
		}
		for _, l := range s.Loose {
			line(name+" as written", turns(l))
		}
		if len(s.Versions) > 0 {
			line(name+" versions", strings.Join(s.Versions, " | "))
		}
		if len(s.Except) > 0 {
			line(name+" except", strings.Join(s.Except, " | "))
		}
	}
	set("affected", &x.Affected)
	set("unknown", &x.Unknown)
	for _, r := range x.Commits {
		line("commits", turns(r.Events))
	}
	for _, p := range x.Prose {
		line("in words", p)
	}
	for _, why := range x.Bad {
		line("bad", why)
	}
	if x.None {
		b.WriteString("none\n")
	}
	return b.String()
}

func turns(events []biopsy.Event) string {
	var out []string
	for _, e := range events {
		switch {
		case e.Introduced != "":
			out = append(out, "from "+e.Introduced)
		case e.Fixed != "":
			out = append(out, "fixed "+e.Fixed)
		case e.LastAffected != "":
			out = append(out, "last "+e.LastAffected)
		}
	}
	return strings.Join(out, ", ")
}

// FuzzExtents holds what a list comes to against the algorithm of the CVE Record Format, run for single versions. A list is words:
// "a3-5" affected from 3 to below 5, "u3=5" unaffected up to and with 5, "?4" unknown 4, "a1-9/u3" with a change at 3; the first word
// is the default.
func FuzzExtents(f *testing.F) {
	f.Add("a u3-5 u7")
	f.Add("u a1-9/u3/a5 u2")
	f.Add("- a0-* u4=6 ?5")
	f.Add("u a5-5 a8-3")
	f.Add("? a2 a3 a4=4 u4")
	f.Fuzz(heldAgainstFormat)
}

// TestExtents makes lists up, the same ones every time.
func TestExtents(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		words := []string{[]string{"a", "u", "-"}[r.IntN(3)]}
		for range 1 + r.IntN(5) {
			w := string("auu?a"[r.IntN(5)]) + fmt.Sprint(r.IntN(9))
			switch r.IntN(4) {
			case 0:
				w += fmt.Sprint("-", r.IntN(10))
			case 1:
				w += fmt.Sprint("=", r.IntN(10))
			case 2:
				w += "-*"
			}
			if strings.ContainsAny(w, "-=") {
				for range r.IntN(3) {
					w += fmt.Sprint("/", string("au?"[r.IntN(3)]), r.IntN(10))
				}
			}
			words = append(words, w)
		}
		heldAgainstFormat(t, strings.Join(words, " "))
	}
}

func heldAgainstFormat(t *testing.T, text string) {
	list, byDefault := listOf(text)
	x := Extents(list, byDefault, eco.Order("Upstream"))
	if len(x.Bad)+len(x.Prose)+len(x.Affected.Loose) > 0 {
		return
	}
	list, exempt := beforeLast(list, byDefault)
	for half := 1; half < 26; half++ {
		v := fmt.Sprint(half / 2)
		if half%2 == 1 {
			v += ".5" // between two whole ones
		}
		want := statusOf(v, list, byDefault)
		if exempt(v) {
			want = unaffected
		}
		if got := x.Affected.has(t, v); got != (want == affected) {
			t.Fatalf("%q: %s affected: got %v, want status %q in\n%s", text, v, got, want, show(&x))
		}
		if got := x.Unknown.has(t, v); got != (want == unknown) {
			t.Fatalf("%q: %s unknown: got %v, want status %q in\n%s", text, v, got, want, show(&x))
		}
	}
}

// listOf reads the words of FuzzExtents; what is none is left out.
func listOf(text string) ([]Version, string) {
	status := map[byte]string{'a': affected, 'u': unaffected, '?': unknown}
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil, ""
	}
	byDefault := status[words[0][0]]
	if byDefault == unknown {
		byDefault = "" // the default unknown is no status of a version
	}
	var list []Version
	for _, w := range words[1:] {
		parts := strings.Split(w, "/")
		if parts[0] == "" {
			continue
		}
		v := Version{Status: status[parts[0][0]]}
		ends := parts[0][1:]
		if from, to, ok := strings.Cut(ends, "-"); ok {
			v.Version, v.LessThan = from, to
		} else if from, to, ok := strings.Cut(ends, "="); ok {
			v.Version, v.LessThanOrEqual = from, to
		} else {
			v.Version = ends
		}
		for _, c := range parts[1:] {
			if c != "" {
				v.Changes = append(v.Changes, Change{c[1:], status[c[0]]})
			}
		}
		if v.Status != "" && plain(v) {
			list = append(list, v)
		}
	}
	return list, byDefault
}

// plain says whether all versions of an entry are small numbers without leading zero, which compare as such.
func plain(v Version) bool {
	all := []string{v.Version}
	if v.LessThan != "*" && v.LessThan != "" {
		all = append(all, v.LessThan)
	}
	if v.LessThanOrEqual != "" {
		all = append(all, v.LessThanOrEqual)
	}
	for _, c := range v.Changes {
		if c.Status == "" {
			return false
		}
		all = append(all, c.At)
	}
	for _, s := range all {
		if n, err := strconv.Atoi(s); err != nil || n < 0 || n > 12 || strconv.Itoa(n) != s {
			return false
		}
	}
	if v.LessThan == "0" || v.LessThanOrEqual == "0" {
		return false // "0" is before all versions, and none itself
	}
	return (len(v.Changes) == 0 || v.LessThan+v.LessThanOrEqual != "") && (v.Version != "0" || v.LessThan+v.LessThanOrEqual != "")
}

// beforeLast writes Chrome's empty ranges as they are meant, and says of which versions the rule for a lone good version decides.
func beforeLast(list []Version, byDefault string) (meant []Version, exempt func(string) bool) {
	top := 0
	for i := range list {
		v := list[i]
		if v.Version == v.LessThan && v.Status == affected {
			v.Version = "0"
		} else if v.Version == v.LessThan {
			continue
		}
		meant = append(meant, v)
	}
	for _, v := range meant {
		for _, s := range []string{v.Version, v.LessThan, v.LessThanOrEqual} {
			if s == "*" {
				return meant, func(string) bool { return false }
			}
			n, err := strconv.Atoi(s)
			if err == nil {
				top = max(top, n)
			}
		}
		for _, c := range v.Changes {
			n, err := strconv.Atoi(c.At)
			if end := v.LessThan + v.LessThanOrEqual; err == nil && (end == "" || n < int(number(end)) || n == int(number(end)) && v.LessThan == "") {
				top = max(top, n)
			}
		}
	}
	alone := byDefault == affected
	last := false
	for _, v := range meant {
		last = last || v.Version == strconv.Itoa(top) && (v.LessThan+v.LessThanOrEqual == "" || v.LessThanOrEqual == v.Version) && v.Status == unaffected &&
			!slices.ContainsFunc(v.Changes, func(c Change) bool { return number(c.At) <= float64(top) })
	}
	return meant, func(s string) bool { return alone && last && number(s) > float64(top) }
}

func number(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(err)
	}
	return f
}

// statusOf is the format's algorithm.
func statusOf(v string, list []Version, byDefault string) string {
	at := number(v)
	for _, e := range list {
		from := number(e.Version)
		single := e.LessThan+e.LessThanOrEqual == ""
		switch {
		case single && at == from:
			return e.Status
		case single, from > at, e.LessThan != "" && e.LessThan != "*" && at >= number(e.LessThan), e.LessThanOrEqual != "" && at > number(e.LessThanOrEqual):
			continue
		}
		status, last := e.Status, -1.0
		for _, c := range e.Changes {
			if n := number(c.At); n <= at && n >= last {
				status, last = c.Status, n
			}
		}
		return status
	}
	return byDefault
}

// has evaluates a set as OSV does.
func (s *Set) has(t *testing.T, v string) bool {
	for _, e := range s.Except {
		if e == v {
			return false
		}
	}
	for _, e := range s.Versions {
		if e == v {
			return true
		}
	}
	in := false
	for _, e := range s.Events {
		cmp := func(at string) int {
			if at == "0" {
				return 1
			}
			c, err := eco.Compare("Upstream", v, at)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		switch {
		case e.Introduced != "" && cmp(e.Introduced) >= 0:
			in = true
		case e.Fixed != "" && cmp(e.Fixed) >= 0, e.LastAffected != "" && cmp(e.LastAffected) > 0:
			in = false
		}
	}
	return in
}
