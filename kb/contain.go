package kb

import (
	"maps"
	"slices"

	"github.com/biopsy-sca/biopsy/internal/traits"
)

// When a learned file holds another component inside it (linked statically, copied), the traits they share are the other's. A pair of
// files shows it by how much of the other is there. Only what can be linked can be inside: libraries and archives.
const (
	minShared    = 30   // traits
	minInner     = 60   // traits of the library or archive: of smaller ones the rest may be chance
	partOfStatic = 0.15 // of its traits in a program that needs no library
	partOfOther  = 0.8  // in all others, which must then hold less of themselves in common than the other does
)

// pair is a file and another of another component that may be inside it.
type pair struct{ outer, inner uint32 }

// subtract finds what contains what, notes it, and takes from each file the traits of what is inside it.
func (g *groups) subtract() {
	own := make([]uint32, len(g.all))
	shared := map[pair]uint32{}
	var names []uint32
	for i := range g.list {
		units := g.units[g.list[i].from:g.list[i].to]
		if g.list[i].index != Traits || g.list[i].common || g.list[i].hash&traits.NameBit != 0 { // a stand-in defines the names of another
			continue
		}
		n := g.components(units)
		if n > maxNames {
			continue
		}
		for _, u := range units {
			own[u]++
		}
		if n > 1 && len(units) <= 96 {
			g.pairs(units, shared)
		}
	}
	inside := g.decide(shared, own)
	if len(inside) == 0 {
		return
	}
	for i := range g.list {
		gr := &g.list[i]
		units := g.units[gr.from:gr.to]
		if len(units) < 2 || gr.index != Traits && gr.index != Versions {
			continue
		}
		names = append(names[:0], units...)
		kept := slices.DeleteFunc(units, func(outer uint32) bool {
			return slices.ContainsFunc(names, func(inner uint32) bool { return inside[pair{outer, inner}] })
		})
		gr.to = gr.from + uint32(len(kept))
	}
}

// pairs counts one trait for every pair of files of different components of which one may be inside the other.
func (g *groups) pairs(units []uint32, shared map[pair]uint32) {
	for _, inner := range units {
		if !g.all[inner].Linked() {
			continue
		}
		for _, outer := range units {
			if g.comp[outer] != g.comp[inner] && g.all[outer].Kind != Whole {
				shared[pair{outer, inner}]++
			}
		}
	}
}

// decide keeps the pairs that show containment, and notes it at the entries.
func (g *groups) decide(shared map[pair]uint32, own []uint32) map[pair]bool {
	inside := map[pair]bool{}
	facts := map[*draft]map[string]bool{}
	for p, n := range shared {
		if n < minShared || own[p.inner] < minInner {
			continue
		}
		ofInner, ofOuter := float64(n)/float64(own[p.inner]), float64(n)/float64(own[p.outer])
		outer := g.all[p.outer]
		if outer.Static && ofInner < partOfStatic || !outer.Static && (ofInner < partOfOther || ofInner <= ofOuter) {
			continue
		}
		inside[p] = true
		if facts[outer.draft] == nil {
			facts[outer.draft] = map[string]bool{}
		}
		facts[outer.draft][g.all[p.inner].draft.Name] = true
	}
	for d, names := range facts {
		d.Contains = unite(d.Contains, slices.Sorted(maps.Keys(names)))
	}
	return inside
}
