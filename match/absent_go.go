package match

import (
	"fmt"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/nameset"
)

// goLinker knows which functions of a module Go's linker kept. nil when a place of the component does not say: a go.mod file, a program
// without a line table. Only records of the Go vulnerability database are held against it: others do not spell functions by package.
func goLinker(c *biopsy.Component) *witness {
	if c.Eco != "golang" {
		return nil
	}
	sets, programs, ok := linkedSets(c)
	if !ok {
		return nil
	}
	module := eco.OSVName("Go", c.Namespace, c.Name)
	return &witness{rule: "not-linked", says: func(a *biopsy.Advisory, af *biopsy.Affected) (presence, string) {
		if !strings.HasPrefix(a.ID, "GO-") || af.Ecosystem != "Go" || af.Name != module {
			return silent, ""
		}
		if len(af.Symbols) == 0 {
			return there, ""
		}
		for _, symbol := range af.Symbols {
			for _, s := range sets {
				if s.Has(symbol) {
					return there, ""
				}
			}
		}
		return gone, fmt.Sprintf("the vulnerable code (%s) is not linked into %s", few(af.Symbols), few(programs))
	}}
}

// linkedSets returns what each program holds of the component, and the programs' places.
func linkedSets(c *biopsy.Component) (sets []*nameset.Set, programs []string, ok bool) {
	for i := range c.Evidence {
		e := &c.Evidence[i]
		if e.Shadowed {
			continue
		}
		if e.Claim.Symbols == "" {
			return nil, nil, false
		}
		s, err := nameset.Parse(e.Claim.Symbols)
		if err != nil {
			return nil, nil, false // a scan file that somebody else wrote: nothing is ruled out
		}
		sets, programs = append(sets, s), append(programs, e.Place.String())
	}
	return sets, programs, len(sets) > 0
}

// few writes a list short.
func few(list []string) string {
	const shown = 3
	if len(list) <= shown {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:shown], ", "), len(list)-shown)
}
