// Package software names compiled files and Java archives by what they look like, from the books of software.
//
// What comes in: a program, a library, an object file or a jar, and the books. What goes out: evidence of the components that the bytes
// show, with version where the bytes tell it, and the places of the traits that say so. It will never name a component for a text that
// others may quote: what a file defines, how much of it is known, and how much of the known is there decide (doc/kb.md).
package software

import (
	"bytes"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/kb"
)

// Readers returns the readers that name from the books; none when there is no book.
func Readers(books []*kb.Book) []biopsy.Extractor {
	if len(books) == 0 {
		return nil
	}
	s := newShelf(books)
	return []biopsy.Extractor{
		{Name: "software", Basis: biopsy.Binary, From: biopsy.Standard, Head: compiled, Extract: s.compiled},
		{Name: "java-classes", Basis: biopsy.Binary, From: biopsy.Standard, Names: []string{"*.jar", "*.war", "*.ear", "*.aar"}, Extract: s.java},
	}
}

func compiled(head []byte) bool {
	return len(head) >= 52 && bytes.HasPrefix(head, []byte(elf.Magic))
}
