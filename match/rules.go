package match

import (
	"github.com/biopsy-sca/biopsy"
)

// Rule is one way from a component to the packages that advisories name.
type Rule struct {
	Name string // in Because.Rule, where no sharper word applies
	Says string // what it does, for people
	asks func(c *biopsy.Component, w *world) ([]ask, error)
}

// Rules is the list; a new rule is one file and one line here.
var Rules = []Rule{ecosystemRule, distributionRule, upstreamRule, aliasRule, tagRule, cpeRule, productRule}

// ask is one question: is this version of this package affected?
type ask struct {
	rule      string
	rank      int    // whose voice an answer is: rankListed, rankUpstream or rankOwn
	ecosystem string // OSV's name without suffix
	suffix    string // release of a distribution; "" when there is none
	name      string // as OSV spells it
	version   string // "" when the component has none

	undecided string // why nothing can be decided at all; "" when it can
	soften    string // why a yes is only unknown; "" when it is a yes
	note      string // what a yes leaves open; "" when nothing
	known     string // how the name was found, for Because; "" where the bytes themselves say it

	unless  *pkg    // the question stands only when no book knows this package; nil when it always stands
	subject *traits // what is known of the component's CPE attributes; nil unless ecosystem is "CPE"
}

// pkg is a package as a book names it.
type pkg struct{ ecosystem, name string }

// Ranks of voices, low to high.
const (
	rankListed   = iota // others' lists of the makers' software: CPE, tags of a repository
	rankUpstream        // the makers, about what others built
	rankOwn             // the distribution or ecosystem, about its own
)
