package csaf

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/biopsy-sca/biopsy/internal/cvss"
)

// scored is a CVSS object with its place.
type scored struct {
	*CVSS
	pointer  string
	major    int // 2, 3 or 4: the property that holds it
	products []string
}

// scores calls visit for every CVSS object of a vulnerability.
func (v *Vulnerability) scores(i int, visit func(s scored)) {
	show := func(c *CVSS, major int, products []string, pointer string) {
		if c != nil {
			visit(scored{c, fmt.Sprintf("%s/cvss_v%d", pointer, major), major, products})
		}
	}
	for j, s := range v.Scores {
		at := fmt.Sprintf("/vulnerabilities/%d/scores/%d", i, j)
		show(s.V2, 2, s.Products, at)
		show(s.V3, 3, s.Products, at)
		show(s.V4, 4, s.Products, at)
	}
	for j, m := range v.Metrics {
		at := fmt.Sprintf("/vulnerabilities/%d/metrics/%d/content", i, j)
		show(m.Content.V2, 2, m.Products, at)
		show(m.Content.V3, 3, m.Products, at)
		show(m.Content.V4, 4, m.Products, at)
	}
}

func (c *checker) eachScore(visit func(s scored)) {
	c.each(func(i int, v *Vulnerability) { v.scores(i, visit) })
}

func (c *checker) oneScoreOfAVersion() {
	c.each(func(i int, v *Vulnerability) {
		seen := map[[2]string]bool{}
		v.scores(i, func(s scored) {
			for _, id := range s.products {
				key := [2]string{s.Version, id}
				if seen[key] {
					c.fail("product "+quote(id)+" has a score of CVSS "+s.Version+" before", "%s", s.pointer)
				}
				seen[key] = true
			}
		})
	})
}

var cvssVersions = map[int][]string{2: {"2.0"}, 3: {"3.0", "3.1"}, 4: {"4.0"}}

var severityWords = []string{"NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"}

// cvssShape holds a CVSS object against what the JSON schemas of FIRST want (6.1.8).
func (c *checker) cvssShape() {
	c.eachScore(func(s scored) {
		if !slices.Contains(cvssVersions[s.major], s.Version) {
			c.fail(quote(s.Version)+" is no version of CVSS "+fmt.Sprint(s.major), "%s/version", s.pointer)
		}
		if s.Base == nil {
			c.fail("there is no base score", "%s/baseScore", s.pointer)
		}
		if s.major > 2 && s.BaseSeverity == "" {
			c.fail("there is no base severity", "%s/baseSeverity", s.pointer)
		}
		if s.BaseSeverity != "" && s.major > 2 && !slices.Contains(severityWords, s.BaseSeverity) {
			c.fail(quote(s.BaseSeverity)+" is no severity", "%s/baseSeverity", s.pointer)
		}
		for name, n := range map[string]*float64{"baseScore": s.Base, "temporalScore": s.Temporal, "environmentalScore": s.Environmental} {
			if n != nil && (*n < 0 || *n > 10) {
				c.fail("a score lies between 0 and 10", "%s/%s", s.pointer, name)
			}
		}
		if !isVector(s.major, s.Version, s.Vector) {
			c.fail(quote(s.Vector)+" is no vector of CVSS "+s.Version, "%s/vectorString", s.pointer)
		}
		for name, word := range s.Words {
			if _, known := metricWord(s.major, name, word); !known {
				c.fail(quote(word)+" is no value of "+quote(name), "%s/%s", s.pointer, name)
			}
		}
		for name := range s.Numbers {
			if _, isWord := metricWords[s.major][name]; isWord {
				c.fail("a number where a word must stand", "%s/%s", s.pointer, name)
			}
		}
		for name := range s.Odd {
			c.fail("neither text nor number", "%s/%s", s.pointer, name)
		}
	})
}

