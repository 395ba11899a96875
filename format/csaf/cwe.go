package csaf

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// cweNames has a line for each weakness of MITRE's CWE list: its number, and the names that it has had, newest first.
//
//go:embed cwe.txt
var cweNames string

var cweTable = sync.OnceValue(func() map[string][]string {
	table := map[string][]string{}
	for line := range strings.Lines(cweNames) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		table["CWE-"+f[0]] = f[1:]
	}
	return table
})

// weaknesses holds ids and names of CWEs against the list. A name that a weakness had in an earlier version of the list will do.
func (c *checker) weaknesses() {
	check := func(w *CWE, pointer string, args ...any) {
		names, ok := cweTable()[w.ID]
		switch {
		case !ok:
			c.fail(quote(w.ID)+" is no weakness of the CWE list", pointer+"/id", args...)
		case !slices.Contains(names, strings.TrimSpace(w.Name)): // the list itself has had spaces at the ends of names
			c.fail(w.ID+" is called "+quote(names[0])+", not "+quote(w.Name), pointer+"/name", args...)
		}
	}
	c.each(func(i int, v *Vulnerability) {
		if v.CWE != nil {
			check(v.CWE, "/vulnerabilities/%d/cwe", i)
		}
		for j := range v.CWEs {
			check(&v.CWEs[j], "/vulnerabilities/%d/cwes/%d", i, j)
		}
	})
}
