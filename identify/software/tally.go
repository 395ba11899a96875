package software

import (
	"cmp"
	"slices"

	"github.com/biopsy-sca/biopsy/internal/traits"
	"github.com/biopsy-sca/biopsy/kb"
)

// tally is what a file's traits say, counted; it is used again for the next file.
type tally struct {
	votes   []float64 // by component: each telling trait gives all its components together one vote
	only    []int32   // by component: traits that no other has
	said    []int32   // by component: those of them that are messages
	soname  []bool    // by component: the library bears its name, and no other component's
	tables  []int32   // by component: windows of constants that no other has
	hits    []int32   // by unit: telling traits
	touched []uint32  // components with votes
	seen    []uint32  // units with hits
	witness []witness // telling traits, one for each component that has it
	telling int
	unknown int // traits that no book has
	common  int
	buf     []uint32
}

// witness is a telling trait of a component.
type witness struct {
	trait     traits.Trait
	component uint32
	only      bool     // no other component has it
	set       []uint32 // entries of the component that have it, by their numbers on the shelf
}

func newTally(components, units int) *tally {
	return &tally{votes: make([]float64, components), only: make([]int32, components), said: make([]int32, components), soname: make([]bool, components),
		tables: make([]int32, components), hits: make([]int32, units)}
}

func (t *tally) reset() {
	for _, c := range t.touched {
		t.votes[c], t.only[c], t.said[c], t.soname[c], t.tables[c] = 0, 0, 0, false, 0
	}
	for _, u := range t.seen {
		t.hits[u] = 0
	}
	t.touched, t.seen, t.witness = t.touched[:0], t.seen[:0], t.witness[:0]
	t.telling, t.unknown, t.common = 0, 0, 0
}

// count looks every trait of a file up.
func (t *tally) count(s *shelf, f *traits.File) {
	for _, tr := range f.Traits {
		if tr.Kind == traits.Table {
			t.table(s, tr)
			continue
		}
		units, known := s.look(kb.Traits, tr.Hash, t.buf[:0])
		t.buf = units
		if !known {
			t.unknown++
			continue
		}
		if n := t.components(s, units); n == 0 || n > kb.TellNames {
			t.common++
			continue
		}
		t.take(s, tr, units)
	}
}

// components counts the components of units. They come in no order when there are several books.
func (t *tally) components(s *shelf, units []uint32) int {
	var list [kb.TellNames + 1]uint32
	n := 0
	for _, u := range units {
		c, _ := s.of(u)
		if !slices.Contains(list[:n], c) {
			if n == len(list) {
				return n
			}
			list[n] = c
			n++
		}
	}
	return n
}

func (t *tally) take(s *shelf, tr traits.Trait, units []uint32) {
	t.telling++
	var list [kb.TellNames]witness
	n := 0
	for _, u := range units {
		if t.hits[u] == 0 {
			t.seen = append(t.seen, u)
		}
		t.hits[u]++
		c, e := s.of(u)
		i := 0
		for i < n && list[i].component != c {
			i++
		}
		if i == n {
			list[n] = witness{trait: tr, component: c}
			n++
		}
		if w := &list[i]; !slices.Contains(w.set, e) {
			w.set = append(w.set, e)
		}
	}
	for _, w := range list[:n] {
		c := w.component
		if t.votes[c] == 0 {
			t.touched = append(t.touched, c)
		}
		t.votes[c] += 1 / float64(n)
		if w.only = n == 1; w.only {
			t.only[c]++
			t.soname[c] = t.soname[c] || tr.Kind == traits.Soname
			if tr.Said {
				t.said[c]++
			}
		}
		t.witness = append(t.witness, w)
	}
}

func (t *tally) table(s *shelf, tr traits.Trait) {
	units, known := s.look(kb.Tables, tr.Hash, t.buf[:0])
	t.buf = units
	if !known || t.components(s, units) != 1 {
		return
	}
	c, _ := s.of(units[0])
	if t.votes[c] == 0 && t.tables[c] == 0 {
		t.touched = append(t.touched, c)
	}
	t.tables[c]++
}

// candidate is a component that a file may be, or hold.
type candidate struct {
	component uint32
	votes     float64
	only      int
	said      int
	tables    int
	soname    bool
	share     float64 // of the file's telling and unknown traits
	unit      uint32  // the learned file that is most like it, by the number on the shelf
	coverage  float64 // how much of that file's telling traits are there
	of        int     // how many telling traits that file has
	linked    bool    // that file is one that can be linked into others
	part      float64 // how much is there of the library or archive that is most like it; 0 when the component has none
}

// minPart is how many telling traits a library has at least, a part of which says something.
const minPart = 20

// candidates returns the components with votes, the most first.
func (t *tally) candidates(s *shelf) []candidate {
	own := max(t.telling+t.unknown, 1)
	slices.Sort(t.touched)
	t.touched = slices.Compact(t.touched)
	list := make([]candidate, 0, len(t.touched))
	where := map[uint32]int{}
	for _, c := range t.touched {
		where[c] = len(list)
		list = append(list, candidate{component: c, votes: t.votes[c], only: int(t.only[c]), said: int(t.said[c]), tables: int(t.tables[c]), soname: t.soname[c], share: t.votes[c] / float64(own)})
	}
	slices.Sort(t.seen)
	for _, u := range t.seen {
		b, n := s.unit(u)
		c, _ := s.of(u)
		i, ok := where[c]
		if !ok || b.KindOf(n) == kb.Whole {
			continue
		}
		of := b.TraitsOf(n)
		if of == 0 {
			continue
		}
		// The file that shares most counts, not the one of which most is there: tiny files are soon complete.
		x := &list[i]
		linked := b.KindOf(n) == kb.Library || b.KindOf(n) == kb.Archive
		if linked && of >= minPart && b.Unit(n).Linked() {
			x.part = max(x.part, float64(t.hits[u])/float64(of))
		}
		if h := float64(t.hits[u]) * float64(t.hits[u]) / float64(of); x.of == 0 || h > x.coverage*x.coverage*float64(x.of) {
			x.unit, x.of, x.coverage = u, of, float64(t.hits[u])/float64(of)
			x.linked = linked
		}
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.votes, a.votes), cmp.Compare(b.tables, a.tables), cmp.Compare(a.component, b.component))
	})
	return list
}
