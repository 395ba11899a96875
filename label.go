package biopsy

import "cmp"

// World is the word a component is counted under: its ecosystem, with the distribution where it has one, else its kind.
func (c *Component) World() string {
	switch {
	case c.Distro != "":
		return c.Eco + " (" + c.Distro + ")"
	case c.Eco != "":
		return c.Eco
	case c.Kind == FileKind:
		return "programs without a name of their own"
	}
	return cmp.Or(string(c.Kind), "other")
}

// Exploited tells whether the vulnerability is known to be exploited (KEV).
func (f *Finding) Exploited() bool { return f.Exploit != nil && f.Exploit.KEV }

// Urgency orders findings: yes before unknown before no, exploited before others, by level, score and EPSS, then by id. It is the order
// of every document.
func (f *Finding) Urgency(g *Finding) int {
	return cmp.Or(answerRank(f.Answer)-answerRank(g.Answer), boolRank(f.Exploited())-boolRank(g.Exploited()), cmp.Compare(g.Level.Rank(), f.Level.Rank()),
		cmp.Compare(g.Score, f.Score), cmp.Compare(g.epss(), f.epss()), cmp.Compare(f.Advisory, g.Advisory), cmp.Compare(f.Component, g.Component))
}

func (f *Finding) epss() float64 {
	if f.Exploit == nil {
		return 0
	}
	return f.Exploit.EPSS
}

func answerRank(a Answer) int { return [...]int{Yes: 0, Unknown: 1, No: 2}[a] }

func boolRank(b bool) int {
	if b {
		return 0
	}
	return 1
}

// Silent counts the components by name that no finding speaks about: the books have no record of them, and nobody has said that they
// are safe.
func (s *Scan) Silent() int {
	spoken := map[string]bool{}
	for i := range s.Findings {
		spoken[s.Findings[i].Component] = true
	}
	n := 0
	for i := range s.Components {
		if c := &s.Components[i]; c.Kind != FileKind && c.Kind != OperatingSystem && !spoken[c.ID] {
			n++
		}
	}
	return n
}
