package match

import (
	"cmp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// severities sorts and drops repetitions: newest CVSS first, words last; then the higher score; then by source and vector. The first
// decides the finding's level. A CVSS vector says how it came to its score and a word does not; of two makers' scores the worse
// counts, since neither is wrong for sure.
func severities(all []biopsy.Severity) []biopsy.Severity {
	slices.SortFunc(all, func(a, b biopsy.Severity) int {
		return cmp.Or(cmp.Compare(cvssRank(b), cvssRank(a)), cmp.Compare(b.Score, a.Score), cmp.Compare(levelOf(b).Rank(), levelOf(a).Rank()),
			cmp.Compare(a.Vector, b.Vector), cmp.Compare(a.Source, b.Source))
	})
	return slices.CompactFunc(all, func(a, b biopsy.Severity) bool { return a.Type == b.Type && a.Vector == b.Vector })
}

// chosen returns level and score of the first severity that has a level.
func chosen(all []biopsy.Severity) (biopsy.Level, float64) {
	for _, s := range all {
		if l := levelOf(s); l != "" {
			return l, s.Score
		}
	}
	return "", 0
}

func cvssRank(s biopsy.Severity) int {
	switch s.Type {
	case "CVSS_V4":
		return 4
	case "CVSS_V3":
		return 3
	case "CVSS_V2":
		return 2
	}
	return 0
}

// levelOf is the qualitative rating of CVSS 3 and 4 (specification 3.1, section 5); CVSS 2 has none of its own and NVD's is used. Words
// are those of GitHub, Red Hat, SUSE, Ubuntu and Debian. "" when a vector has no score.
func levelOf(s biopsy.Severity) biopsy.Level {
	if cvssRank(s) == 0 {
		return wordLevel(s.Vector)
	}
	switch {
	case s.Score == 0 && noImpact(s.Vector):
		return biopsy.LevelNone
	case s.Score <= 0:
		return ""
	case s.Score < 4:
		return biopsy.LevelLow
	case s.Score < 7:
		return biopsy.LevelMedium
	case s.Score < 9 || s.Type == "CVSS_V2":
		return biopsy.LevelHigh
	}
	return biopsy.LevelCritical
}

// noImpact tells a true score of zero from one that was not computed.
func noImpact(vector string) bool {
	if strings.HasPrefix(vector, "CVSS:4") {
		return strings.Contains(vector, "/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N")
	}
	return strings.Contains(vector, "/C:N/I:N/A:N")
}

func wordLevel(word string) biopsy.Level {
	switch strings.ToLower(word) {
	case "none":
		return biopsy.LevelNone
	case "low", "negligible", "unimportant", "minor":
		return biopsy.LevelLow
	case "medium", "moderate":
		return biopsy.LevelMedium
	case "high", "important":
		return biopsy.LevelHigh
	case "critical":
		return biopsy.LevelCritical
	}
	return ""
}
