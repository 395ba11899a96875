package refdb

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

// hole is two records of one CVE: a feed's about packages ("npm pump"), and one about CPE products ("a:pump:core").
func hole(b *Builder, n int, packages, products string) error {
	id := fmt.Sprintf("CVE-2024-%04d", n)
	a := biopsy.Advisory{ID: fmt.Sprint("GHSA-", n), Source: "osv", Aliases: []string{id}}
	for p := range strings.FieldsSeq(packages) {
		ecosystem, name, _ := strings.Cut(p, ",")
		a.Affected = append(a.Affected, biopsy.Affected{Ecosystem: ecosystem, Name: name})
	}
	c := biopsy.Advisory{ID: id, Source: "nvd"}
	for p := range strings.FieldsSeq(products) {
		c.Affected = append(c.Affected, biopsy.Affected{Ecosystem: "CPE", Name: p[2:], CPE: "cpe:2.3:" + p + ":1.0:*:*:*:*:*:*:*"})
	}
	if err := b.Advisory(a); err != nil {
		return err
	}
	return b.Advisory(c)
}

func TestLearn(t *testing.T) {
	b := NewBuilder(t.TempDir())
	many := ""
	for i := range learnPackages + 1 {
		many += fmt.Sprintf("npm,many-%d ", i)
	}
	n := 0
	for _, h := range []struct {
		times              int
		packages, products string
	}{
		{3, "npm,@pump/core GIT,https://Example.org/pump/core.git", "a:pump:core o:debian:debian_linux"}, // the system ships it
		{3, "Maven,org.valve:valve-web", "a:valve:web"},
		{3, "npm,Wheel npm,wheel", "a:wheel:wheel"}, // one key, two spellings
		{2, "npm,twice", "a:twice:twice"},
		{3, "npm,hardware", "h:hard:ware"},
		{3, "npm,two", "a:two:one a:two:two"},
		{9, "npm,half", "a:half:half"}, {2, "npm,half", "a:half:other"},
		{10, "npm,most", "a:most:most"}, {1, "npm,most", "a:most:other"},
		{3, many, "a:many:many"},
		{3, "npm,wild", "a:wild:*"},
	} {
		for range h.times {
			n++
			if err := hole(b, n, h.packages, h.products); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A distribution's notice of three holes, in the CVEs of the valve.
	if err := b.Advisory(biopsy.Advisory{ID: "DSA-1", Source: "osv", Upstream: []string{"CVE-2024-0004", "CVE-2024-0005", "CVE-2024-0006"}, Affected: []biopsy.Affected{{Ecosystem: "Debian:12", Name: "libvalve-web-java"}}}); err != nil {
		t.Fatal(err)
	}
	// A notice of several holes says of none of them which package it is in.
	if err := b.Advisory(biopsy.Advisory{ID: "N-1", Source: "osv", Aliases: []string{"CVE-2024-0004", "CVE-2024-0005"}, Affected: []biopsy.Affected{{Ecosystem: "npm", Name: "both"}}}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "b")
	if _, err := b.Commit(path, built); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := open(t, path).EachSynonym(func(s biopsy.Synonym) error {
		got = append(got, fmt.Sprintf("%s %s %s %d", s.Name, s.Same, s.Source, s.Records))
		return nil
	})
	want := []string{
		"cpe:2.3:a:most:most pkg:npm/most learned 10",
		"cpe:2.3:a:pump:core example.org/pump/core learned 3",
		"cpe:2.3:a:pump:core pkg:npm/%40pump/core learned 3",
		"cpe:2.3:a:valve:web pkg:deb/debian/libvalve-web-java learned 3",
		"cpe:2.3:a:valve:web pkg:maven/org.valve/valve-web learned 3",
		"cpe:2.3:a:wheel:wheel pkg:npm/Wheel learned 3",
	}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %v\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
