package refdb

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/cpe"
	"github.com/biopsy-sca/biopsy/internal/table"
)

// What a pair of names needs to be learned. A hole counts when all records of it together name one CPE product and few packages: holes
// in several products tell nothing of which is which. Measured on 51,000 records each of OSV and NVD against 47,000 known pairs (purl2cpe): of
// 433 pairs, 160 have names that both are known there; 154 agree, and the other six are spellings that it lacks.
// With two holes instead of three there are 674 pairs, of which at least four are wrong: what ships a library shares its holes.
const (
	learnPackages = 16 // names of packages that a hole may have
	learnHoles    = 3  // holes that must name both
	learnShare    = 90 // percent of the package's holes that must name that product
)

// learner gathers which names the records of each hole use. What it keeps in memory is bounded; the rest are sorted runs.
type learner struct {
	names *table.Sorter // hole as the record names it, kind, name
	dir   string
	seen  map[string]bool // rows of the record at hand
}

// Kinds of name.
const (
	aPackage byte = 'p'
	aProduct byte = 'c'
)

func newLearner(dir string) *learner {
	return &learner{names: &table.Sorter{Dir: dir, Budget: packageBudget}, dir: dir, seen: map[string]bool{}}
}

func (l *learner) Close() error { return l.names.Close() }

// add learns what one record names. Notices about several holes at once tell of each hole only when they are a distribution's, whose
// package is the same in all of them.
func (l *learner) add(a *biopsy.Advisory) error {
	holes := []string{a.ID}
	if len(a.Upstream) > 0 {
		holes = a.Upstream
	}
	if severalHoles(a) {
		return nil
	}
	clear(l.seen)
	for i := range a.Affected {
		kind, name := learnable(&a.Affected[i])
		if name == "" || len(name) > maxName || l.seen[name] {
			continue
		}
		l.seen[name] = true
		for _, h := range holes {
			if err := l.names.Add(append(append([]byte(strings.ToUpper(h)), 0, kind), name...), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// learnable is the name of an affected entry as synonyms spell it; "" when there is nothing to learn from it. Hardware is no software.
func learnable(a *biopsy.Affected) (kind byte, name string) {
	if a.Status == biopsy.NotAffected {
		return 0, ""
	}
	if a.CPE != "" {
		n, err := cpe.Parse(a.CPE)
		if err != nil || n.Part == "h" || !n.Vendor.Literal() || !n.Product.Literal() {
			return 0, "" // such a criterion names no product
		}
		return aProduct, n.Product23()
	}
	for _, r := range a.Ranges {
		if a.Ecosystem == "" && r.Repo != "" {
			return aPackage, repoName(r.Repo)
		}
	}
	if eco.Base(a.Ecosystem) == "GIT" {
		return aPackage, repoName(a.Name)
	}
	return aPackage, purlOf(a)
}

// purlOf is the purl of a package without version; "" when its ecosystem has none. Distributions' packages are named by their source.
func purlOf(a *biopsy.Affected) string {
	base := eco.Base(a.Ecosystem)
	typ, namespace, name := purlTypes[base], "", a.Name
	switch base {
	case "Debian", "Ubuntu", "Alpine":
		namespace = strings.ToLower(base)
	case "Maven":
		namespace, name, _ = strings.Cut(a.Name, ":")
	default:
		if i := strings.LastIndexByte(a.Name, '/'); i >= 0 {
			namespace, name = a.Name[:i], a.Name[i+1:]
		}
	}
	return eco.Purl(typ, namespace, name, "")
}

// purlTypes are those of the ecosystems whose packages may be somebody's product under another name.
var purlTypes = map[string]string{
	"npm": "npm", "PyPI": "pypi", "Maven": "maven", "Go": "golang", "crates.io": "cargo", "RubyGems": "gem", "Packagist": "composer", "NuGet": "nuget",
	"Hex": "hex", "Pub": "pub", "Bitnami": "bitnami", "Debian": "deb", "Ubuntu": "deb", "Alpine": "apk", "Upstream": "generic",
}

// learn yields the pairs that have enough support, in no order that matters.
func (l *learner) learn(g *groups, yield func(biopsy.Synonym) error) error {
	holes := &table.Sorter{Dir: l.dir, Budget: packageBudget}
	defer holes.Close()
	err := l.names.Each(func(key, _ []byte) error {
		id, name, _ := bytes.Cut(key, []byte{0})
		return holes.Add(append(append([]byte(g.canonical(string(id))), 0), name...), nil)
	})
	if err != nil {
		return err
	}
	pairs := &table.Sorter{Dir: l.dir, Budget: packageBudget}
	defer pairs.Close()
	if err := eachHole(holes, func(packages []string, product string) error {
		for _, p := range packages {
			if err := pairs.Add([]byte(p+"\x00"+product), nil); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return eachPair(pairs, yield)
}

// eachHole yields the holes that have one product and few packages.
func eachHole(rows *table.Sorter, yield func(packages []string, product string) error) error {
	var hole, last []byte
	var packages, products []string
	flush := func() error {
		// Where software is named, the systems that ship it are its users.
		if slices.ContainsFunc(products, isApplication) {
			products = slices.DeleteFunc(products, func(p string) bool { return !isApplication(p) })
		}
		if len(products) != 1 || len(packages) == 0 || len(packages) > learnPackages {
			return nil
		}
		return yield(packages, products[0])
	}
	err := rows.Each(func(key, _ []byte) error {
		if bytes.Equal(key, last) {
			return nil
		}
		last = append(last[:0], key...)
		id, name, _ := bytes.Cut(key, []byte{0})
		if !bytes.Equal(id, hole) {
			if err := flush(); err != nil {
				return err
			}
			hole, packages, products = append(hole[:0], id...), packages[:0], products[:0]
		}
		switch {
		case len(name) == 0:
			return errRow
		case name[0] == aProduct && len(products) <= learnPackages:
			products = append(products, string(name[1:]))
		case name[0] == aPackage && len(packages) <= learnPackages:
			packages = append(packages, string(name[1:]))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

func isApplication(name string) bool { return strings.HasPrefix(name, "cpe:2.3:a:") }

// eachPair counts the holes of each package by product. Only the product that has nearly all of them can be the same thing.
func eachPair(rows *table.Sorter, yield func(biopsy.Synonym) error) error {
	var name, product []byte
	var all, same, most int
	var best string
	turn := func() { // the end of one product's rows
		if same > most {
			most, best = same, string(product)
		}
		same = 0
	}
	flush := func() error {
		turn()
		if most >= learnHoles && most*100 >= all*learnShare {
			return yield(biopsy.Synonym{Name: string(name), Same: best, Source: Learned, Records: most})
		}
		return nil
	}
	err := rows.Each(func(key, _ []byte) error {
		n, p, _ := bytes.Cut(key, []byte{0})
		switch {
		case !bytes.Equal(n, name):
			if err := flush(); err != nil {
				return err
			}
			name, product = append(name[:0], n...), append(product[:0], p...)
			all, most, best = 0, 0, ""
		case !bytes.Equal(p, product):
			turn()
			product = append(product[:0], p...)
		}
		all, same = all+1, same+1
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// canonical is one name for all ids of a hole: the number of its group, or the id itself.
func (g *groups) canonical(id string) string {
	n, ok := g.at[id]
	if !ok {
		return id
	}
	return "#" + strconv.Itoa(int(g.root(n)))
}
