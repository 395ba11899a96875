package enrich

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// fewest is how many records must name two names together before a learned synonym counts here.
const fewest = 3

// shelf is all lifecycles by the names of their products.
type shelf struct {
	byName map[string][]*product // name in lower case; in order of the books
}

// product is a lifecycle under one of its names.
type product struct {
	*biopsy.Lifecycle
	via   string // why the name is the product's: "" when the lifecycle says so itself
	alive bool   // some cycle has no known end
	last  string // the latest end of any cycle, YYYY-MM-DD; "" when none has one
}

// gather reads the books once, so that components are looked up in memory.
func gather(books []Book) (*shelf, error) {
	s := &shelf{byName: map[string][]*product{}}
	for _, b := range books {
		var of []biopsy.Lifecycle
		err := b.Lifecycles(func(l biopsy.Lifecycle) error { of = append(of, l); return nil })
		if err != nil {
			return nil, err
		}
		for i := range of {
			if err := s.put(&of[i], b); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// put shelves a lifecycle under its names, and under what the book says is the same.
func (s *shelf) put(l *biopsy.Lifecycle, b Book) error {
	p := &product{Lifecycle: l}
	for i := range l.Cycles {
		c := &l.Cycles[i]
		p.alive = p.alive || c.End == "" && c.Ended != biopsy.Yes
		p.last = max(p.last, c.End)
	}
	s.add(productName(l.Product), p)
	for _, n := range l.Names {
		s.add(n, p)
	}
	for _, n := range l.Names {
		same, err := b.Synonyms(n)
		if err != nil {
			return err
		}
		for _, y := range same {
			if y.Records == 0 || y.Records >= fewest {
				other := *p
				other.via = y.Name + ", by " + y.Source
				s.add(y.Same, &other)
			}
		}
	}
	return nil
}

// add keeps each lifecycle once under a name.
func (s *shelf) add(name string, p *product) {
	name = strings.ToLower(name)
	for _, q := range s.byName[name] {
		if q.Lifecycle == p.Lifecycle {
			return
		}
	}
	s.byName[name] = append(s.byName[name], p)
}

// productName keeps the sources' own names apart from purls and the like.
func productName(product string) string { return "product:" + product }
