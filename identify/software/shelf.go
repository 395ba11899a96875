package software

import (
	"sync"

	"github.com/biopsy-sca/biopsy/kb"
)

// shelf is the books side by side: components of equal names are one, units and entries are numbered through.
type shelf struct {
	books   []*kb.Book
	units   []uint32 // number of each book's first unit
	comps   []known  // by number on the shelf
	compOf  [][]uint32
	entries []uint32 // number of each book's first entry
	scratch sync.Pool
	closed  error // why the books cannot be read; nil when they can
}

// known is a component as the shelf knows it.
type known struct {
	kb.Component
	versions []version // as the books order them, the first book's first
}

// version is one entry.
type version struct {
	book  int
	entry uint32 // in the book
}

func newShelf(books []*kb.Book) *shelf {
	s := &shelf{books: books}
	byName := map[kb.Component]uint32{}
	units, entries := uint32(0), uint32(0)
	for i, b := range books {
		size := b.Size()
		s.units, s.entries = append(s.units, units), append(s.entries, entries)
		units, entries = units+uint32(size.Units), entries+uint32(size.Entries)
		of := make([]uint32, size.Components)
		s.closed = b.Reading(func() error {
			for c := range uint32(size.Components) {
				name := b.Component(c)
				n, ok := byName[name]
				if !ok {
					n = uint32(len(s.comps))
					byName[name] = n
					s.comps = append(s.comps, known{Component: name})
				}
				of[c] = n
				for e, end := b.EntriesOf(c); e < end; e++ {
					s.comps[n].versions = append(s.comps[n].versions, version{i, e})
				}
			}
			return nil
		})
		s.compOf = append(s.compOf, of)
	}
	s.scratch.New = func() any { return newTally(len(s.comps), int(units)) }
	return s
}

// reading runs f while no book can be closed.
func (s *shelf) reading(f func() error) error {
	for _, b := range s.books {
		inner, book := f, b
		f = func() error { return book.Reading(inner) }
	}
	return f()
}

// unit is a unit by its number on the shelf.
func (s *shelf) unit(n uint32) (*kb.Book, uint32) {
	i := len(s.units) - 1
	for i > 0 && n < s.units[i] {
		i--
	}
	return s.books[i], n - s.units[i]
}

// component and entry of a unit, by their numbers on the shelf.
func (s *shelf) of(unit uint32) (component, entry uint32) {
	i := len(s.units) - 1
	for i > 0 && unit < s.units[i] {
		i--
	}
	c, e := s.books[i].ComponentOf(unit - s.units[i])
	return s.compOf[i][c], s.entries[i] + e
}

// look returns the units of a trait in all books. known is true also for a trait that is common.
func (s *shelf) look(x kb.Index, hash uint64, buf []uint32) (units []uint32, known bool) {
	common := false
	for i, b := range s.books {
		set, ok := b.Look(x, hash)
		if !ok {
			continue
		}
		known = true
		common = common || set.Common()
		from := len(buf)
		buf = b.Units(set, buf)
		for j := from; j < len(buf); j++ {
			buf[j] += s.units[i]
		}
	}
	if common {
		return buf[:0], true
	}
	return buf, known
}
