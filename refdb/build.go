package refdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/cvss"
	"github.com/biopsy-sca/biopsy/internal/table"
)

// Builder gathers records and writes a book. It keeps little in memory and the rest in sorted runs on disk, and is used by one
// goroutine at a time. The same records give the same bytes, in whatever order they come.
type Builder struct {
	Name string       // of the book: "advisories" unless set
	Stop func() error // asked before the new book takes the old one's place; an error keeps the old one. nil never stops

	dir      string // where the runs' folder is made; "" is the system's folder for temporary files
	temp     string // the runs' folder; "" until the first record
	records  *table.Sorter
	exploits *table.Sorter
	buf, key []byte

	synonyms, lifecycles *table.Sorter

	reads    map[string]time.Time // by feed
	replaced map[string]bool      // parts whose records in the old book do not count
	old      biopsy.Book          // that it continues; zero when none
}

// generation tells what came out of the old book from what a feed brings now. It stands before a row's value while rows are gathered.
type generation byte

const (
	carried generation = iota
	fresh
)

// ErrRecord is wrapped by what Advisory and Exploit return for a record that no book can hold. The builder is as it was before.
var ErrRecord = errors.New("bad record")

// Memory that a build may take: for records and exploits while they come in, and for each table's rows while it is written.
const (
	recordBudget  = 32 << 20
	exploitBudget = 8 << 20
	synonymBudget = 8 << 20
	packageBudget = 32 << 20
	idBudget      = 8 << 20
)

// Bounds of one record. OSV's largest, of the Linux kernel, has under a hundred packages of a few thousand versions.
const (
	maxID       = 256
	maxName     = 1024
	maxAffected = 1<<16 - 1
)

// NewBuilder returns a builder that keeps its runs in a folder of its own inside dir ("" is the system's folder for temporary files).
func NewBuilder(dir string) *Builder { return &Builder{Name: "advisories", dir: dir} }

// NewBuilderFrom returns a builder that holds all of book but what came by the feeds to drop: "kev", "osv/npm", or "osv" for every
// ecosystem of it. Its runs go where the book's file is. Drop what is about to be imported again: records that the feed has
// deleted vanish only so.
func NewBuilderFrom(book *Book, dropFeeds ...string) (*Builder, error) {
	b := NewBuilder(book.dir)
	b.Name, b.old = book.snapshot.Name, book.snapshot
	for _, r := range book.reads {
		if !dropped(r.Feed, dropFeeds) {
			b.Read(r.Feed, r.At)
		}
	}
	err := book.each(func(a biopsy.Advisory, sources []string) error {
		sources = slices.DeleteFunc(slices.Clone(sources), func(s string) bool { return dropped(s, dropFeeds) })
		if len(sources) == 0 {
			return nil
		}
		return b.add(&a, sources, carried)
	})
	if err == nil {
		err = b.takeNames(book, dropFeeds)
	}
	if err == nil {
		err = book.Exploits(func(cve string, e biopsy.Exploit) error {
			if dropped("kev", dropFeeds) {
				e.KEV, e.KEVAdded, e.KEVDue, e.KEVAction, e.Ransomware = false, "", "", "", false
			}
			if dropped("epss", dropFeeds) {
				e.EPSS, e.Percentile, e.EPSSDate = 0, 0, ""
			}
			if dropped("cve", dropFeeds) {
				e.Maturity, e.Automatable, e.Impact, e.SSVCDate = "", "", "", ""
			}
			return b.Exploit(cve, e)
		})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take over the old book: %w", err), b.Close())
	}
	return b, nil
}

// takeNames takes over synonyms and lifecycles; what was learned is learned again.
func (b *Builder) takeNames(book *Book, dropFeeds []string) error {
	err := book.EachSynonym(func(s biopsy.Synonym) error {
		if s.Source == Learned || dropped(s.Source, dropFeeds) {
			return nil
		}
		return b.synonym(s, carried)
	})
	if err != nil {
		return err
	}
	return book.Lifecycles(func(l biopsy.Lifecycle) error {
		if dropped(l.Source, dropFeeds) {
			return nil
		}
		return b.lifecycle(l, carried)
	})
}

// Learned is the source of synonyms that the builder found by itself: two names of one hole in many records.
const Learned = "learned"

func dropped(source string, feeds []string) bool {
	return slices.ContainsFunc(feeds, func(f string) bool { return source == f || strings.HasPrefix(source, f+"/") })
}

