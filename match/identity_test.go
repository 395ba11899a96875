package match

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/refdb"
	"github.com/biopsy-sca/biopsy/refdb/builtin"
)

// namesVar names a folder with public lists of CPE names of packages: distro-package-cpe.tsv.gz (distribution, package, "cpe:2.3:a", vendor,
// product), debian-source-cpe-2023-04.list ("source;cpe:/a:vendor:product") and purl2cpe.tsv.gz (purl, "a:vendor:product").
const namesVar = "BIOPSY_CPE_LISTS"

// TestIdentities measures how often a name of one of the lists is resolved to a CPE name that the list has for it, in parts: by the curated
// list, by synonyms learned from the records of the book that BIOPSY_BOOK names, and by guesses. Names that the lists know and no book has
// a record of cannot be asked and are only counted as names. The curated list was written without these lists.
func TestIdentities(t *testing.T) {
	dir, path := os.Getenv(namesVar), os.Getenv(bookVar)
	if dir == "" || path == "" {
		t.Skip(namesVar + " and " + bookVar + " name no lists and no book")
	}
	own, err := builtin.Book()
	if err != nil {
		t.Fatal(err)
	}
	book, err := refdb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for list, least := range map[string]float64{"recipes": 0.95, "debian": 0.85, "purls of debian": 0.92, "purls of npm": 0.95, "purls of pypi": 0.85} {
		names := listed(t, dir, list)
		if !strings.HasPrefix(list, "purls of") || list == "purls of debian" { // each list lacks spellings that the others have
			join(names, listed(t, dir, "recipes"), listed(t, dir, "debian"), listed(t, dir, "purls of debian"))
		}
		for _, how := range []string{"all", "without the curated list"} {
			books, names2 := []Book{own, book}, builtin.Upstream
			if how != "all" {
				books, names2 = []Book{book}, nil
			}
			w := newWorld(&biopsy.Inventory{}, books, &Options{Names: names2})
			m := measure(t, w, list, names)
			t.Logf("%s, %s: %d names; asked by sure names %d, %.3f right; by others %d, %.3f right; %.3f of the names found",
				list, how, len(names), m.sure, share(m.sureRight, m.sure), m.other, share(m.otherRight, m.other), share(m.sureRight+m.otherRight, len(names)))
			if m.sure > 50 && share(m.sureRight, m.sure) < least {
				t.Errorf("%s, %s: %.3f of the sure names are right, want %.2f", list, how, share(m.sureRight, m.sure), least)
			}
		}
	}
}

// join adds to the names of one list what other lists say of them.
func join(names map[string]map[string]bool, others ...map[string]map[string]bool) {
	for name := range names {
		for _, o := range others {
			for product := range o[name] {
				names[name][product] = true
			}
		}
	}
}

type measured struct{ sure, sureRight, other, otherRight int }

// measure resolves each name and compares with the products that the list has for it.
func measure(t *testing.T, w *world, list string, names map[string]map[string]bool) measured {
	var m measured
	var wrong []string
	for name, want := range names {
		c := biopsy.Component{Eco: "generic", Name: name, Kind: biopsy.Library}
		switch list {
		case "debian", "purls of debian":
			c.Eco, c.Namespace = "deb", "debian"
		case "purls of npm":
			c.Eco = "npm"
			if ns, n, ok := strings.Cut(name, "/"); ok {
				c.Namespace, c.Name = ns, n
			}
		case "purls of pypi":
			c.Eco = "pypi"
		}
		ids, err := w.identities(&c)
		if err != nil {
			t.Fatal(err)
		}
		if len(ids) == 0 {
			continue
		}
		right := false
		for i := range ids {
			right = right || want[ids[i].key]
		}
		if ids[0].confidence >= sure {
			m.sure, m.sureRight = m.sure+1, m.sureRight+count(right)
			if !right {
				wrong = append(wrong, name+" is not "+ids[0].key)
			}
		} else {
			m.other, m.otherRight = m.other+1, m.otherRight+count(right)
		}
	}
	if testing.Verbose() {
		t.Logf("%s: %q", list, wrong[:min(len(wrong), 40)])
	}
	return m
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func share(a, b int) float64 { return float64(a) / float64(max(b, 1)) }

// listed reads one list: names and the "vendor:product" that are right for each.
func listed(t *testing.T, dir, list string) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	add := func(name, product string) {
		if out[name] == nil {
			out[name] = map[string]bool{}
		}
		out[name][strings.ToLower(product)] = true
	}
	file := map[string]string{"recipes": "distro-package-cpe.tsv.gz", "debian": "debian-source-cpe-2023-04.list"}[list]
	if file == "" {
		file = "purl2cpe.tsv.gz"
	}
	prefix := map[string]string{"purls of debian": "pkg:deb/debian/", "purls of npm": "pkg:npm/", "purls of pypi": "pkg:pypi/"}[list]
	for _, line := range linesOf(t, filepath.Join(dir, file)) {
		switch list {
		case "recipes":
			if f := strings.Split(line, "\t"); len(f) > 4 && f[3] != "*" && f[0] != "distro" {
				add(strings.ToLower(f[1]), f[3]+":"+f[4])
			}
		case "debian":
			if name, cpe, ok := strings.Cut(line, ";cpe:/"); ok && len(strings.Split(cpe, ":")) > 2 {
				f := strings.Split(cpe, ":")
				add(name, f[1]+":"+f[2])
			}
		default:
			if purl, cpe, ok := strings.Cut(line, "\t"); ok && strings.HasPrefix(purl, prefix) && len(cpe) > 2 {
				add(strings.ReplaceAll(strings.TrimPrefix(purl, prefix), "%40", "@"), cpe[2:])
			}
		}
	}
	return out
}

func linesOf(t *testing.T, path string) []string {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	var out []string
	for sc := bufio.NewScanner(r); sc.Scan(); {
		out = append(out, sc.Text())
	}
	return out
}
