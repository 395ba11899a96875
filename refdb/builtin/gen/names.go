package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/cpe"
)

// name is one upstream project, as NAMES.yaml has it.
type name struct {
	Name string   `yaml:"name"`
	AKA  []string `yaml:"aka"`
	CPE  []string `yaml:"cpe"` // "cpe:2.3:a:haxx:curl"
}

func loadNames(path string) ([]name, error) {
	var names []name
	return names, read(path, &names)
}

// checkNames holds that a name leads to one project, and that every project of the records is there.
func checkNames(names []name, records []biopsy.Advisory) error {
	var wrong []error
	owner, listed := map[string]string{}, map[string]bool{}
	for _, n := range names {
		listed[n.Name] = true
		for _, aka := range append([]string{n.Name}, n.AKA...) {
			key := eco.NormalizeName("Upstream", aka)
			if was, ok := owner[key]; ok && was != n.Name {
				wrong = append(wrong, fmt.Errorf("%s: %q is a name of %s and of %s", namesFile, aka, was, n.Name))
			}
			owner[key] = n.Name
		}
		for _, c := range n.CPE {
			if parsed, err := cpe.Parse(c); err != nil || strings.Count(c, ":") != 4 || !parsed.Product.Literal() {
				wrong = append(wrong, fmt.Errorf("%s: %s: %q is not cpe:2.3:PART:VENDOR:PRODUCT", namesFile, n.Name, c))
			}
		}
	}
	for _, a := range records {
		for _, p := range a.Affected {
			if p.Ecosystem == "Upstream" && !listed[p.Name] {
				wrong = append(wrong, fmt.Errorf("%s: %s is not in %s", a.ID, p.Name, namesFile))
			}
		}
	}
	return errors.Join(wrong...)
}

// synonyms are the pairs of a project's purl with its CPE names and its repositories on GitHub.
func (n *name) synonyms() []biopsy.Synonym {
	purl := eco.Purl("generic", "", n.Name, "")
	var out []biopsy.Synonym
	for _, c := range n.CPE {
		if parsed, err := cpe.Parse(c); err == nil { // checkNames has looked at it
			out = append(out, biopsy.Synonym{Name: purl, Same: parsed.Product23(), Source: "builtin"})
		}
	}
	for _, aka := range n.AKA {
		if owner, _, ok := strings.Cut(aka, "/"); ok && !strings.Contains(owner, "_") { // no owner there has one
			out = append(out, biopsy.Synonym{Name: purl, Same: "github.com/" + strings.ToLower(aka), Source: "builtin"})
		}
	}
	return out
}

// writeNames writes a project a line: name, other names, CPEs, parted by tabs, lists parted by spaces, in the order of the file.
func writeNames(names []name) []byte {
	var b strings.Builder
	for _, n := range names {
		fmt.Fprintf(&b, "%s\t%s\t%s\n", n.Name, strings.Join(n.AKA, " "), strings.Join(n.CPE, " "))
	}
	return []byte(b.String())
}
