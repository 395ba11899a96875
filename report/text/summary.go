// Package text tells a scan to a person at a terminal.
//
// What comes in: a scan. What goes out: a summary of one screen, or whole tables. It will never hide a gap, and it never colours
// what it was not told to colour.
package text

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/units"
)

// Style is how the terminal wants it.
type Style struct {
	Color bool
	Rows  int // findings and gaps shown each; 0 shows all
}

// Writers are the documents of this room.
var Writers = []biopsy.Writer{{Name: "table", Write: func(w io.Writer, s *biopsy.Scan, _ string) error { return Table(w, s) }}}

// Summary writes what is in the artifact, what is wrong with it and what could not be seen.
func Summary(w io.Writer, s *biopsy.Scan, style Style) error {
	p := &printer{w: bufio.NewWriter(w), color: style.Color}
	p.subjects(s)
	p.components(s)
	p.support(s)
	p.findings(s, style.Rows)
	p.advice(s, min(style.Rows, 5))
	p.ledgers(s, style.Rows)
	p.gaps(s, style.Rows)
	p.verdicts(s)
	return p.w.Flush()
}

// Table writes the summary, every finding that is not no, every component and every gap.
func Table(w io.Writer, s *biopsy.Scan) error {
	p := &printer{w: bufio.NewWriter(w)}
	p.subjects(s)
	p.components(s)
	p.support(s)
	p.findings(s, 0)
	p.advice(s, 0)
	p.inventory(s)
	p.ledgers(s, 0)
	p.gaps(s, 0)
	p.verdicts(s)
	return p.w.Flush()
}

type printer struct {
	w     *bufio.Writer // keeps the first error; Flush returns it
	color bool
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

// head starts a section: a title in bold, its text in one column.
func (p *printer) head(title, format string, args ...any) {
	p.line("%s%s", p.paint("1", fmt.Sprintf("%-12s", title)), fmt.Sprintf(format, args...))
}

// paint wraps text in an ANSI code when colours are wanted.
func (p *printer) paint(code, text string) string {
	if !p.color || code == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p *printer) subjects(s *biopsy.Scan) {
	for _, a := range s.Artifacts {
		about := []string{a.Kind}
		if a.Files > 0 {
			about = append(about, count(a.Files, "file"))
		}
		if a.Size > 0 {
			about = append(about, units.Bytes(a.Size)+" read")
		}
		if len(a.Layers) > 0 {
			about = append(about, count(len(a.Layers), "layer"))
		}
		p.head(cut(clean(cmp.Or(a.Name, a.Ref)), 40), " %s, depth %s", strings.Join(about, ", "), s.Options.Depth)
	}
	p.line("")
}

func (p *printer) components(s *biopsy.Scan) {
	kinds, unowned := map[string]int{}, []string{}
	for _, c := range s.Components {
		kinds[clean(c.World())]++
		if c.Unowned {
			unowned = append(unowned, place(c))
		}
	}
	p.head("Components", "%d", len(s.Components))
	names := slices.SortedFunc(maps.Keys(kinds), func(a, b string) int { return cmp.Or(cmp.Compare(kinds[b], kinds[a]), cmp.Compare(a, b)) })
	for _, k := range names {
		p.line("  %6d  %s", kinds[k], k)
	}
	if len(unowned) > 0 {
		p.line("  %6d  %s: %s", len(unowned), p.paint("33", "programs that no package owns"), list(unowned, 3))
	}
	p.line("")
}

func (p *printer) gaps(s *biopsy.Scan, rows int) {
	if len(s.Gaps) == 0 {
		p.head("Gaps", "none")
		return
	}
	p.head("Gaps", "%s", p.paint("33", fmt.Sprintf("%d could not be looked into", len(s.Gaps))))
	shown := s.Gaps
	if rows > 0 && len(shown) > rows {
		shown = shown[:rows]
	}
	for _, g := range shown {
		much := ""
		if g.Size > 0 {
			much = " (" + units.Bytes(g.Size) + ")"
		}
		p.line("  %s: %s%s", clean(g.Place.String()), clean(g.Reason), much)
	}
	if more := len(s.Gaps) - len(shown); more > 0 {
		p.line("  and %d more", more)
	}
}

func (p *printer) verdicts(s *biopsy.Scan) {
	for _, v := range s.Verdicts {
		word := p.paint("32", "pass")
		if !v.Pass {
			word = p.paint("1;31", "FAIL")
		}
		p.head("Verdict", "%s  %s: %s", word, v.Rule, v.Message)
	}
}

// list names the first few and counts the rest.
func list(all []string, most int) string {
	slices.Sort(all)
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}

// place is where the most telling evidence of a component lies.
func place(c biopsy.Component) string {
	if len(c.Evidence) == 0 {
		return ""
	}
	return clean(c.Evidence[0].Place.String())
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// clean keeps names from input from speaking to the terminal: control characters become "?".
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0xfffd || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return '?'
		}
		return r
	}, s)
}

// cut shortens from the left, where paths differ least.
func cut(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return "…" + string(r[len(r)-width+1:])
}
