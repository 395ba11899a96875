// Package refdb is the book of advisories: one read-only file, opened in a moment.
//
// In: advisories and what is known of their exploitation, handed to a Builder by the feeds. Out: a sorted, compressed, checksummed
// file (doc/refdb.md), and look-ups in it by package, id and CVE. It never reaches the network, never compares a version, and never
// changes a book once it is written: a new one replaces it whole.
package refdb

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/mapped"
	"github.com/biopsy-sca/biopsy/internal/table"
)

// Book is an opened book. Any number of goroutines may look things up; nothing it returns refers to the file.
type Book struct {
	mu       sync.RWMutex // held for writing by Close only, so that the map does not vanish under a look-up
	data     []byte       // nil once closed
	unmap    func() error // nil when the bytes are not ours
	dir      string       // folder of the file; "" for FromBytes
	dec      *table.Decoder
	packages *table.Table // ecosystem, name, record, number of the affected entry -> entry
	ids      *table.Table // id or alias in lower case, record -> nothing
	records  *table.Table // record -> advisory
	exploits *table.Table // CVE in lower case -> exploit

	synonyms   *table.Table // name, the same one, source -> synonym
	lifecycles *table.Table // product, source -> lifecycle; name, product, source -> nothing

	snapshot biopsy.Book
	ecos     []string
	reads    []Reading
	end      uint64 // of what the digest is of
}

// ErrClosed is returned by look-ups in a closed book.
var ErrClosed = errors.New("the book of advisories is closed")

// Open maps the book at path. It checks header, contents and indexes; blocks are checked when they are read, all of them by Verify.
// The file may be replaced by rename while it is open: this Book stays on the old one.
func Open(path string) (*Book, error) {
	data, unmap, err := mapped.Open(path, headerSize)
	if errors.Is(err, mapped.ErrSize) {
		err = rebuild(fmt.Errorf("%w: %w", ErrNotBook, err))
	}
	if err != nil {
		return nil, fmt.Errorf("open book of advisories: %w", err)
	}
	b, err := FromBytes(data)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), unmap())
	}
	b.unmap, b.dir = unmap, folder(path)
	return b, nil
}

// FromBytes opens a book that is in memory already. It keeps data and copies nothing of it, so data must not change.
func FromBytes(data []byte) (*Book, error) {
	h, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	meta, err := h.contents(data)
	if err != nil {
		return nil, err
	}
	dec, err := table.NewDecoder()
	if err != nil {
		return nil, err
	}
	b := &Book{data: data, dec: dec, snapshot: meta.snapshot(h), ecos: meta.Ecosystems, end: h.Reads.Offset}
	if err := readJSON(data, h.Reads, "times of reading", &b.reads); err != nil {
		dec.Close()
		return nil, err
	}
	for i, t := range []**table.Table{&b.packages, &b.ids, &b.records, &b.exploits, &b.synonyms, &b.lifecycles} {
		if *t, err = table.Open(data, h.Tables[i], dec); err != nil {
			dec.Close()
			return nil, rebuild(err)
		}
	}
	return b, nil
}

// Close unmaps the file. Look-ups that are under way end first; later ones return ErrClosed.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.data == nil {
		return nil
	}
	b.data = nil
	b.dec.Close()
	if b.unmap == nil {
		return nil
	}
	return b.unmap()
}

// Snapshot says what the book holds and how old each feed's part is. Feeds are sorted by name.
func (b *Book) Snapshot() biopsy.Book {
	s := b.snapshot
	s.Feeds = append([]biopsy.Snap(nil), s.Feeds...)
	return s
}

// Ecosystems returns the ecosystems that have packages in the book, without suffix, sorted.
func (b *Book) Ecosystems() []string { return append([]string(nil), b.ecos...) }

// Reading says when a feed's part was read last.
type Reading struct {
	Feed string    `json:"feed"` // "kev", "osv/npm"
	At   time.Time `json:"at"`
}

// Reads returns when each feed's part was read last, by name; feeds of which nobody said it are absent. It is no part of the digest:
// the same records read later are the same book.
func (b *Book) Reads() []Reading { return slices.Clone(b.reads) }

// Verify reads the whole file and compares it with the digest in its header.
func (b *Book) Verify() error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.data == nil {
		return ErrClosed
	}
	return verifyDigest(b.data, b.end, b.snapshot.Digest)
}

// reading runs f while the book cannot be closed.
func (b *Book) reading(f func() error) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.data == nil {
		return ErrClosed
	}
	return f()
}