// Advisory adds a record. Source must say the feed. A record of the same id and the same feed family ("osv" of "osv/npm") is
// replaced by the one modified later. Scores are computed from vectors; a vector that is none keeps score 0.
func (b *Builder) Advisory(a biopsy.Advisory) error {
	switch {
	case a.ID == "" || len(a.ID) > maxID || strings.ContainsFunc(a.ID, isControl):
		return fmt.Errorf("%w: id %s is empty, too long or not printable", ErrRecord, quote(a.ID))
	case a.Source == "":
		return fmt.Errorf("%w: %s says no feed", ErrRecord, quote(a.ID))
	case len(a.Affected) > maxAffected:
		return fmt.Errorf("%w: %s has %d packages", ErrRecord, quote(a.ID), len(a.Affected))
	}
	for i := range a.Affected {
		if p := &a.Affected[i]; len(p.Name) > maxName || strings.ContainsFunc(p.Ecosystem+p.Name, isControl) {
			return fmt.Errorf("%w: %s names package %s, which is too long or not printable", ErrRecord, quote(a.ID), quote(p.Name))
		}
	}
	a.Severity = slices.Clone(a.Severity)
	for i := range a.Severity {
		a.Severity[i] = scored(a.Severity[i], a.ID)
	}
	a.Aliases = idList(a.Aliases, a.ID)
	a.Upstream = idList(a.Upstream, a.ID)
	return b.add(&a, []string{a.Source}, fresh)
}

// Read notes that what the book holds of a feed was what the feed said at that time.
func (b *Builder) Read(feed string, at time.Time) {
	if b.reads == nil {
		b.reads = map[string]time.Time{}
	}
	b.reads[feed] = at.UTC().Truncate(time.Second)
}

// Replace says that what the builder is given of a part ("osv/npm") is all there is of it: records of the old book that did not come again
// vanish.
func (b *Builder) Replace(source string) {
	if b.replaced == nil {
		b.replaced = map[string]bool{}
	}
	b.replaced[source] = true
}

// add spills a record under its id and feed family.
func (b *Builder) add(a *biopsy.Advisory, sources []string, g generation) error {
	if err := b.start(); err != nil {
		return err
	}
	family := familyOf(sources[0])
	b.key = append(append(append(append(b.key[:0], a.ID...), 0), family...), 0)
	b.buf = appendRecord(append(b.buf[:0], byte(g)), a, sources)
	if len(b.buf) > table.MaxValue {
		return fmt.Errorf("%w: %s takes %d bytes", ErrRecord, quote(a.ID), len(b.buf))
	}
	return b.records.Add(b.key, b.buf)
}

// familyOf is whose ids are one name space: all parts of OSV and the like; of CSAF each part, for its ids are only the publisher's own.
func familyOf(source string) string {
	family, _, _ := strings.Cut(source, "/")
	if family == "csaf" {
		return source
	}
	return family
}

// Exploit adds what a feed knows of a CVE; what KEV and what EPSS know is joined, and of each the newer stays.
func (b *Builder) Exploit(cve string, e biopsy.Exploit) error {
	if cve == "" || len(cve) > maxID || strings.ContainsFunc(cve, isControl) {
		return fmt.Errorf("%w: CVE id %s is empty, too long or not printable", ErrRecord, quote(cve))
	}
	if !e.KEV && e.EPSSDate == "" && e.SSVCDate == "" {
		return nil
	}
	if err := b.start(); err != nil {
		return err
	}
	b.buf = appendExploit(b.buf[:0], e)
	return b.exploits.Add([]byte(idKey(cve)), b.buf)
}

// Close removes what the builder keeps on disk. Commit does so by itself; a build that is given up must call it.
func (b *Builder) Close() error {
	if b.temp == "" {
		return nil
	}
	err := errors.Join(b.records.Close(), b.exploits.Close(), b.synonyms.Close(), b.lifecycles.Close(), os.RemoveAll(b.temp))
	b.temp = ""
	return err
}

