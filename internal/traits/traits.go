// Package traits reads what tells one compiled file from another: its texts, the names it defines, its tables of constants.
//
// What comes in: a program, a library, an object file, a static archive, or any other bytes. What goes out: 64-bit hashes of traits
// with their offsets, and the texts that hold a version. A name that a file only uses (an import, a library it needs) is no trait of it.
// Nothing here knows what the traits mean; it never reads code, and never more than Max traits of one file.
package traits

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/biopsy-sca/biopsy/internal/elf"
)

// Kind is what sort of thing a trait is of.
type Kind byte

// The kinds. Equal bytes of different kinds are different traits.
const (
	Text   Kind = 's' // a run of printable characters in data
	Define Kind = 'e' // a name that the file defines for others
	Soname Kind = 'n' // the name a library gives itself, and the versions of symbols that it defines
	Table  Kind = 't' // a window of constants
)

// Trait is one of them.
type Trait struct {
	Hash   uint64
	Offset int64 // in the file; of a name that several places define, the first
	Size   int32 // bytes from Offset
	Kind   Kind
	Said   bool // a text of several words: a message, which says more than an entry of a list
}

// Versioned is a text with something like a version in it.
type Versioned struct {
	Text   string
	Offset int64
}

// File is what was read of one file.
type File struct {
	Traits    []Trait     // sorted by hash, each once
	Versioned []Versioned // in the order of the file, at most maxVersioned

	Soname  string // "" when the file gives itself none
	Needed  []string
	Library bool // made to be linked: a shared library with a name of its own, an object, an archive
	Static  bool // a program that needs no library
	More    bool // the file has more traits than Max; the first ones were kept
}

// Limits.
const (
	Max          = 1 << 20 // traits of one file; a whole web browser has half as many
	MinText      = 6
	MaxText      = 200 // characters that count; longer texts are told apart by their beginning
	maxVersioned = 4096
	maxRange     = 1 << 30 // bytes of data of one file that are looked at
)

// ErrNothing says that the bytes have no traits that could be told from noise.
var ErrNothing = errors.New("no traits")

// NameBit tells the hashes of names (Define, Soname), where it is set, from those of texts.
const NameBit = 1 << 16

// Of hashes the bytes of a trait. It is FNV-1a with the finish of MurmurHash3, so that all bits are worth the same, but for NameBit.
func Of(k Kind, text string) uint64 {
	h := begin(k)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * prime
	}
	if h = finish(h) &^ NameBit; k == Define || k == Soname {
		h |= NameBit
	}
	return h
}

const prime = 1099511628211

func begin(k Kind) uint64 { return (14695981039346656037 ^ uint64(k)) * prime }

func finish(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Read reads the traits of a file of any format. What an error cost is the rest: what was read before it comes back too.
func Read(r io.ReaderAt, size int64) (*File, error) {
	head := make([]byte, min(size, 64))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return nil, fmt.Errorf("read %d bytes at offset 0: %w", len(head), err)
	}
	c := &collector{r: r, size: size, file: &File{}}
	var err error
	switch {
	case bytes.HasPrefix(head, []byte(elf.Magic)):
		err = c.elf(0, size)
	case bytes.HasPrefix(head, []byte(arMagic)):
		err = c.archive()
	default:
		err = c.data(span{0, size})
	}
	c.settle()
	return c.file, err
}

// span is a range of the file.
type span struct{ off, size int64 }

// collector gathers traits.
type collector struct {
	r    io.ReaderAt
	size int64
	file *File
	buf  []byte // for data, kept from one range to the next
}

// add keeps one trait; false when there is no room for more.
func (c *collector) add(t Trait) bool {
	if len(c.file.Traits) >= Max {
		c.file.More = true
		return false
	}
	c.file.Traits = append(c.file.Traits, t)
	return true
}

// settle sorts the traits and keeps each once.
func (c *collector) settle() {
	t := c.file.Traits
	slices.SortFunc(t, func(a, b Trait) int {
		if a.Hash != b.Hash {
			return cmp.Compare(a.Hash, b.Hash)
		}
		return cmp.Compare(a.Offset, b.Offset)
	})
	c.file.Traits = slices.CompactFunc(t, func(a, b Trait) bool { return a.Hash == b.Hash })
}
