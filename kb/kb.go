// Package kb is the book of software: what known components look like in bytes.
//
// In: traits of files whose component and version are known, handed to a Builder. Out: one read-only file (doc/kb.md), mapped and not
// read, and look-ups in it: a trait leads to the files that were learned with it, a file to its component and version. It never names
// anything by itself: readers weigh what it says. It trusts no byte of its file: damage gives errors or silence, never panics.
package kb

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/mapped"
)

// Book is an opened book. Any number of goroutines may look things up.
type Book struct {
	mu    sync.RWMutex // held for writing by Close only, so that the map does not vanish under a look-up
	data  []byte       // nil once closed
	unmap func() error // nil when the bytes are not ours

	head     *header
	meta     contents
	heap     []byte
	comps    []byte
	entries  []byte
	units    []byte
	sets     []byte
	indexes  [Indexes]index
	unitOf   []uint32 // entry of each unit
	entryOf  []uint32 // component of each entry
	snapshot biopsy.Book
}

// ErrClosed is returned by what is asked of a closed book.
var ErrClosed = errors.New("the book of software is closed")

// Open maps the book at path. Records are checked against their sums now, indexes only by Verify: a damaged one is bounded, and may be silent.
func Open(path string) (*Book, error) {
	data, unmap, err := mapped.Open(path, headerSize)
	if errors.Is(err, mapped.ErrSize) {
		err = rebuild(fmt.Errorf("%w: %w", ErrNotBook, err))
	}
	if err != nil {
		return nil, fmt.Errorf("open book of software: %w", err)
	}
	b, err := FromBytes(data)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), unmap())
	}
	b.unmap = unmap
	return b, nil
}

// FromBytes opens a book that is in memory already. It keeps data, which must not change.
func FromBytes(data []byte) (*Book, error) {
	h, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	b := &Book{data: data, head: h}
	if err := b.readContents(); err != nil {
		return nil, err
	}
	for _, s := range []struct {
		tag  string
		to   *[]byte
		size int
	}{{"heap", &b.heap, 1}, {"comps", &b.comps, componentSize}, {"entries", &b.entries, entrySize}, {"units", &b.units, unitSize}, {"sets", &b.sets, 1}} {
		if *s.to, err = h.section(data, s.tag); err != nil {
			return nil, err
		}
		if len(*s.to)%s.size != 0 {
			return nil, damaged("section %s has %d bytes, records have %d", s.tag, len(*s.to), s.size)
		}
	}
	for i := range b.indexes {
		_, part := h.unchecked(data, indexTags[i]) // most of the book, of which few pages are ever looked at
		if b.indexes[i], err = openIndex(part); err != nil {
			return nil, err
		}
	}
	return b, b.link()
}

// link checks the numbers by which records point at each other, once.
func (b *Book) link() error {
	comps := uint32(len(b.comps) / componentSize)
	b.entryOf = make([]uint32, len(b.entries)/entrySize)
	for i := range b.entryOf {
		if b.entryOf[i] = u32(b.entries[i*entrySize:]); b.entryOf[i] >= comps {
			return damaged("entry %d is of component %d of %d", i, b.entryOf[i], comps)
		}
	}
	b.unitOf = make([]uint32, len(b.units)/unitSize)
	for i := range b.unitOf {
		if b.unitOf[i] = u32(b.units[i*unitSize:]); int(b.unitOf[i]) >= len(b.entryOf) {
			return damaged("unit %d is of entry %d of %d", i, b.unitOf[i], len(b.entryOf))
		}
	}
	return nil
}

// Close unmaps the file. Look-ups that are under way end first.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.data == nil {
		return nil
	}
	b.data = nil
	if b.unmap == nil {
		return nil
	}
	return b.unmap()
}

// Reading runs f while the book cannot be closed; all look-ups are made inside it.
func (b *Book) Reading(f func() error) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.data == nil {
		return ErrClosed
	}
	return f()
}

// Snapshot says which book this is.
func (b *Book) Snapshot() biopsy.Book { return b.snapshot }

// Size tells how much the book knows.
type Size struct {
	Components, Entries, Units int
	Traits                     [Indexes]int
	Bytes                      int64
}

// Size tells how much the book knows.
func (b *Book) Size() Size {
	s := Size{Components: len(b.comps) / componentSize, Entries: len(b.entryOf), Units: len(b.unitOf), Bytes: int64(b.head.Size)}
	for i := range b.indexes {
		s.Traits[i] = b.indexes[i].rows
	}
	return s
}

// Verify reads the whole file and compares it with the digest in its header.
func (b *Book) Verify() error {
	return b.Reading(func() error {
		if got := sha256.Sum256(b.data[headerSize:]); got != b.head.Digest {
			return damaged("the book's digest is %x, and its header says %x", got, b.head.Digest)
		}
		return nil
	})
}

func (b *Book) readContents() error {
	part, err := b.head.section(b.data, "contents")
	if err != nil {
		return err
	}
	if err := b.meta.parse(part); err != nil {
		return err
	}
	b.snapshot = biopsy.Book{Name: b.meta.Name, Digest: "sha256:" + hex.EncodeToString(b.head.Digest[:]), Records: b.meta.Entries,
		Built: time.Unix(b.head.Built, 0).UTC().Format(time.RFC3339)}
	return nil
}

// Named tells whether a book of that name is one of software.
func Named(name string) bool { return strings.HasSuffix(name, "software") }
