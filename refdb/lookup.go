package refdb

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// Entry is one package of one advisory: all that is needed to decide whether a version is affected. Advisory has the rest.
type Entry struct {
	ID        string
	Aliases   []string // other ids of the same hole by the word of any record, sorted, without ID
	Upstream  []string // holes that the record is a notice of: a distribution's advisory names its CVEs here
	Source    string   // feed of the record: "osv/Debian"
	Published time.Time
	Modified  time.Time
	Withdrawn time.Time // zero when the record stands
	Affected  biopsy.Affected
	Severity  []biopsy.Severity // of this package, where the record tells packages apart
}

// Package returns the entries on a package in order of id, source and place in the record; none is not an error. ecosystem is
// OSV's name without suffix ("Debian", not "Debian:12"): each entry's Affected.Ecosystem has it. The name is normalised here. Git
// ranges without a package are found under ecosystem "GIT" and the repository's address without scheme and ".git".
func (b *Book) Package(ecosystem, name string) ([]Entry, error) {
	var out []Entry
	prefix := packageKey(ecosystem, name)
	err := b.reading(func() error {
		return b.packages.Prefix(prefix, func(_, value []byte) error {
			e, err := decodeEntry(value)
			out = append(out, e)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Names returns the packages of an ecosystem whose names begin so, as look-ups spell them, at most max, in order.
func (b *Book) Names(ecosystem, beginning string, max int) ([]string, error) {
	base := eco.Base(ecosystem)
	start := strings.ToLower(base) + "\x00"
	var out []string
	err := b.reading(func() error {
		return b.packages.Prefix(start+normalizeName(base, beginning), func(key, _ []byte) error {
			name, _, _ := strings.Cut(string(key[len(start):]), "\x00")
			if n := len(out); n > 0 && out[n-1] == name {
				return nil
			}
			if len(out) == max {
				return errFound
			}
			out = append(out, name)
			return nil
		})
	})
	if err != nil && err != errFound {
		return nil, err
	}
	return out, nil
}

// Advisory returns the whole record of that id, of any case; false when no feed has it. Of several feeds' records the one modified
// last comes back: Lookup returns all.
func (b *Book) Advisory(id string) (biopsy.Advisory, bool, error) {
	all, err := b.Lookup(id)
	if err != nil {
		return biopsy.Advisory{}, false, err
	}
	var best biopsy.Advisory
	for _, a := range all {
		if strings.EqualFold(a.ID, id) && (best.ID == "" || a.Modified.After(best.Modified)) {
			best = a
		}
	}
	return best, best.ID != "", nil
}

// Lookup returns all records of that id, those that have it as an alias by the word of any record, and those that name it as
// upstream, in order of id and source. Case does not matter; none is not an error.
func (b *Book) Lookup(idOrAlias string) ([]biopsy.Advisory, error) {
	var out []biopsy.Advisory
	err := b.reading(func() error {
		numbers, err := b.numbers(idOrAlias)
		if err != nil {
			return err
		}
		for _, n := range numbers {
			a, err := b.record(n)
			if err != nil {
				return err
			}
			out = append(out, a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (b *Book) numbers(id string) ([]uint32, error) {
	prefix := idKey(id)
	var out []uint32
	err := b.ids.Prefix(prefix, func(key, _ []byte) error {
		if len(key) != len(prefix)+4 {
			return errRow
		}
		out = append(out, binary.BigEndian.Uint32(key[len(prefix):]))
		return nil
	})
	return out, err
}

// errRow means that a row has another shape than its table's.
var errRow = errors.New("damaged book of advisories: a row has the wrong shape")

// errFound ends a walk early.
var errFound = errors.New("found")

func (b *Book) record(number uint32) (a biopsy.Advisory, err error) {
	found := errRow
	err = b.records.Prefix(string(recordKey(number)), func(_, value []byte) error {
		if a, _, found = decodeRecord(value); found != nil {
			return found
		}
		return errFound
	})
	if err == errFound {
		return a, nil
	}
	return biopsy.Advisory{}, errors.Join(err, found)
}

// Exploit returns what KEV and EPSS know of a CVE; false when neither knows it.
func (b *Book) Exploit(cve string) (e biopsy.Exploit, ok bool, err error) {
	err = b.reading(func() error {
		return b.exploits.Prefix(idKey(cve), func(_, value []byte) error {
			ok = true
			e, err = decodeExploit(value)
			return err
		})
	})
	if err != nil {
		return biopsy.Exploit{}, false, err
	}
	return e, ok, nil
}

// All yields every record in order of id and source, until yield returns an error, which comes back. yield must not use
// the book.
func (b *Book) All(yield func(biopsy.Advisory) error) error {
	return b.each(func(a biopsy.Advisory, _ []string) error { return yield(a) })
}

// each yields every record with all the feeds that brought it.
func (b *Book) each(yield func(a biopsy.Advisory, sources []string) error) error {
	return b.reading(func() error {
		return b.records.Prefix("", func(_, value []byte) error {
			a, sources, err := decodeRecord(value)
			if err != nil {
				return err
			}
			return yield(a, sources)
		})
	})
}

// Exploits yields what is known of every CVE, in order of the id's letters. yield must not use the book.
func (b *Book) Exploits(yield func(cve string, e biopsy.Exploit) error) error {
	return b.reading(func() error {
		return b.exploits.Prefix("", func(key, value []byte) error {
			e, err := decodeExploit(value)
			if err != nil {
				return err
			}
			return yield(strings.ToUpper(strings.TrimSuffix(string(key), "\x00")), e)
		})
	})
}

// Keys. Parts end in a zero byte, which no name or id has; numbers are big-endian, so that they sort.

func packageKey(ecosystem, name string) string {
	base := eco.Base(ecosystem)
	return strings.ToLower(base) + "\x00" + normalizeName(base, name) + "\x00"
}

func idKey(id string) string { return strings.ToLower(id) + "\x00" }

func recordKey(number uint32) []byte { return binary.BigEndian.AppendUint32(nil, number) }

// entryAliases is the part of an entry that is only known when all records are read. It is written before the rest.
func appendEntryHead(b []byte, id string, aliases []string) []byte {
	return appendStrings(appendString(b, id), aliases)
}

func appendEntryRest(b []byte, a *biopsy.Advisory, i int) []byte {
	b = appendString(appendStrings(b, a.Upstream), a.Source)
	b = appendTime(appendTime(appendTime(b, a.Published), a.Modified), a.Withdrawn)
	return appendSeverities(appendAffected(b, &a.Affected[i]), packageSeverity(a, i))
}

func decodeEntry(value []byte) (Entry, error) {
	r := reader{s: string(value)}
	e := Entry{ID: r.string(), Aliases: r.strings(), Upstream: r.strings(), Source: r.string()}
	e.Published, e.Modified, e.Withdrawn = r.time(), r.time(), r.time()
	e.Affected = r.affected()
	e.Severity = r.severities()
	return e, r.err()
}

// packageSeverity picks the severities that the i-th package's "severity" names, by vector; all of the record's when it has none.
func packageSeverity(a *biopsy.Advisory, i int) []biopsy.Severity {
	own := a.Affected[i].Extra["severity"]
	if own == "" {
		return a.Severity
	}
	vectors := strings.Fields(own)
	return slices.DeleteFunc(slices.Clone(a.Severity), func(s biopsy.Severity) bool {
		return s.Type != "word" && !slices.Contains(vectors, s.Vector)
	})
}
