package software

import (
	"slices"

	"github.com/biopsy-sca/biopsy/internal/traits"
)

// How a file is named. A learned file and the file at hand are held against each other from both sides: share is how much of the file's
// own traits (those that a few components have, and those nobody knows) speak for the component, coverage how much of the most similar
// learned file is there. Who only uses or quotes a component has little of both; a differently configured build loses coverage and keeps
// share; a library that is linked into a program keeps coverage and loses share.
const (
	fewVotes = 3 // less is chance

	wholeShare, wholeCoverage = 0.4, 0.35  // of a file that is the component
	mostShare, someCoverage   = 0.7, 0.05  // of a build with other options,
	manyVotes                 = 10         // which must show more than a few texts
	bearerCoverage            = 0.2        // of a library that bears the component's name
	tinyShare, tinyCoverage   = 0.75, 0.75 // of a file with hardly any traits
	holderCoverage            = 0.5        // of a file that is known to hold the component that most votes are for

	holderShare = 0.1 // of such a file

	insideTraits   = 10  // traits and tables that no other component has, of a component inside another's file
	insideSaid     = 5   // of them messages: lists of names are common knowledge
	insideCoverage = 0.4 // of a library or archive that was learned of it
	mostInside     = 0.6 // share of a library in a program of which else little is known,
	muchInside     = 0.3 // and where messages speak for it
	knownCoverage  = 0.1 // the same, when the holder is known to hold it, needs no library, or the component states its version
)

// role is what a component is to a file.
type role int

const (
	unsaid role = iota // nothing, or not enough to say so
	whole              // the file is the component
	inside             // the component is in the file among others
)

// found is a component that a file is or holds.
type found struct {
	candidate
	role   role
	stated string // the version that the file's own text gives; "" when none does
}

// weigh says what the candidates are to the file, the whole first; those of which nothing can be said are left out.
func (s *shelf) weigh(f *traits.File, list []candidate) ([]found, error) {
	at, held, err := s.whole(f, list)
	if err != nil {
		return nil, err
	}
	var out []found
	if at >= 0 {
		out = append(out, found{candidate: list[at], role: whole, stated: s.stated(f, list[at].component)})
	}
	for i, c := range list {
		if i == at || c.votes < fewVotes || c.part < knownCoverage {
			continue
		}
		x := found{candidate: c, role: inside, stated: s.stated(f, c.component)}
		if x.stated != "" || c.isInside() && (f.Static || c.part >= insideCoverage || slices.Contains(held, s.comps[c.component].Name)) || c.isMost(f) {
			out = append(out, x)
		}
	}
	return out, nil
}

// isInside tells traits that speak for a library as code, and not for a list that others have too.
func (c candidate) isInside() bool {
	return c.only >= fewVotes && c.only+c.tables >= insideTraits && c.said >= insideSaid
}

// isMost tells a program of which most, of what tells anything, is one library.
func (c candidate) isMost(f *traits.File) bool {
	return !f.Library && c.votes >= manyVotes && (c.share >= mostInside || c.isInside() && c.share >= muchInside)
}

// whole returns the index of the component that the file is, -1 when it is none, and the names of what that is known to hold.
func (s *shelf) whole(f *traits.File, list []candidate) (at int, held []string, err error) {
	at = slices.IndexFunc(list, func(c candidate) bool { return isWhole(f, c) })
	first := at
	if len(list) > 0 && list[0].votes >= manyVotes && !list[0].soname {
		first = 0 // perhaps what is inside has most votes
	}
	for i, c := range list[:min(len(list), 8)] {
		if c.coverage < holderCoverage || (c.share < holderShare || c.only == 0) && i != at || c.votes < manyVotes && i != at {
			continue
		}
		b, u := s.unit(c.unit)
		_, entry := b.ComponentOf(u)
		e, err := b.Entry(entry)
		if err != nil {
			return -1, nil, err
		}
		if i == at {
			held = e.Contains
		} else if first >= 0 && slices.Contains(e.Contains, s.comps[list[first].component].Name) {
			return i, e.Contains, nil
		}
	}
	return at, held, nil
}

func isWhole(f *traits.File, c candidate) bool {
	switch {
	case c.only == 0 && c.coverage < tinyCoverage:
		return false
	case c.soname && c.coverage >= bearerCoverage && c.votes >= fewVotes:
		return true
	case c.linked && !f.Library && (f.Static || c.share < mostShare):
		return false // linked into a program
	case c.votes < fewVotes:
		return c.share >= tinyShare && c.coverage >= tinyCoverage
	}
	return c.share >= wholeShare && c.coverage >= wholeCoverage || c.share >= mostShare && c.coverage >= someCoverage && c.votes >= manyVotes
}

// sure is how often such a claim is right.
func (x found) sure() float64 {
	switch {
	case x.role == inside && x.stated == "" && x.part < 0.5:
		return 0.7
	case x.role == inside:
		return 0.85
	case x.share >= 0.7 && x.coverage >= 0.7 && x.votes >= manyVotes:
		return 0.98
	}
	return 0.9
}
