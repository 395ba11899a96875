package kb

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy/internal/table"
)

// Builder gathers what a book shall know. It is for one goroutine.
type Builder struct {
	Name string // what stands before "software" in the book's name: "starter"; "" in users' own

	sorter  *table.Sorter
	entries map[string]*draft
	units   []*learned
	have    map[unitKey]*learned
}

// draft is an entry while it is learned.
type draft struct {
	Entry
	whole *learned // unit for what many files of the entry have
	files []*learned
}

// learned is a unit while it is learned.
type learned struct {
	Unit
	draft *draft
	id    uint32 // in the order of learning; the book numbers them anew
}

type unitKey struct {
	entry, path string
	sum         [sha256.Size]byte
}

// Bounds. Sets beyond them are kept as less: see Commit.
const (
	maxUnits   = 4096 // of one set
	maxOfEntry = 24   // units of one entry in a set; more are kept as the whole entry
	maxNames   = 8    // components in a set; a trait of more is common
	TellNames  = 3    // a trait of at most so many components tells something
	maxPath    = 1 << 12
	maxTexts   = 1 << 16
	sortBudget = 512 << 20
)

// hashMask keeps the 48 bits of a trait that a book keeps: enough for a billion of them.
const hashMask = ^uint64(0xffff)

// common is the unit of traits of which only that is known.
const commonUnit = 0xffffffff

// NewBuilder returns an empty builder that sorts in files of folder temp when memory does not do.
func NewBuilder(temp string) *Builder {
	return &Builder{sorter: &table.Sorter{Dir: temp, Budget: sortBudget}, entries: map[string]*draft{}, have: map[unitKey]*learned{}}
}

// Learned is what was read of one file.
type Learned struct {
	Hashes [Indexes][]uint64 // Versions is left empty: Texts say it
	Texts  []string          // texts with something like a version
}

// Learn adds one file of an entry. A file that is known already of that entry adds nothing.
func (b *Builder) Learn(e Entry, u Unit, l Learned) error {
	if e.Name == "" || e.Version == "" {
		return errors.New("learn: a component needs a name and a version")
	}
	u.Path = u.Path[:min(len(u.Path), maxPath)]
	d := b.draft(e)
	k := unitKey{d.key() + "\x00" + d.Version, u.Path, u.SHA256}
	if b.have[k] != nil {
		return nil
	}
	n := b.unit(d, u)
	b.have[k] = n
	d.files = append(d.files, n)
	for x := range l.Hashes {
		for _, h := range l.Hashes[x] {
			if err := b.row(Index(x), h, n.id, 0); err != nil {
				return err
			}
		}
	}
	return b.versions(d, l.Texts[:min(len(l.Texts), maxTexts)])
}

// draft returns the entry that is being learned, and unites what is said of it.
func (b *Builder) draft(e Entry) *draft {
	k := e.key() + "\x00" + e.Version
	d := b.entries[k]
	if d == nil {
		d = &draft{Entry: Entry{Component: e.Component, Version: e.Version}}
		b.entries[k] = d
		d.whole = b.unit(d, Unit{Kind: Whole})
	}
	d.Licenses = unite(d.Licenses, e.Licenses)
	d.Origins = unite(d.Origins, e.Origins)
	d.Contains = unite(d.Contains, e.Contains)
	return d
}

func (b *Builder) unit(d *draft, u Unit) *learned {
	n := &learned{Unit: u, draft: d, id: uint32(len(b.units))}
	b.units = append(b.units, n)
	return n
}

// versions notes for every text that stands before something like a version whether it is this entry's.
func (b *Builder) versions(d *draft, texts []string) (err error) {
	for _, text := range texts {
		VersionsIn(text, func(before, v string) {
			right := byte(0)
			switch {
			case SameVersion(v, d.Version):
				right = 1
			case strings.HasPrefix(v, d.Version+".") || strings.HasPrefix(d.Version, v+"."):
				return // a patch level more or less proves nothing
			}
			err = errors.Join(err, b.row(Versions, VersionTrait(before), d.whole.id, right))
		})
	}
	return err
}

// SameVersion tells whether a version found in a text is an upstream version, which may use other signs between its numbers.
func SameVersion(found, version string) bool {
	plain := strings.NewReplacer("~", "", "-", "", "_", "")
	return strings.EqualFold(plain.Replace(found), plain.Replace(version))
}

func (b *Builder) row(x Index, hash uint64, unit uint32, flag byte) error {
	if !Kept(x, hash) {
		return nil
	}
	var k [14]byte
	k[0] = byte(x)
	binary.BigEndian.PutUint64(k[1:], hash&hashMask)
	binary.BigEndian.PutUint32(k[9:], unit)
	k[13] = flag
	return b.sorter.Add(k[:], nil)
}

// Kept tells whether a book keeps traits of that hash at all: of constants one in four is enough, of classes one in two.
func Kept(x Index, hash uint64) bool {
	switch x {
	case Tables:
		return hash>>62 == 0
	case Classes:
		return hash>>63 == 0
	}
	return true
}

// Close gives up what was gathered.
func (b *Builder) Close() error {
	b.entries, b.units, b.have = nil, nil, nil
	return b.sorter.Close()
}

func unite(a, b []string) []string {
	a = append(a, b...)
	slices.Sort(a)
	return slices.Compact(a)
}

// Import adds all that a book knows.
func (b *Builder) Import(book *Book) error {
	return book.Reading(func() error {
		ids := make([]uint32, len(book.unitOf))
		for i := range ids {
			id, err := b.adopt(book, uint32(i))
			if err != nil {
				return err
			}
			ids[i] = id
		}
		var units []uint32
		for x := range book.indexes {
			err := book.indexes[x].each(func(hash uint64, set uint32) error {
				if set == 0 {
					return b.row(Index(x), hash, commonUnit, 1)
				}
				units = book.Units(Set(set), units[:0])
				for _, u := range units {
					if err := b.row(Index(x), hash, ids[u], 1); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// adopt takes a unit of a book over and returns its number here.
func (b *Builder) adopt(book *Book, unit uint32) (uint32, error) {
	e, err := book.Entry(book.unitOf[unit])
	if err != nil {
		return 0, err
	}
	u := book.Unit(unit)
	d := b.draft(e)
	if u.Kind == Whole {
		return d.whole.id, nil
	}
	k := unitKey{d.key() + "\x00" + d.Version, u.Path, u.SHA256}
	if n := b.have[k]; n != nil {
		return n.id, nil
	}
	n := b.unit(d, u)
	b.have[k] = n
	d.files = append(d.files, n)
	return n.id, nil
}
