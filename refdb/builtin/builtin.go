// Package builtin is the book of advisories that ships inside the program.
//
// In: nothing; the book is built from advisories/*.yaml by gen, and embedded. Out: the opened book, and the names under which
// distributions and others know the projects in it. It holds the families of holes that devices are known for, so that a scan says
// something before the first import; it is small, and no substitute for the feeds.
package builtin

import (
	_ "embed"

	"github.com/biopsy-sca/biopsy/refdb"
)

//go:generate go run ./gen

//go:embed book.refdb
var book []byte

// Book opens the built-in book. Its bytes are used where the program has them; closing it is not needed.
func Book() (*refdb.Book, error) { return refdb.FromBytes(book) }
