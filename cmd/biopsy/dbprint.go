package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/report/text"
)

// manyLines bounds lists of one record that people do not read to their end; -o json has all.
const manyLines = 40

// page prints what lookup found, each text on one line and without control characters: records come from anywhere.
type page struct{ w *bufio.Writer }

func (p page) line(depth int, format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = oneLine(s)
		}
	}
	fmt.Fprintf(p.w, strings.Repeat("  ", depth)+format+"\n", args...)
}

// oneLine makes a text of somebody else's safe for a terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

func printKnown(w io.Writer, k *known) error {
	p := page{bufio.NewWriter(w)}
	if k.Exploit != nil {
		p.line(0, "%s", k.Query)
		p.exploit(k.Exploit)
	}
	for i := range k.Advisories {
		p.advisory(&k.Advisories[i])
	}
	for i := range k.records {
		e := &k.records[i]
		p.line(0, "%s  %s", e.ID, e.Source)
		p.affected(1, &e.Affected)
	}
	for _, n := range k.Names {
		p.line(0, "%s", n)
	}
	if len(k.Names) == manyNames {
		p.line(0, "and more; give more of the name")
	}
	if k.scan != nil {
		if len(k.Findings) == 0 {
			p.line(0, "%s: no book knows a hole in the package", k.Query)
		}
		if err := p.w.Flush(); err != nil {
			return err
		}
		if err := text.Answers(p.w, k.scan); err != nil {
			return err
		}
	}
	if s := k.Support; s != nil {
		p.line(0, "support  %s: %s (%s)", cmp.Or(s.Level, "unknown"), s.Because, s.Source)
	}
	for _, y := range k.Synonyms {
		p.line(0, "same as  %s  by %s%s", y.Same, y.Source, ifMany(y.Records))
	}
	if k.scan == nil {
		for i := range k.Lifecycles {
			p.lifecycle(&k.Lifecycles[i])
		}
	}
	return p.w.Flush()
}

func ifMany(records int) string {
	if records == 0 {
		return ""
	}
	return fmt.Sprintf(", %d records", records)
}

func (p page) exploit(e *biopsy.Exploit) {
	if e.KEV {
		ransom := ""
		if e.Ransomware {
			ransom = ", used by ransomware"
		}
		p.line(1, "KEV: exploited; added %s, due %s%s. %s", e.KEVAdded, cmp.Or(e.KEVDue, "on no day"), ransom, e.KEVAction)
	}
	if e.EPSSDate != "" {
		p.line(1, "EPSS: %.5f on %s, above %.1f %% of all", e.EPSS, e.EPSSDate, 100*e.Percentile)
	}
	if e.SSVCDate != "" {
		p.line(1, "SSVC: exploitation %s, automatable %s, technical impact %s, decided %s", cmp.Or(e.Maturity, "unknown"), cmp.Or(e.Automatable, "unknown"), cmp.Or(e.Impact, "unknown"), e.SSVCDate)
	}
}

func (p page) advisory(a *biopsy.Advisory) {
	p.line(0, "%s  %s", a.ID, a.Source)
	if a.Summary != "" {
		p.line(1, "%s", a.Summary)
	}
	for _, d := range []struct {
		what string
		at   time.Time
	}{{"published", a.Published}, {"modified", a.Modified}, {"withdrawn", a.Withdrawn}} {
		if !d.at.IsZero() {
			p.line(1, "%s %s", d.what, d.at.UTC().Format(time.DateOnly))
		}
	}
	p.list("also", a.Aliases)
	p.list("speaks of", a.Upstream)
	for _, s := range a.Severity {
		score := ""
		if s.Score > 0 {
			score = fmt.Sprintf(" = %.1f", s.Score)
		}
		p.line(1, "severity %s%s by %s", s.Vector, score, s.Source)
	}
	for i := range a.Affected {
		if i == manyLines {
			p.line(1, "and %d more; -o json lists them", len(a.Affected)-i)
			break
		}
		p.affected(1, &a.Affected[i])
	}
	if r := a.Extra["remediation"]; r != "" {
		p.line(1, "remediation: %s", r)
	}
	for i, r := range a.References {
		if i == 5 {
			p.line(1, "and %d more references", len(a.References)-i)
			break
		}
		p.line(1, "see %s", r.URL)
	}
}

func (p page) list(what string, items []string) {
	if len(items) > 0 {
		p.line(1, "%s %s", what, some(items))
	}
}

// some joins a list that may be long.
func some(items []string) string {
	if len(items) > manyLines {
		return strings.Join(items[:manyLines], ", ") + fmt.Sprintf(" and %d more", len(items)-manyLines)
	}
	return strings.Join(items, ", ")
}

func (p page) affected(depth int, a *biopsy.Affected) {
	name := strings.TrimSpace(a.Ecosystem + " " + a.Name)
	if a.Status != "" {
		name += ": " + string(a.Status)
	}
	p.line(depth, "%s", name)
	for _, f := range []struct{ what, text string }{
		{"because", a.Why}, {"criterion", a.CPE}, {"with", some(a.Platforms)}, {"version", a.Extra["version"]}, {"model", a.Extra["model"]},
		{"but not", strings.ReplaceAll(a.Extra["except"], "\n", ", ")}, {"versions", some(a.Versions)}, {"files", some(a.Files)}, {"symbols", some(a.Symbols)},
		{"remediation", a.Extra["remediation"]},
	} {
		if f.text != "" {
			p.line(depth+1, "%s %s", f.what, f.text)
		}
	}
	for _, r := range a.Ranges {
		p.line(depth+1, "%s", rangeWords(&r))
	}
}

// rangeWords writes a range as people say it: "from 1.0 before 1.2.3, from 2.0 to 2.1".
func rangeWords(r *biopsy.Range) string {
	var out []string
	for _, e := range r.Events {
		switch {
		case e.Introduced == "0":
			out = append(out, "all versions")
		case e.Introduced != "":
			out = append(out, "from "+e.Introduced)
		case len(out) == 0: // an end without a beginning: what it says cannot be told
			out = append(out, fmt.Sprintf("%+v", e))
		case e.Fixed != "":
			out[len(out)-1] += " before " + e.Fixed
		case e.LastAffected != "":
			out[len(out)-1] += " to " + e.LastAffected
		default:
			out[len(out)-1] += " up to the limit " + e.Limit
		}
	}
	words := some(out)
	if r.Repo != "" {
		words = r.Repo + " " + words
	}
	return words
}

func (p page) lifecycle(l *biopsy.Lifecycle) {
	p.line(0, "%s  %s", cmp.Or(l.Label, l.Product), l.Source)
	p.list("known as", l.Names)
	for _, c := range l.Cycles {
		words := c.Name
		if c.Codename != "" {
			words += " (" + c.Codename + ")"
		}
		for _, f := range []struct{ what, day string }{{"released", c.Released}, {"active until", c.ActiveEnd}, {"supported until", c.End}, {"extended until", c.ExtendedEnd}} {
			if f.day != "" {
				words += ", " + f.what + " " + f.day
			}
		}
		if c.End == "" && c.Ended != biopsy.Unknown {
			words += map[biopsy.Answer]string{biopsy.Yes: ", ended", biopsy.No: ", supported"}[c.Ended]
		}
		if c.Latest != "" {
			words += ", newest " + c.Latest
		}
		p.line(1, "%s", words)
	}
}
