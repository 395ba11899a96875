package match

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// findings makes one finding of each hole that was spoken of.
func (m *matcher) findings(c *biopsy.Component, all []opinion) ([]biopsy.Finding, error) {
	groups := fold(all)
	out := make([]biopsy.Finding, 0, len(groups))
	for _, g := range groups {
		f, err := m.finding(c, g)
		if err != nil {
			return nil, fmt.Errorf("match %s: %w", c.Name, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func (m *matcher) finding(c *biopsy.Component, g *group) (biopsy.Finding, error) {
	subject := g.subject()
	records := g.records()
	f := biopsy.Finding{
		ID: biopsy.FindingID(c, "vulnerability", subject), Component: c.ID, Subject: "vulnerability", Advisory: subject,
		Aliases:   slices.DeleteFunc(slices.Clone(g.names), func(n string) bool { return n == subject }),
		Answer:    records[0].answer,
		Because:   because(records, m.o.AsOf),
		Published: g.published(),
	}
	if f.Answer == biopsy.No {
		return f, nil
	}
	if f.Answer == biopsy.Yes {
		f.Fixed = fixes(records)
	}
	if e, ok := m.reach[c.ID]; ok {
		f.Exposure = &e
	}
	return f, m.describe(&f, g)
}

// records folds the opinions of each record into one, and puts those that decide first: by rank, then yes, no, unknown; then by id.
func (g *group) records() []opinion {
	slices.SortStableFunc(g.opinions, func(a, b opinion) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(a.entry.ID, b.entry.ID), cmp.Compare(a.entry.Source, b.entry.Source),
			cmp.Compare(b.weight(), a.weight()))
	})
	var out []opinion
	for _, op := range g.opinions {
		if n := len(out); n > 0 && sameRecord(&out[n-1], &op) {
			if op.answer == biopsy.Yes {
				out[n-1].fixed = slices.Concat(out[n-1].fixed, op.fixed)
			}
			continue
		}
		out = append(out, op)
	}
	slices.SortStableFunc(out, func(a, b opinion) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(b.answer, a.answer))
	})
	return out
}

// weight ranks the parts of one record. The Red Hat family lists one fix again for each build of it, so that one fix reached is
// enough there; elsewhere the parts are branches, and one that holds the version is enough.
func (op *opinion) weight() int {
	if op.answer == biopsy.No && namesBinaries(op.ask.ecosystem) {
		return worth(biopsy.Yes) + 1
	}
	return worth(op.answer)
}

func sameRecord(a, b *opinion) bool {
	return a.rank() == b.rank() && a.entry.ID == b.entry.ID && (a.entry.Source == b.entry.Source || a.text == b.text)
}

// because tells every record's reason; of a past day also that the record reads otherwise than it did then.
func because(records []opinion, asOf time.Time) []biopsy.Because {
	out := make([]biopsy.Because, len(records))
	for i := range records {
		r := &records[i]
		out[i] = biopsy.Because{Record: r.entry.ID, Source: r.entry.Source, Rule: r.rule, Answer: r.answer, Text: r.text}
		if at := r.entry.Modified; !asOf.IsZero() && at.After(asOf) {
			out[i].Text += "; the record's text is of " + at.UTC().Format(time.DateOnly) + ", after the day asked about"
		}
	}
	return out
}

// fixes returns the versions above the component's that mend it, from the records of the deciding rank, lowest first.
func fixes(records []opinion) []string {
	var out []string
	for i := range records {
		if records[i].rank() == records[0].rank() {
			out = append(out, records[i].fixed...)
		}
	}
	ecosystem := records[0].ask.ecosystem
	slices.SortFunc(out, func(a, b string) int {
		if c, err := eco.Compare(ecosystem, a, b); err == nil && c != 0 {
			return c
		}
		return cmp.Compare(a, b) // fixes of two ecosystems have no common order
	})
	return slices.Compact(out)
}

// published is the earliest day that any record gives; "" when none does.
func (g *group) published() string {
	var first time.Time
	for i := range g.opinions {
		if p := g.opinions[i].entry.Published; !p.IsZero() && (first.IsZero() || p.Before(first)) {
			first = p
		}
	}
	if first.IsZero() {
		return ""
	}
	return first.UTC().Format(time.DateOnly)
}

