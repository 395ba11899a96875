package builtin

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy/eco"
)

//go:embed names.tsv
var namesTSV string

// Name is one upstream project of the built-in book.
type Name struct {
	Name string   // as ecosystem Upstream spells it: "openssl"
	AKA  []string // source packages, recipes and products: "openssl1.1", "libssl"; may be empty
	CPE  []string // "cpe:2.3:a:openssl:openssl"; may be empty
}

// Table finds projects by any of their names.
type Table struct {
	all    []Name
	byName map[string]int
	byCPE  map[string]int
}

// Names returns the table of upstream names. It is read once.
var Names = sync.OnceValue(func() *Table {
	t := &Table{byName: map[string]int{}, byCPE: map[string]int{}}
	for line := range strings.Lines(namesTSV) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		n := Name{Name: f[0], AKA: strings.Fields(f[1]), CPE: strings.Fields(f[2])}
		for _, aka := range append([]string{n.Name}, n.AKA...) {
			t.byName[eco.NormalizeName("Upstream", aka)] = len(t.all)
		}
		for _, cpe := range n.CPE {
			t.byCPE[vendorProduct(cpe)] = len(t.all)
		}
		t.all = append(t.all, n)
	}
	return t
})

// All returns every project, sorted by name. The caller must not change it.
func (t *Table) All() []Name { return t.all }

// Upstream returns the name under which the project is found in ecosystem Upstream, by its own name or any other of it, of any case;
// false when the table does not know it.
func (t *Table) Upstream(name string) (string, bool) {
	i, ok := t.byName[eco.NormalizeName("Upstream", name)]
	if !ok {
		return "", false
	}
	return t.all[i].Name, true
}

// ByCPE returns the project's name by a CPE 2.3 name, of which only vendor and product count.
func (t *Table) ByCPE(cpe string) (string, bool) {
	i, ok := t.byCPE[vendorProduct(cpe)]
	if !ok {
		return "", false
	}
	return t.all[i].Name, true
}

// CPE returns the CPE names, up to the product, of a project; nil when it has none or is not known.
func (t *Table) CPE(name string) []string {
	i, ok := t.byName[eco.NormalizeName("Upstream", name)]
	if !ok {
		return nil
	}
	return t.all[i].CPE
}

// vendorProduct cuts "cpe:2.3:a:vendor:product:..." to "vendor:product"; "" when it is none. An escaped colon ("\:") is part of a name.
func vendorProduct(cpe string) string {
	rest, ok := strings.CutPrefix(strings.ToLower(cpe), "cpe:2.3:")
	if !ok || len(rest) < 2 || rest[1] != ':' {
		return ""
	}
	colons := 0
	for i := 2; i < len(rest); i++ {
		switch {
		case rest[i] == '\\':
			i++
		case rest[i] == ':':
			if colons++; colons == 2 {
				return rest[2:i]
			}
		}
	}
	if colons == 0 {
		return ""
	}
	return rest[2:]
}

// Upstream is Names in the form that match asks for: the canonical name, "" when the table does not know the name. For purl type "cpe"
// the name is a CPE; other types make no difference, since match asks only for those whose packages carry their makers' names.
func Upstream(purlType, name string) string {
	find := Names().Upstream
	if purlType == "cpe" {
		find = Names().ByCPE
	}
	canonical, _ := find(name)
	return canonical
}
