package match

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/refdb"
)

// shelfBook is a book in memory.
type shelfBook map[string][]refdb.Entry

func (b shelfBook) Package(ecosystem, name string) ([]refdb.Entry, error) {
	return b[ecosystem+"/"+eco.NormalizeName(ecosystem, name)], nil
}

func (shelfBook) Lookup(id string) ([]biopsy.Advisory, error) {
	return []biopsy.Advisory{{ID: id, Summary: "something is wrong"}}, nil
}

func (shelfBook) Exploit(string) (biopsy.Exploit, bool, error) { return biopsy.Exploit{}, false, nil }

// BenchmarkRun matches components, one in five of them known by five records of three ranges: those of one large tree, and of a fleet.
func BenchmarkRun(b *testing.B) {
	for _, n := range []int{10_000, 300_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchRun(b, n) })
	}
}

func benchRun(b *testing.B, n int) {
	book, inv := shelfBook{}, &biopsy.Inventory{}
	for i := range n {
		c := biopsy.Component{Eco: "npm", Name: fmt.Sprintf("p%d", i), Version: fmt.Sprintf("2.%d.0", i%20), Purl: fmt.Sprintf("pkg:npm/p%d@2.%d.0", i, i%20)}
		c.ID = biopsy.ComponentID(&c)
		inv.Components = append(inv.Components, c)
		for r := range 5 {
			if i%5 != 0 {
				continue
			}
			book["npm/"+c.Name] = append(book["npm/"+c.Name], benchEntry(c.Name, i, r))
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Run(context.Background(), inv, []Book{book}, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/component")
}

func benchEntry(name string, i, r int) refdb.Entry {
	events := func(major, minor int) biopsy.Range {
		return biopsy.Range{Type: "SEMVER", Events: []biopsy.Event{{Introduced: fmt.Sprintf("%d.0.0", major)}, {Fixed: fmt.Sprintf("%d.%d.0", major, minor)}}}
	}
	return refdb.Entry{
		ID: fmt.Sprintf("GHSA-%d-%d", i, r), Aliases: []string{fmt.Sprintf("CVE-2024-%d", i*10+r)}, Published: time.Unix(1700000000, 0),
		Affected: biopsy.Affected{Ecosystem: "npm", Name: name, Ranges: []biopsy.Range{events(1, 9), events(2, 3*r), events(3, 2)}},
	}
}

// bookVar names a book of advisories on disk for the benchmark below.
const bookVar = "BIOPSY_BOOK"

// BenchmarkBook matches 300,000 components of all ecosystems and advises on them. A real book knows 6,000 of them, with all their holes.
func BenchmarkBook(b *testing.B) {
	path := os.Getenv(bookVar)
	if path == "" {
		b.Skip(bookVar + " names no book")
	}
	book, err := refdb.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer book.Close()
	inv, err := knownTo(book, 6_000)
	if err != nil {
		b.Fatal(err)
	}
	for i := range 300_000 - len(inv.Components) {
		c := inv.Components[i%len(inv.Components)]
		c.Name += fmt.Sprint("-", i)
		c.Purl = eco.Purl(c.Eco, c.Namespace, c.Name, c.Version)
		c.ID = biopsy.ComponentID(&c)
		inv.Components = append(inv.Components, c)
	}
	b.ReportAllocs()
	findings, advice, most := 0, 0, uint64(0)
	for b.Loop() {
		all, err := Run(context.Background(), inv, []Book{book}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		moves, err := Advise(context.Background(), inv, all, []Book{book}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		findings, advice = len(all), len(moves)
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		most = max(most, mem.Sys)
	}
	b.ReportMetric(float64(len(inv.Components)), "components")
	b.ReportMetric(float64(findings), "findings")
	b.ReportMetric(float64(advice), "moves")
	b.ReportMetric(float64(most>>20), "MiB")
}

// purlTypes of ecosystems, for components made up from records.
var purlTypes = map[string]string{"npm": "npm", "PyPI": "pypi", "Go": "golang", "crates.io": "cargo", "Maven": "maven", "RubyGems": "gem",
	"Packagist": "composer", "Debian": "deb", "AlmaLinux": "rpm", "Alpine": "apk", "Julia": "julia", "Hex": "hex"}

var errEnough = errors.New("enough")

// knownTo makes up to n components, each at the first fix of a record of its package.
func knownTo(book *refdb.Book, n int) (*biopsy.Inventory, error) {
	inv, seen := &biopsy.Inventory{}, map[string]bool{}
	err := book.All(func(a biopsy.Advisory) error {
		for i := range a.Affected {
			c, ok := componentOf(&a.Affected[i])
			if !ok || seen[c.ID] {
				continue
			}
			seen[c.ID] = true
			inv.Components = append(inv.Components, c)
			if len(inv.Components) == n {
				return errEnough
			}
			if len(a.Affected) > 3 || len(seen)%4 > 0 && eco.Base(a.Affected[i].Ecosystem) == "AlmaLinux" {
				break // notices of whole distributions would crowd out the rest
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return inv, err
}

func componentOf(af *biopsy.Affected) (c biopsy.Component, ok bool) {
	typ := purlTypes[eco.Base(af.Ecosystem)]
	_, release, _ := strings.Cut(af.Ecosystem, ":")
	for i := range af.Ranges {
		for _, e := range af.Ranges[i].Events {
			if typ == "" || e.Fixed == "" || af.Ranges[i].Type == "GIT" {
				continue
			}
			c = biopsy.Component{Eco: typ, Name: af.Name, Version: e.Fixed, Distro: strings.ToLower(eco.Base(af.Ecosystem)) + "-" + strings.TrimPrefix(release, "v")}
			if ns, name, cut := strings.Cut(af.Name, ":"); cut {
				c.Namespace, c.Name = ns, name
			}
			c.Purl = eco.Purl(c.Eco, c.Namespace, c.Name, c.Version)
			c.ID = biopsy.ComponentID(&c)
			return c, true
		}
	}
	return c, false
}
