// Package nameset keeps which names a program holds, in few bytes.
//
// In: names of functions, packages, options. Out: one line of text that goes into a scan file, and the answer whether a name is in
// it. A name that was added is always found; one that was not is found by mistake about once in 2^26/n times for n names, so only
// "it is not there" may be built upon.
package nameset

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"slices"
)

// Set gathers names. The zero value is empty.
type Set struct{ hashes []uint32 }

const bits = 26 // of a hash: at 8,000 names the distance of neighbours fits two bytes

func hash(name string) uint32 {
	h := fnv.New64a()
	h.Write([]byte(name)) // a hash takes everything
	return uint32(h.Sum64() >> (64 - bits))
}

// Add puts a name into the set.
func (s *Set) Add(name string) { s.hashes = append(s.hashes, hash(name)) }

// Join adds all names of another set.
func (s *Set) Join(other *Set) { s.hashes = append(s.hashes, other.hashes...) }

// Len is how many names were added, doubles counted.
func (s *Set) Len() int { return len(s.hashes) }

// Has says whether a name may be in the set; false is certain.
func (s *Set) Has(name string) bool {
	_, ok := slices.BinarySearch(s.hashes, hash(name))
	return ok
}

// String writes the set: base64 (RFC 4648, no padding) of the sorted hashes' distances as uvarints.
func (s *Set) String() string {
	s.sort()
	var b []byte
	var last uint32
	for _, h := range s.hashes {
		b = binary.AppendUvarint(b, uint64(h-last))
		last = h
	}
	return base64.RawStdEncoding.EncodeToString(b)
}

func (s *Set) sort() {
	slices.Sort(s.hashes)
	s.hashes = slices.Compact(s.hashes)
}

// errForm means that a text was not written by String.
var errForm = errors.New("not a set of names")

// Parse reads what String wrote.
func Parse(text string) (*Set, error) {
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, errForm
	}
	s := &Set{hashes: make([]uint32, 0, len(b)/2)}
	var last uint64
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 || d >= 1<<bits || last+d >= 1<<bits {
			return nil, errForm
		}
		last += d
		s.hashes = append(s.hashes, uint32(last))
		b = b[n:]
	}
	return s, nil
}
