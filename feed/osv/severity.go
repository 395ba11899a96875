package osv

import (
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// severities gathers what the record and its packages say, each once, and in each package's Extra "severity" the vectors that are
// its own when packages differ. Words come last: a vector says more.
func (r *record) severities(packages []biopsy.Affected) []biopsy.Severity {
	var vectors, words []biopsy.Severity
	add := func(s biopsy.Severity) {
		list := &vectors
		if s.Type == "word" {
			list = &words
		}
		if s.Vector != "" && !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	for _, s := range r.Severity {
		add(rate(s))
	}
	top := len(vectors)
	for i := range r.Affected {
		for _, s := range r.Affected[i].Severity {
			add(rate(s))
		}
		add(inWord(r.Affected[i].Ecosystem.Severity))
		add(inWord(r.Affected[i].Ecosystem.Priority))
	}
	add(inWord(r.Database.Severity))
	add(inWord(r.Ecosystem.Severity))
	if len(vectors) > top+1 {
		r.tellApart(packages)
	}
	return append(vectors, words...)
}

// rate keeps a vector under its type and everything else ("Ubuntu": "medium") as a word.
func rate(s severity) biopsy.Severity {
	if strings.HasPrefix(s.Type, "CVSS_V") {
		return biopsy.Severity{Type: s.Type, Vector: s.Score}
	}
	return inWord(word(s.Score))
}

func inWord(w word) biopsy.Severity {
	return biopsy.Severity{Type: "word", Vector: strings.ToUpper(string(w))}
}

func (r *record) tellApart(packages []biopsy.Affected) {
	for i := range packages {
		var own []string
		for _, s := range r.Affected[i].Severity {
			if s.Score != "" && !strings.ContainsAny(s.Score, " \t\n") {
				own = append(own, s.Score)
			}
		}
		if len(own) == 0 {
			continue
		}
		if packages[i].Extra == nil {
			packages[i].Extra = map[string]string{}
		}
		packages[i].Extra["severity"] = strings.Join(own, " ")
	}
}
