package scan

import (
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/enrich"
)

// support adds what the books know of the components' support.
func support(s *biopsy.Scan, o Options) error {
	var books []enrich.Book
	for _, b := range o.Books {
		books = append(books, b)
	}
	return enrich.Run(&s.Inventory, books, enrich.Options{Day: knowledge(s.Books, o), Past: !o.AsOf.IsZero(), Names: o.Names})
}

// knowledge is the day that ends of support are counted from: the one asked for, else today, else, in a scan that leaves the time out,
// the day of the books' newest record.
func knowledge(books []biopsy.Book, o Options) time.Time {
	if !o.AsOf.IsZero() {
		return o.AsOf
	}
	if !o.Now.IsZero() {
		return o.Now
	}
	var newest time.Time
	for _, b := range books {
		built, err := time.Parse(time.RFC3339, b.Built)
		for _, f := range b.Feeds {
			// A record's day behind the book's is a slip of the pen.
			if at, bad := time.Parse(time.RFC3339, f.Newest); bad == nil && at.After(newest) && (err != nil || !at.After(built)) {
				newest = at
			}
		}
	}
	return newest
}