func (b *Builder) start() error {
	if b.temp != "" {
		return nil
	}
	temp, err := os.MkdirTemp(b.dir, ".refdb-build-*")
	if err != nil {
		return fmt.Errorf("build book of advisories: %w", err)
	}
	b.temp = temp
	b.records = &table.Sorter{Dir: temp, Budget: recordBudget}
	b.exploits = &table.Sorter{Dir: temp, Budget: exploitBudget}
	b.synonyms = &table.Sorter{Dir: temp, Budget: synonymBudget}
	b.lifecycles = &table.Sorter{Dir: temp, Budget: synonymBudget}
	return nil
}

func scored(s biopsy.Severity, id string) biopsy.Severity {
	if s.Source == "" {
		s.Source = id
	}
	if strings.HasPrefix(s.Type, "CVSS") {
		s.Score = 0
		if score, err := cvss.Score(s.Vector); err == nil {
			s.Score = score
		}
	}
	return s
}

// idList sorts ids, and drops doubles, the record's own, and what cannot be an id.
func idList(ids []string, own string) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if id != "" && len(id) <= maxID && !strings.EqualFold(id, own) && !strings.ContainsFunc(id, isControl) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// eachRecord yields the records that stay, in order of id and feed family: of several of one key the one modified last, with the
// feeds of all of them. Where a feed gives no time of change, what came now stays, not what was in the old book.
func (b *Builder) eachRecord(yield func(a *biopsy.Advisory, sources []string) error) error {
	if b.temp == "" {
		return nil
	}
	var key, best []byte
	var sources []string
	var newest time.Time
	flush := func() error {
		if key == nil {
			return nil
		}
		a, _, err := decodeRecord(best)
		if err != nil {
			return err
		}
		slices.Sort(sources)
		sources = slices.Compact(sources)
		a.Source = sources[0]
		return yield(&a, sources)
	}
	err := b.records.Each(func(k, v []byte) error {
		if len(v) == 0 {
			return errRow
		}
		g := generation(v[0])
		v = v[1:]
		a, from, err := decodeRecord(v)
		if err != nil {
			return err
		}
		if g == carried && len(b.replaced) > 0 {
			from = slices.DeleteFunc(from, func(s string) bool { return b.replaced[s] })
			if len(from) == 0 {
				return nil
			}
		}
		if !bytes.Equal(k, key) {
			if err := flush(); err != nil {
				return err
			}
			key, best, sources, newest = append(key[:0:0], k...), best[:0], nil, time.Time{}
		}
		sources = append(sources, from...)
		if len(best) == 0 || !a.Modified.Before(newest) || g == fresh && a.Modified.IsZero() { // the old book's comes first
			best, newest = append(best[:0], v...), a.Modified
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// eachExploit yields what is known of each CVE, joined.
func (b *Builder) eachExploit(yield func(key []byte, e biopsy.Exploit) error) error {
	if b.temp == "" {
		return nil
	}
	var key []byte
	var all biopsy.Exploit
	err := b.exploits.Each(func(k, v []byte) error {
		e, err := decodeExploit(v)
		if err != nil {
			return err
		}
		if !bytes.Equal(k, key) {
			if key != nil {
				if err := yield(key, all); err != nil {
					return err
				}
			}
			key, all = append(key[:0:0], k...), biopsy.Exploit{}
		}
		all = joinExploit(all, e)
		return nil
	})
	if err != nil || key == nil {
		return err
	}
	return yield(key, all)
}

// joinExploit takes KEV's, EPSS's and SSVC's part from whichever is newer.
func joinExploit(a, b biopsy.Exploit) biopsy.Exploit {
	if b.KEV && (!a.KEV || b.KEVAdded >= a.KEVAdded) {
		a.KEV, a.KEVAdded, a.KEVDue, a.KEVAction, a.Ransomware = true, b.KEVAdded, b.KEVDue, b.KEVAction, b.Ransomware
	}
	if b.EPSSDate > a.EPSSDate || b.EPSSDate == a.EPSSDate && b.EPSS > a.EPSS {
		a.EPSS, a.Percentile, a.EPSSDate = b.EPSS, b.Percentile, b.EPSSDate
	}
	if b.SSVCDate >= a.SSVCDate && b.SSVCDate != "" {
		a.Maturity, a.Automatable, a.Impact, a.SSVCDate = b.Maturity, b.Automatable, b.Impact, b.SSVCDate
	}
	return a
}

// entryKey is a row's key in the table of packages.
func entryKey(b []byte, ecosystem, name string, record uint32, i int) []byte {
	b = append(b, packageKey(ecosystem, name)...)
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(b, record), uint16(i))
}
