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

// Urgency orders findings, the most urgent first; it is the order of every document (doc/ranking.md). The first difference decides:
// yes before unknown before no; shipped before what only builds or tests; exploitation known (KEV with ransomware, KEV, CISA's "active")
// before not; level; exploit published ("poc"); score; EPSS; a fix at hand; nearer to the product's own code; then by id.
func (f *Finding) Urgency(g *Finding) int {
	return cmp.Or(answerRank(f.Answer)-answerRank(g.Answer), boolRank(f.shipped())-boolRank(g.shipped()), g.use()-f.use(),
		cmp.Compare(g.Level.Rank(), f.Level.Rank()), MaturityRank(g.maturity())-MaturityRank(f.maturity()), cmp.Compare(g.Score, f.Score),
		cmp.Compare(g.epss(), f.epss()), boolRank(len(f.Fixed) > 0)-boolRank(len(g.Fixed) > 0), f.depth()-g.depth(),
		cmp.Compare(f.Advisory, g.Advisory), cmp.Compare(f.Component, g.Component))
}

// MaturityRank orders CISA's words for exploitation: "active" 3, "poc" 2, "none" 1; 0 when nobody said.
func MaturityRank(word string) int {
	switch word {
	case "active":
		return 3
	case "poc":
		return 2
	case "none":
		return 1
	}
	return 0
}

func (f *Finding) epss() float64 {
	if f.Exploit == nil {
		return 0
	}
	return f.Exploit.EPSS
}

func (f *Finding) maturity() string {
	if f.Exploit == nil {
		return ""
	}
	return f.Exploit.Maturity
}

// use ranks what is known of exploitation in the wild.
func (f *Finding) use() int {
	switch {
	case f.Exploited() && f.Exploit.Ransomware:
		return 3
	case f.Exploited():
		return 2
	case f.maturity() == "active":
		return 1
	}
	return 0
}

// shipped is false where the component is known to be for building or testing only.
func (f *Finding) shipped() bool { return f.Exposure == nil || f.Exposure.Scope != Development }

// depth is how far a component is from the product's own code; the unknown is behind all that is known.
func (f *Finding) depth() int {
	if f.Exposure == nil || f.Exposure.Depth == 0 {
		return 1 << 30
	}
	return f.Exposure.Depth
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
