package installed

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/license"
)

// maxWords is where the words of a licence field stop being a name and are a whole text.
const maxWords = 256

// licence turns the words of a metadata file into a licence: an expression, a URL, or a name.
func licence(words string) biopsy.License {
	l := biopsy.License{Basis: "declared"}
	switch e := license.Expression(words); {
	case e != "":
		l.Expression = e
	case strings.HasPrefix(words, "http://"), strings.HasPrefix(words, "https://"):
		l.URL, l.Expression = words, license.ByURL(words)
	case len(words) > maxWords: // the text's first line is its name
		line, _, _ := strings.Cut(words, "\n")
		l.Name = strings.ToValidUTF8(strings.TrimSpace(line[:min(len(line), maxWords)]), "")
	default:
		l.Name = words
	}
	return l
}

// declared wraps the words of a metadata file about a licence. Empty words say nothing.
func declared(words ...string) []biopsy.License {
	var ls []biopsy.License
	for _, w := range words {
		if w = field(w); w != "" {
			ls = append(ls, licence(w))
		}
	}
	return ls
}
