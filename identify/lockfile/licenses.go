package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/license"
)

// declared says that the metadata states these licences. Words that are no SPDX expression are kept as found, for those who
// conclude.
func declared(words ...string) []biopsy.License {
	var ls []biopsy.License
	for _, w := range words {
		w = strings.TrimSpace(w)
		l := biopsy.License{Name: w, Basis: "declared"}
		if e := license.Expression(w); e != "" {
			l.Name, l.Expression = "", e
		}
		if w != "" {
			ls = append(ls, l)
		}
	}
	return ls
}

// choice says that any one of the licences may be taken, as lists of them mean to Composer.
func choice(words []string) []biopsy.License {
	if any := strings.Join(words, " OR "); license.Expression(any) != "" {
		return declared(any)
	}
	return declared(words...)
}
