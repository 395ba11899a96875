package csaf

import (
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/csaf"
	"github.com/biopsy-sca/biopsy/internal/cvss"
)

// statement is what a document says of the products of one vulnerability.
type statement struct {
	*notice
	v *csaf.Vulnerability

	said   []said            // in order of the status lists
	why    map[string]string // product id -> justification of "not affected"
	remedy map[string]*remedy
	common []string // remediations of all products, so that they need not be told of each
	scores map[string][]string
}

// said is a product under one status.
type said struct {
	status  string // name of the list, "fixed"
	product *csaf.Product
}

// remedy is what can be done for a product.
type remedy struct {
	texts   []string
	fix     bool // there is one
	never   bool // there will be none
	because string
}

// read sorts all lists of the vulnerability by product.
func (s *statement) read() {
	s.why, s.remedy, s.scores = map[string]string{}, map[string]*remedy{}, map[string][]string{}
	if st := s.v.Status; st != nil {
		for _, l := range []struct {
			status string
			ids    []string
		}{{"affected", st.KnownAffected}, {"first_affected", st.FirstAffected}, {"last_affected", st.LastAffected}, {"not affected", st.KnownNotAffected},
			{"fixed", st.FirstFixed}, {"fixed", st.Fixed}, {"fixed", st.Recommended}, {"investigated", st.UnderInvestigation}, {"investigated", st.Unknown}} {
			for _, id := range l.ids {
				if p := s.products.Find(id); p != nil {
					s.said = append(s.said, said{l.status, p})
				}
			}
		}
	}
	s.justify()
	s.remedies()
	s.score()
}

// justify reads why products are not affected: the flag, then the words of an impact.
func (s *statement) justify() {
	for _, f := range s.v.Flags {
		for _, id := range s.products.Members(f.ProductIDs, f.GroupIDs) {
			if s.why[id] == "" {
				s.why[id] = strings.ReplaceAll(f.Label, "_", " ")
			}
		}
	}
	for _, t := range s.v.Threats {
		if t.Category != "impact" || severityWord(t.Details) != "" {
			continue
		}
		for _, id := range s.products.Members(t.ProductIDs, t.GroupIDs) {
			switch have := s.why[id]; {
			case have == "":
				s.why[id] = cut(strings.TrimSpace(t.Details), maxSummary)
			case !strings.Contains(have, ": "):
				s.why[id] = have + ": " + cut(strings.TrimSpace(t.Details), maxSummary)
			}
		}
	}
}

// never are the words by which makers say that no fix will come, and what the document calls "none_available" or "no_fix_planned".
var never = []string{"will not fix", "out of support scope", "fix deferred", "end of life", "no fix planned", "no longer supported"}

func (s *statement) remedies() {
	for i := range s.v.Remediations {
		r := &s.v.Remediations[i]
		details := strings.TrimSpace(r.Details)
		text := strings.ReplaceAll(r.Category, "_", " ")
		if details != "" {
			text += ": " + cut(details, 1500)
		}
		if r.URL != "" && !strings.Contains(details, r.URL) {
			text += " (" + r.URL + ")"
		}
		deferred := r.Category == csaf.NoneAvailable && slices.ContainsFunc(never, func(w string) bool { return strings.HasPrefix(strings.ToLower(details), w) })
		for _, id := range s.products.Members(r.ProductIDs, r.GroupIDs) {
			m := s.remedy[id]
			if m == nil {
				m = &remedy{}
				s.remedy[id] = m
			}
			if !slices.Contains(m.texts, text) && len(m.texts) < 100 {
				m.texts = append(m.texts, text)
			}
			m.fix = m.fix || r.Category == csaf.VendorFix || r.Category == csaf.FixPlanned
			if r.Category == csaf.NoFixPlanned || deferred {
				m.never, m.because = true, cut(details, maxSummary)
			}
		}
	}
	s.shared()
}

// shared finds the remediations that all products of the vulnerability have.
func (s *statement) shared() {
	first := true
	for _, x := range s.said {
		if x.status != "affected" && x.status != "first_affected" && x.status != "last_affected" {
			continue
		}
		m := s.remedy[x.product.ID]
		if m == nil {
			s.common = nil
			return
		}
		if first {
			s.common, first = m.texts, false
		}
		if !slices.Equal(s.common, m.texts) {
			s.common = nil
			return
		}
	}
	if joined := strings.Join(s.common, "\n"); len(joined) > maxRemediation {
		s.common = []string{cut(joined, maxRemediation)}
	}
}

