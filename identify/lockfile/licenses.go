package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/license"
)

// declared says that the metadata states these licences. Only a known SPDX id becomes an expression here; other words are kept
// as found for those who conclude.
func declared(words ...string) []biopsy.License {
	var ls []biopsy.License
	for _, w := range words {
		switch w = strings.TrimSpace(w); {
		case w == "":
		case license.Known(w):
			ls = append(ls, biopsy.License{Expression: w, Basis: "declared"})
		default:
			ls = append(ls, biopsy.License{Name: w, Basis: "declared"})
		}
	}
	return ls
}
