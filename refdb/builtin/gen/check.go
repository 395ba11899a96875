package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/cvss"
)

// fewest is how many records the book promises.
const fewest = 150

// check holds every record against the rules, and returns all that is wrong.
func check(records []biopsy.Advisory) error {
	var wrong []error
	seen := map[string]bool{}
	for i := range records {
		a := &records[i]
		if seen[a.ID] {
			wrong = append(wrong, fmt.Errorf("%s: twice", a.ID))
		}
		seen[a.ID] = true
		for _, what := range faults(a) {
			wrong = append(wrong, fmt.Errorf("%s: %s", a.ID, what))
		}
	}
	if len(records) < fewest {
		wrong = append(wrong, fmt.Errorf("%d records, fewer than the %d promised", len(records), fewest))
	}
	return errors.Join(wrong...)
}

func faults(a *biopsy.Advisory) (wrong []string) {
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if a.ID == "" || strings.ContainsAny(a.ID, " \t") {
		add("the id is empty or has spaces")
	}
	if !strings.HasSuffix(a.Summary, ".") || strings.Contains(a.Summary, "\n") {
		add("the summary is not one line that ends in a full stop: %q", a.Summary)
	}
	if a.Published.IsZero() || a.Modified.Before(a.Published) {
		add("published %v and modified %v", a.Published, a.Modified)
	}
	for _, s := range a.Severity {
		if _, err := cvss.Score(s.Vector); err != nil || !strings.HasPrefix(s.Type, "CVSS_V") {
			add("severity %s %q: %v", s.Type, s.Vector, err)
		}
	}
	if len(a.References) == 0 {
		add("no reference")
	}
	for _, r := range a.References {
		if !strings.HasPrefix(r.URL, "https://") && !strings.HasPrefix(r.URL, "http://") {
			add("reference %q is no address", r.URL)
		}
	}
	if len(a.Affected) == 0 {
		add("no package")
	}
	for i := range a.Affected {
		wrong = append(wrong, packageFaults(&a.Affected[i])...)
	}
	return wrong
}

func packageFaults(p *biopsy.Affected) (wrong []string) {
	add := func(format string, args ...any) {
		wrong = append(wrong, p.Ecosystem+" "+p.Name+": "+fmt.Sprintf(format, args...))
	}
	if p.Name == "" || eco.Order(p.Ecosystem) == nil {
		add("no name, or an ecosystem whose versions have no order here")
		return wrong
	}
	if p.Name != eco.NormalizeName(p.Ecosystem, p.Name) && p.Ecosystem == "Upstream" {
		add("the name is not as look-ups spell it")
	}
	if len(p.Ranges) == 0 && len(p.Versions) == 0 {
		add("no range and no version")
	}
	for _, v := range p.Versions {
		if err := eco.Valid(p.Ecosystem, v); err != nil {
			add("version %q: %v", v, err)
		}
	}
	for _, r := range p.Ranges {
		if r.Type != "ECOSYSTEM" && r.Type != "SEMVER" {
			add("range of type %q", r.Type)
		}
		if what := rangeFault(p.Ecosystem, r.Events); what != "" {
			add("%s", what)
		}
	}
	return wrong
}

// rangeFault holds that events take turns, beginning with introduced, and rise.
func rangeFault(ecosystem string, events []biopsy.Event) string {
	if len(events) == 0 || events[0].Introduced == "" {
		return "a range does not begin with introduced"
	}
	last := "0"
	for i, e := range events {
		if (e.Introduced != "") != (i%2 == 0) {
			return fmt.Sprintf("event %d of a range is out of turn", i+1)
		}
		version := e.Introduced + e.Fixed + e.LastAffected + e.Limit
		if version == "0" {
			continue
		}
		if err := eco.Valid(ecosystem, version); err != nil {
			return fmt.Sprintf("event %d of a range: %v", i+1, err)
		}
		if last != "0" {
			c, err := eco.Compare(ecosystem, last, version)
			if err != nil || c > 0 || c == 0 && e.LastAffected == "" {
				return fmt.Sprintf("a range does not rise from %s to %s (%v)", last, version, err)
			}
		}
		last = version
	}
	return ""
}