// own are the remediations of a product that are not those of all.
func (s *statement) own(id string) string {
	m := s.remedy[id]
	if m == nil || len(s.common) > 0 {
		return ""
	}
	return cut(strings.Join(m.texts, "\n"), maxRemediation)
}

// score keeps the vectors of each product, the newest CVSS first.
func (s *statement) score() {
	add := func(c *csaf.CVSS, ids []string) {
		if c == nil || c.Vector == "" {
			return
		}
		vector := strings.Join(strings.Fields(c.Vector), "")
		if _, err := cvss.Score(vector); err != nil {
			return // a vector that is none rates nothing
		}
		for _, id := range ids {
			s.scores[id] = append(s.scores[id], vector)
		}
	}
	for _, x := range s.v.Scores {
		for _, c := range []*csaf.CVSS{x.V4, x.V3, x.V2} {
			add(c, x.Products)
		}
	}
	for _, x := range s.v.Metrics {
		for _, c := range []*csaf.CVSS{x.Content.V4, x.Content.V3, x.Content.V2} {
			add(c, x.Products)
		}
	}
}

// severities are all vectors and words, each once. Where products differ, each has its own vectors under Extra "severity".
func (s *statement) severities(packages []biopsy.Affected) []biopsy.Severity {
	var r ratings
	for _, x := range s.v.Scores {
		r.vectors(x.V4, x.V3, x.V2)
	}
	for _, x := range s.v.Metrics {
		r.vectors(x.Content.V4, x.Content.V3, x.Content.V2)
		r.word(x.Content.Severity)
	}
	for _, t := range s.v.Threats {
		if t.Category == "impact" {
			r.word(t.Details)
		}
	}
	if a := s.Document.Document.AggregateSeverity; len(r.list) == 0 && len(s.Vulnerabilities) == 1 && a != nil {
		r.word(a.Text)
	}
	for i := range r.list {
		r.list[i].Source = s.source
	}
	alike := same(packages)
	for i := range packages {
		if alike {
			delete(packages[i].Extra, "severity")
		}
		if len(packages[i].Extra) == 0 {
			packages[i].Extra = nil
		}
	}
	return r.list
}

// ratings are severities, each once.
type ratings struct{ list []biopsy.Severity }

func (r *ratings) add(v biopsy.Severity) {
	if len(r.list) < maxSeverities && !slices.Contains(r.list, v) {
		r.list = append(r.list, v)
	}
}

// vectors adds those that are vectors: another one rates nothing.
func (r *ratings) vectors(v4, v3, v2 *csaf.CVSS) {
	for _, x := range []struct {
		kind string
		c    *csaf.CVSS
	}{{"CVSS_V4", v4}, {"CVSS_V3", v3}, {"CVSS_V2", v2}} {
		if x.c == nil {
			continue
		}
		vector := strings.Join(strings.Fields(x.c.Vector), "")
		if score, err := cvss.Score(vector); err == nil {
			r.add(biopsy.Severity{Type: x.kind, Vector: vector, Score: score})
		}
	}
}

func (r *ratings) word(text string) {
	if w := severityWord(text); w != "" {
		r.add(biopsy.Severity{Type: "word", Vector: w})
	}
}

// same says whether all packages that are rated are rated alike. One that is not affected needs no rating.
func same(packages []biopsy.Affected) bool {
	first := ""
	for i := range packages {
		own := packages[i].Extra["severity"]
		if own == "" || packages[i].Status == biopsy.NotAffected {
			continue
		}
		if first == "" {
			first = own
		}
		if own != first {
			return false
		}
	}
	return true
}

// severityWord is the word of a distribution's rating in capitals; "" for other texts.
func severityWord(s string) string {
	switch w := strings.ToUpper(strings.TrimSpace(s)); w {
	case "LOW", "MODERATE", "MEDIUM", "IMPORTANT", "HIGH", "CRITICAL":
		return w
	}
	return ""
}

// affected sorts the products into what makers ship and what distributions package.
func (s *statement) affected() []biopsy.Affected {
	shelf := newShelf(s)
	packages := newPackages(s)
	for _, x := range s.said {
		if platform := packages.platform(x.product); platform != "" {
			packages.take(platform, x)
			continue
		}
		shelf.take(x)
	}
	return append(shelf.affected(), packages.affected()...)
}