// isVector wants known metrics with known values, none twice, and all base metrics. Groups of temporal and environmental metrics may be
// there in part.
func isVector(major int, version, vector string) bool {
	if major == 4 {
		_, err := cvss.Score(vector)
		return err == nil && strings.HasPrefix(vector, "CVSS:4.0/")
	}
	rest := vector
	if major == 3 {
		var ok bool
		if rest, ok = strings.CutPrefix(vector, "CVSS:"+version+"/"); !ok {
			return false
		}
	}
	seen := map[string]bool{}
	for m := range strings.SplitSeq(rest, "/") {
		name, value, _ := strings.Cut(m, ":")
		if seen[name] || !isMetric(major, name, value) {
			return false
		}
		seen[name] = true
	}
	for _, name := range baseMetrics[major] {
		if !seen[name] {
			return false
		}
	}
	return true
}

var baseMetrics = map[int][]string{2: {"AV", "AC", "Au", "C", "I", "A"}, 3: {"AV", "AC", "PR", "UI", "S", "C", "I", "A"}}

// cvssScores computes the scores of the vector (6.1.9). A vector that is none is 6.1.8's.
func (c *checker) cvssScores() {
	c.eachScore(func(s scored) {
		if s.major == 4 {
			base, err := cvss.Score(s.Vector)
			if err == nil && s.Base != nil && !strings.Contains(s.Vector, "/E:") && !hasEnvironment(s.Vector) {
				c.compareScore(s, "base", s.Base, s.BaseSeverity, base)
			}
			return
		}
		all, err := cvss.All(s.Vector)
		if err != nil {
			return
		}
		c.compareScore(s, "base", s.Base, s.BaseSeverity, all.Base)
		c.compareScore(s, "temporal", s.Temporal, s.Words["temporalSeverity"], all.Temporal)
		c.compareScore(s, "environmental", s.Environmental, s.Words["environmentalSeverity"], all.Environmental)
	})
}

func hasEnvironment(vector string) bool {
	for m := range strings.SplitSeq(vector, "/") {
		if len(m) > 2 && m[0] == 'M' || strings.HasPrefix(m, "CR:") || strings.HasPrefix(m, "IR:") || strings.HasPrefix(m, "AR:") {
			return true
		}
	}
	return false
}

func (c *checker) compareScore(s scored, kind string, said *float64, severity string, computed float64) {
	if said != nil && math.Abs(*said-computed) > 0.001 {
		c.fail(fmt.Sprintf("the vector's %s score is %.1f, not %g", kind, computed, *said), "%s/%sScore", s.pointer, kind)
	}
	if want := severityWord(computed); severity != "" && s.major > 2 && severity != want {
		c.fail(fmt.Sprintf("the vector's %s score of %.1f is %s, not %.20s", kind, computed, want, severity), "%s/%sSeverity", s.pointer, kind)
	}
}

// severityWord is the scale of CVSS 3 and 4.
func severityWord(score float64) string {
	switch {
	case score == 0:
		return "NONE"
	case score < 4:
		return "LOW"
	case score < 7:
		return "MEDIUM"
	case score < 9:
		return "HIGH"
	}
	return "CRITICAL"
}

// cvssWords compares words like "attackVector" with the vector (6.1.10). A metric that the vector leaves out contradicts nothing.
func (c *checker) cvssWords() {
	c.eachScore(func(s scored) {
		metrics := map[string]string{}
		for m := range strings.SplitSeq(s.Vector, "/") {
			name, value, _ := strings.Cut(m, ":")
			metrics[name] = value
		}
		names := make([]string, 0, len(s.Words))
		for name := range s.Words {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			m, known := metricWord(s.major, name, s.Words[name])
			if !known || m.metric == "" {
				continue
			}
			if has, named := metrics[m.metric]; named && has != m.value {
				c.fail(fmt.Sprintf("%s is %s, and the vector says %s:%s", name, s.Words[name], m.metric, has), "%s/%s", s.pointer, name)
			}
		}
	})
}
