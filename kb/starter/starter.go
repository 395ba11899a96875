// Package starter is the book of software that ships inside the program.
//
// In: nothing; gen learns the book from the Debian packages that packages.tsv pins, and it is embedded. Out: the opened book: what the
// components look like that devices are made of. What is not in it is learned with `biopsy kb learn`.
package starter

import (
	_ "embed"

	"github.com/biopsy-sca/biopsy/kb"
)

//go:generate go run ./gen -dir .

//go:embed starter.kb
var book []byte

// Book opens the starter book. Its bytes are used where the program has them; closing it is not needed.
func Book() (*kb.Book, error) { return kb.FromBytes(book) }
