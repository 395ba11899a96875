package software

import (
	"slices"

	"github.com/biopsy-sca/biopsy/kb"
)

// How a file is named. A learned file and the file at hand are held against each other from both sides: share is how much of the file's
// own traits (those that a few components have, and those nobody knows) speak for the component, coverage how much of the most similar
// learned file is there. Who only uses or quotes a component has little of both; a differently configured build loses coverage and keeps
// share; a library that is linked into a program keeps coverage and loses share.
const (
	fewVotes = 3 // less is chance

	wholeShare, wholeCoverage = 0.2, 0.35  // of a file that is the component
	mostShare, someCoverage   = 0.7, 0.05  // of a build with other options
	manyVotes                 = 10         //   which must show more than a few texts
	ownNames, namesCoverage   = 15, 0.3    // of a library that defines the component's names, whatever else is in it
	tinyShare, tinyCoverage   = 0.75, 0.75 // of a file with hardly any traits

	insideOnly     = 10   // traits that no other component has, of a component inside another's file
	insideCoverage = 0.12 // of a library or archive that was learned of it
	insideTables   = 12   // windows of constants that stand for as many texts
)

// role is what a component is to a file.
type role int

const (
	unsaid role = iota // nothing, or not enough to say so
	whole              // the file is the component
	inside             // the component is in the file among others
)

// weigh says what each candidate is to the file, the strongest first; those of which nothing can be said are left out.
func (s *shelf) weigh(list []candidate) (is []candidate, roles []role) {
	for _, c := range list {
		switch {
		case len(is) == 0 && isWhole(c):
			is, roles = append(is, c), append(roles, whole)
		case s.isInside(c):
			is, roles = append(is, c), append(roles, inside)
		}
	}
	return is, roles
}

func isWhole(c candidate) bool {
	switch {
	case c.only == 0:
		return false
	case c.votes < fewVotes:
		return c.share >= tinyShare && c.coverage >= tinyCoverage
	case c.share >= wholeShare && c.coverage >= wholeCoverage, c.share >= mostShare && c.coverage >= someCoverage && c.votes >= manyVotes:
		return true
	}
	return c.names >= ownNames && c.coverage >= namesCoverage
}

func (s *shelf) isInside(c candidate) bool {
	if c.of == 0 || c.only < fewVotes || c.only+c.tables < insideOnly {
		return false
	}
	b, u := s.unit(c.unit)
	if k := b.KindOf(u); k != kb.Library && k != kb.Archive {
		return false
	}
	return c.coverage >= insideCoverage
}

// verdict is what is known of a component's version in a file.
type verdict struct {
	exact    string   // "" when it is not sure
	possible []string // versions that fit as well, oldest first; of a version nobody learned the nearest
	nearest  bool     // the version itself is not among those that were learned
	stated   bool     // the file's own text says it
	sure     float64
}

// tallies of one version of a component in a file.
type fit struct {
	version
	id        uint32 // entry by its number on the shelf
	explained int    // witnesses that the version has
	coverage  float64
	shared    int // traits of its most similar file that are there
}

// Bounds of telling versions apart.
const (
	minApart   = 2   // witnesses that the best version has and the next has not
	maxAgainst = 0.1 // of those, how many may speak the other way
	sameBuild  = 0.9 // coverage of a file of the same version, even if it was built for another processor
)

// fits counts for each version of a component how much of it is there, the best first.
func (s *shelf) fits(t *tally, component uint32) []fit {
	var list []fit
	index := map[uint32]int{}
	for _, v := range s.comps[component].versions {
		id := s.entries[v.book] + v.entry
		index[id] = len(list)
		list = append(list, fit{version: v, id: id})
	}
	for _, w := range t.witness {
		if w.component != component {
			continue
		}
		for _, e := range w.set {
			list[index[e]].explained++
		}
	}
	for _, u := range t.seen {
		c, e := s.of(u)
		if c != component {
			continue
		}
		b, n := s.unit(u)
		of := b.TraitsOf(n)
		if of == 0 || b.KindOf(n) == kb.Whole {
			continue
		}
		x := &list[index[e]]
		cov := float64(t.hits[u]) / float64(of)
		if h := int(t.hits[u]); float64(h)*cov > float64(x.shared)*x.coverage {
			x.shared, x.coverage = h, cov
		}
	}
	// Stable: of versions that fit as well the newer stands behind.
	slices.SortStableFunc(list, func(a, b fit) int {
		if a.explained != b.explained {
			return b.explained - a.explained
		}
		switch {
		case a.coverage > b.coverage:
			return -1
		case a.coverage < b.coverage:
			return 1
		}
		return 0
	})
	return list
}

// apart counts the witnesses that one version has and the other has not, both ways.
func (t *tally) apart(component, a, b uint32) (forA, forB int) {
	for _, w := range t.witness {
		if w.component != component {
			continue
		}
		inA, inB := slices.Contains(w.set, a), slices.Contains(w.set, b)
		if inA && !inB {
			forA++
		}
		if inB && !inA {
			forB++
		}
	}
	return forA, forB
}