// describe adds what a reader wants to know of a hole that is or may be there: words, severity, exploitation, links. Records that
// spoke come first, then the CVE's own, then the others of the hole.
func (m *matcher) describe(f *biopsy.Finding, g *group) error {
	var sev []biopsy.Severity
	for i := range g.opinions {
		for _, s := range g.opinions[i].entry.Severity {
			if s.Source == "" {
				s.Source = g.opinions[i].entry.ID
			}
			sev = append(sev, s)
		}
	}
	notes, err := m.shelf.about(f.Advisory)
	if err != nil {
		return err
	}
	notes = m.nearest(notes, f)
	for _, n := range notes {
		if f.Summary == "" {
			f.Summary = n.summary
		}
		f.URLs = append(f.URLs, n.links...)
		if n.id == f.Advisory || len(sev) == 0 {
			sev = append(sev, n.severity...)
		}
	}
	f.URLs = capped(unique(f.URLs))
	f.Severity = severities(sev)
	f.Level, f.Score, f.Scored = chosen(f.Severity)
	if slices.ContainsFunc(f.Because, func(b biopsy.Because) bool { return b.Rule == "malicious" }) {
		f.Level, f.Scored = biopsy.LevelCritical, "the package is malicious"
	}
	return m.exploited(f)
}

// nearest drops what does not stand and puts the records that speak of the component before the CVE's own, and that before the rest.
func (m *matcher) nearest(notes []note, f *biopsy.Finding) []note {
	var spoke, own, rest []note
	for _, n := range notes {
		switch {
		case !m.o.standing(n.published, n.modified, n.withdrawn):
		case slices.ContainsFunc(f.Because, func(b biopsy.Because) bool { return b.Record == n.id }):
			spoke = append(spoke, n)
		case n.id == f.Advisory:
			own = append(own, n)
		default:
			rest = append(rest, n)
		}
	}
	return slices.Concat(spoke, own, rest)
}

// maxLinks keeps a finding readable; the record itself has the rest.
const maxLinks = 8

func capped(urls []string) []string { return urls[:min(len(urls), maxLinks)] }

// unique drops repetitions and keeps the order.
func unique(ss []string) []string {
	var out []string
	for _, s := range ss {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// exploited joins what is known of the use of any CVE of the hole, as far as it was known then.
func (m *matcher) exploited(f *biopsy.Finding) error {
	for _, id := range append([]string{f.Advisory}, f.Aliases...) {
		if !isCVE(id) {
			continue
		}
		all, err := m.shelf.exploits(id)
		if err != nil {
			return err
		}
		for _, e := range all {
			f.Exploit = joinExploit(f.Exploit, m.knownThen(e))
		}
	}
	return nil
}

// knownThen forgets what became known after Options.AsOf.
func (m *matcher) knownThen(e biopsy.Exploit) biopsy.Exploit {
	if m.o.AsOf.IsZero() {
		return e
	}
	day := m.o.AsOf.UTC().Format(time.DateOnly)
	if e.KEVAdded > day {
		e.KEV, e.KEVAdded, e.KEVDue, e.KEVAction, e.Ransomware = false, "", "", "", false
	}
	if e.EPSSDate > day {
		e.EPSS, e.Percentile, e.EPSSDate = 0, 0, ""
	}
	if e.SSVCDate > day {
		e.Maturity, e.Automatable, e.Impact, e.SSVCDate = "", "", "", ""
	}
	return e
}

// joinExploit keeps the worse of two; nil when nothing is known.
func joinExploit(have *biopsy.Exploit, e biopsy.Exploit) *biopsy.Exploit {
	if e == (biopsy.Exploit{}) {
		return have
	}
	if have == nil {
		return &e
	}
	j := *have
	if e.KEV && !j.KEV {
		j.KEV, j.KEVAdded, j.KEVDue, j.KEVAction = true, e.KEVAdded, e.KEVDue, e.KEVAction
	}
	j.Ransomware = j.Ransomware || e.Ransomware
	if e.EPSS > j.EPSS {
		j.EPSS, j.Percentile, j.EPSSDate = e.EPSS, e.Percentile, e.EPSSDate
	}
	if biopsy.MaturityRank(e.Maturity) > biopsy.MaturityRank(j.Maturity) {
		j.Maturity, j.Automatable, j.Impact, j.SSVCDate = e.Maturity, e.Automatable, e.Impact, e.SSVCDate
	}
	return &j
}
