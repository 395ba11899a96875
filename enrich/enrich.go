// Package enrich adds to components what the books know of their support.
//
// In: an inventory, the books and the day of knowledge. Out: the same inventory, with level and end of support where a book knows the
// product and the version's cycle. It will never guess: a component that no book knows keeps no support at all, and one whose cycle
// or dates are unknown has no level. What a person said stays; what an earlier run read from a book is read again.
package enrich

import (
	"fmt"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// Book is what support is read from; *refdb.Book is one.
type Book interface {
	// Lifecycles yields every lifecycle in a fixed order.
	Lifecycles(yield func(biopsy.Lifecycle) error) error
	// Synonyms returns the other names of the software that has this one.
	Synonyms(name string) ([]biopsy.Synonym, error)
}

// Options is what the room is told.
type Options struct {
	Day   time.Time                          // of knowledge; zero is unknown: then days stay unknown, and levels but for what ended without a date
	Past  bool                               // Day lies before the books': what they say without a date may not have been so
	Names func(purlType, name string) string // upstream name of a package; nil knows none
}

// Run fills Support of the components. An error is a damaged book.
func Run(inv *biopsy.Inventory, books []Book, o Options) error {
	s, err := gather(books)
	if err != nil {
		return fmt.Errorf("support: %w", err)
	}
	d := day{past: o.Past}
	if !o.Day.IsZero() {
		d.text = o.Day.UTC().Format(time.DateOnly)
	}
	for i := range inv.Components {
		c := &inv.Components[i]
		if c.Support != nil && c.Support.Product == "" {
			continue // a person said it
		}
		c.Support = nil
		if c.Version != "" && len(s.byName) > 0 {
			c.Support = s.support(c, d, o.Names)
		}
	}
	return nil
}

// support reads one component's; nil when no book knows the product.
func (s *shelf) support(c *biopsy.Component, d day, names func(purlType, name string) string) *biopsy.Support {
	var first *biopsy.Support
	for _, q := range questions(c, names) {
		for _, p := range s.byName[q.name] {
			got := p.support(q, d)
			if got.Cycle != "" {
				return got
			}
			if first == nil {
				first = got
			}
		}
	}
	return first
}
