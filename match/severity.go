package match

import (
	"cmp"
	"fmt"
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

// chosen returns level and score of the first severity that has a level, and in words which it is and who rates it another level.
func chosen(all []biopsy.Severity) (level biopsy.Level, score float64, scored string) {
	for i, s := range all {
		if level = levelOf(s); level != "" {
			return level, s.Score, rated(s) + others(all[i+1:], level)
		}
	}
	return "", 0, ""
}

// rated names the scale and the source of a severity: "CVSS 3.1 by nvd".
func rated(s biopsy.Severity) string {
	scale := "rated " + strings.ToLower(s.Vector)
	switch {
	case s.Type == "CVSS_V2":
		scale = "CVSS 2"
	case strings.HasPrefix(s.Vector, "CVSS:"):
		scale = "CVSS " + s.Vector[5:min(8, len(s.Vector))]
	case cvssRank(s) > 0:
		scale = strings.ReplaceAll(s.Type, "_V", " ")
	}
	if s.Source == "" {
		return scale
	}
	return scale + " by " + s.Source
}

// maxDissent is how many other ratings are named.
const maxDissent = 3

// others names those who rate a hole another level, each source once.
func others(rest []biopsy.Severity, level biopsy.Level) string {
	var b strings.Builder
	var said []string
	for _, s := range rest {
		l := levelOf(s)
		key := s.Source + " " + string(l)
		if l == "" || l == level || slices.Contains(said, key) || len(said) == maxDissent {
			continue
		}
		said = append(said, key)
		fmt.Fprintf(&b, "; %s: %s", rated(s), l)
		if s.Score > 0 {
			fmt.Fprintf(&b, " %.1f", s.Score)
		}
	}
	return b.String()
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
