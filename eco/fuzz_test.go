package eco

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzCompare asks every ecosystem for a consistent order: a version equals itself, turning a pair round turns the answer, and three
// versions do not run in a circle. Whether a version parses does not depend on the other.
func FuzzCompare(f *testing.F) {
	for _, v := range seeds(f) {
		f.Add(v[0], v[1], v[2])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, e := range all {
			if e.Compare != nil {
				consistent(t, e, a, b, c)
			}
		}
	})
}

func consistent(t *testing.T, e *Ecosystem, vs ...string) {
	var ok []string
	for _, v := range vs {
		c, err := e.Compare(v, v)
		if err != nil {
			continue
		}
		if c != 0 {
			t.Fatalf("%s: Compare(%q, itself) = %d, want 0", e.Name, v, c)
		}
		ok = append(ok, v)
	}
	cmp := func(a, b string) int {
		c, err := e.Compare(a, b)
		if errors.Is(err, ErrApart) {
			t.Skip("an order of parts only")
		}
		if err != nil {
			t.Fatalf("%s: Compare(%q, %q): %v, but each parses", e.Name, a, b, err)
		}
		d, err := e.Compare(b, a)
		if err != nil || signOf(c) != -signOf(d) {
			t.Fatalf("%s: Compare(%q, %q) = %d, turned round %d, %v", e.Name, a, b, c, d, err)
		}
		return signOf(c)
	}
	for i := range ok {
		for j := range ok {
			for k := range ok {
				x, y, z := ok[i], ok[j], ok[k]
				if cmp(x, y) <= 0 && cmp(y, z) <= 0 && cmp(x, z) > 0 {
					t.Fatalf("%s: %q <= %q <= %q, but the first is after the last", e.Name, x, y, z)
				}
			}
		}
	}
}

// seeds are triples of neighbours out of the order files.
func seeds(f testing.TB) [][3]string {
	files, err := filepath.Glob("testdata/order/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	var out [][3]string
	for _, name := range files {
		var last string
		for _, p := range pairs(f, name) {
			out = append(out, [3]string{p[0], p[1], last})
			last = p[0]
		}
	}
	return out
}

// pairs are the versions of an order file, two by two.
func pairs(f testing.TB, name string) [][2]string {
	r, err := os.Open(name)
	if err != nil {
		f.Fatal(err)
	}
	defer r.Close()
	var out [][2]string
	for sc := bufio.NewScanner(r); sc.Scan(); {
		w := strings.Fields(sc.Text())
		if len(w) == 3 && strings.Contains("<=>", w[1]) {
			out = append(out, [2]string{w[0], w[2]})
		}
	}
	return out
}

// FuzzParse: whatever parses is written and read again the same, and names nothing empty.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"pkg:deb/debian/curl@7.88.1-10?arch=amd64&distro=debian-12", "pkg:npm/%40angular/core@16.0.0", "pkg:golang/github.com/a/b@v1.2.3#sub/dir",
		"pkg:maven/org.apache/x@1.0?type=jar", "pkg:generic/openssl@1.1.1w?checksum=sha256:00", "pkg:pypi/Foo_Bar", "pkg:", "pkg://x", "pkg:a/b@", "pkg:oci/x@sha256%3A00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil {
			return
		}
		if p.Type == "" || p.Name == "" {
			t.Fatalf("Parse(%q) = %+v: no type or name", s, p)
		}
		var qs []string
		for _, q := range p.Qualifiers {
			qs = append(qs, q.Key, q.Value)
		}
		again := Purl(p.Type, p.Namespace, p.Name, p.Version, qs...)
		if again == "" {
			return // a type's own rule refuses what is too odd to write
		}
		q, err := Parse(again)
		if err != nil {
			t.Fatalf("Parse(%q) from %q: %v", again, s, err)
		}
		if q.Type != p.Type || !slices.Equal(q.Qualifiers, p.Qualifiers) {
			t.Fatalf("Parse(%q) = %+v, again %+v", s, p, q)
		}
	})
}

// FuzzNames: distro names and package names of any bytes give an answer, and folding twice is folding once.
func FuzzNames(f *testing.F) {
	f.Add("deb", "debian-12", "Foo._-Bar", "Debian:12")
	f.Add("rpm", "opensuse-leap-15.5", "", "openSUSE:Leap 15.5")
	f.Add("apk", "alpine-3.18.4", "x", "SUSE:Linux Enterprise Module for Basesystem 15 SP5")
	f.Fuzz(func(t *testing.T, purlType, distro, name, osv string) {
		ecosystem, suffix, ok := For(purlType, distro)
		if ok && ecosystem == "" {
			t.Fatalf("For(%q, %q) is ok without a name", purlType, distro)
		}
		Covers(osv, ecosystem, suffix)
		Covers(osv, Base(osv), suffix)
		for _, e := range all {
			once := NormalizeName(e.Name, name)
			if twice := NormalizeName(e.Name, once); twice != once && e.Name != "SwiftURL" {
				t.Fatalf("%s: %q folds to %q, then to %q", e.Name, name, once, twice)
			}
			Public(e.Name, name)
		}
	})
}

// FuzzTagVersion: what a tag names is no longer than the tag, and joining what SplitUpdate parts gives a version equal to the first.
func FuzzTagVersion(f *testing.F) {
	for _, s := range []string{"curl-8_4_0", "OpenSSL_1_0_2zg", "V_9_3_P1", "pcre2-10.42", "refs/tags/v1.2.3-rc1", "9.3p2", "2.0-rc1", "1.0.2zg", "-", "v"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v := TagVersion(s); len(v) > len(s) {
			t.Fatalf("TagVersion(%q) = %q", s, v)
		}
		v, u := SplitUpdate(s)
		if joined := JoinUpdate(v, u); u != "" && Valid("Upstream", s) == nil && Valid("Upstream", joined) != nil {
			t.Fatalf("SplitUpdate(%q) = %q, %q, which join to %q", s, v, u, joined)
		}
	})
}
