package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/biopsy-sca/biopsy"
)

func (p *printer) findings(s *biopsy.Scan, rows int) {
	byID := map[string]*biopsy.Component{}
	for i := range s.Components {
		byID[s.Components[i].ID] = &s.Components[i]
	}
	var open []biopsy.Finding
	answers := [3]int{}
	for _, f := range s.Findings {
		answers[f.Answer]++
		if f.Answer != biopsy.No && byID[f.Component] != nil {
			open = append(open, f)
		}
	}
	p.head("Findings", "%d yes, %d unknown, %d no%s", answers[biopsy.Yes], answers[biopsy.Unknown], answers[biopsy.No], books(s))
	if n := s.Silent(); n > 0 && len(s.Books) > 0 {
		p.line("%12sno record in these books of %s", "", count(n, "component"))
	}
	if len(open) == 0 {
		p.line("")
		return
	}
	p.levels(open)
	slices.SortFunc(open, func(a, b biopsy.Finding) int { return a.Urgency(&b) })
	shown := open
	if rows > 0 && len(shown) > rows {
		shown = shown[:rows]
	}
	g := grid{{"", "", "ADVISORY", "COMPONENT", "VERSION", "FIXED IN", "WHERE"}}
	for _, f := range shown {
		g = append(g, row(f, byID[f.Component]))
	}
	g.print(p, rowColor)
	if more := len(open) - len(shown); more > 0 {
		p.line("  and %d more; all of them: -o table", more)
	}
	p.line("")
}

func row(f biopsy.Finding, c *biopsy.Component) []string {
	level := cmp.Or(string(f.Level), "-")
	if f.Answer == biopsy.Unknown {
		level = "? " + level
	}
	kev := ""
	if f.Exploited() {
		kev = "KEV"
	}
	fixed := "-"
	if len(f.Fixed) > 0 {
		fixed = f.Fixed[0]
	}
	name := c.Name
	if c.Namespace != "" && c.Distro == "" {
		name = c.Namespace + "/" + c.Name
	}
	return []string{level, kev, f.Advisory, cut(clean(name), 36), cut(clean(cmp.Or(c.Version, "?")), 24), cut(clean(fixed), 24), cut(place(*c), 48)}
}

// rowColor paints the level's and the KEV's cells.
func rowColor(cell string) string {
	switch strings.TrimPrefix(cell, "? ") {
	case "critical", "KEV":
		return "1;31"
	case "high":
		return "31"
	case "medium":
		return "33"
	}
	return ""
}

// levels counts the findings that are yes by severity.
func (p *printer) levels(open []biopsy.Finding) {
	n, kev := map[biopsy.Level]int{}, 0
	for _, f := range open {
		if f.Answer != biopsy.Yes {
			continue
		}
		n[f.Level]++
		if f.Exploited() {
			kev++
		}
	}
	var parts []string
	for _, l := range []biopsy.Level{biopsy.LevelCritical, biopsy.LevelHigh, biopsy.LevelMedium, biopsy.LevelLow, biopsy.LevelNone, ""} {
		if n[l] > 0 {
			parts = append(parts, p.paint(rowColor(string(l)), fmt.Sprintf("%d %s", n[l], cmp.Or(string(l), "not rated"))))
		}
	}
	if kev > 0 {
		parts = append(parts, p.paint("1;31", fmt.Sprintf("%d known to be exploited (KEV)", kev)))
	}
	if len(parts) > 0 {
		p.line("%12s%s", "", strings.Join(parts, ", "))
	}
}

// books says how much the answer rests on. Books of software name components; they say nothing of vulnerabilities.
func books(s *biopsy.Scan) string {
	var all []string
	for _, b := range s.Books {
		if !strings.HasSuffix(b.Name, "software") {
			all = append(all, fmt.Sprintf("%s (%d records)", b.Name, b.Records))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "; by " + strings.Join(all, ", ")
}

func (p *printer) inventory(s *biopsy.Scan) {
	g := grid{{"COMPONENT", "VERSION", "KIND", "LICENCE", "WHERE"}}
	for _, c := range s.Components {
		name := strings.TrimPrefix(c.Namespace+"/"+c.Name, "/")
		g = append(g, []string{cut(clean(name), 44), cut(clean(cmp.Or(c.Version, "?")), 28), clean(c.World()), cut(clean(licence(c)), 28), cut(place(c), 60)})
	}
	slices.SortFunc(g[1:], func(a, b []string) int { return cmp.Or(cmp.Compare(a[2], b[2]), slices.Compare(a, b)) })
	g.print(p, func(string) string { return "" })
	p.line("")
}

func licence(c biopsy.Component) string {
	for _, l := range c.Licenses {
		if name := cmp.Or(l.Expression, l.Name); name != "" {
			return name
		}
	}
	return "?"
}

// grid is a table; its first row is the head.
type grid [][]string

// print writes the rows in columns as wide as their widest cell; color paints single cells.
func (g grid) print(p *printer, color func(string) string) {
	width := make([]int, len(g[0]))
	for _, r := range g {
		for i, c := range r {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for _, r := range g {
		var b strings.Builder
		for i, c := range r {
			if width[i] == 0 {
				continue
			}
			b.WriteString("  " + p.paint(color(c), c) + strings.Repeat(" ", width[i]-utf8.RuneCountInString(c)))
		}
		p.line("%s", strings.TrimRight(b.String(), " "))
	}
}
