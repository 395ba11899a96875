package refdb

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/table"
)

// Bytes of a block before compression: larger ones pack better and are slower to look into. On 51,000 records of OSV, 64 KiB for records
// would save an eighth of the book and take twice the time.
const (
	packageBlock = 16 << 10
	idBlock      = 8 << 10
	recordBlock  = 16 << 10
	exploitBlock = 8 << 10
)

// Commit writes the book beside path and moves it there in one step, so that path is the old book or the new one and never between.
// built is the time the book says it was made at; one that says the same as the book it continues keeps that one's time. The builder is empty afterwards, also after an error.
func (b *Builder) Commit(path string, built time.Time) (book biopsy.Book, err error) {
	defer func() { err = errors.Join(err, b.Close()) }()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return book, fmt.Errorf("write book of advisories: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".refdb-*.tmp")
	if err != nil {
		return book, fmt.Errorf("write book of advisories: %w", err)
	}
	book, err = b.write(f, built)
	if err == nil && b.Stop != nil {
		err = b.Stop()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = errors.Join(os.Rename(f.Name(), path), syncFolder(filepath.Dir(path)))
	}
	if err != nil {
		return biopsy.Book{}, errors.Join(fmt.Errorf("write book of advisories %s: %w", path, err), removeIfThere(f.Name()))
	}
	return book, nil
}

// write fills an empty file: the header last, when all is known.
func (b *Builder) write(f *os.File, built time.Time) (biopsy.Book, error) {
	w := newBookWriter(f, b.temp)
	if _, err := f.Seek(headerSize, io.SeekStart); err != nil {
		return biopsy.Book{}, err
	}
	enc, err := table.NewEncoder()
	if err != nil {
		return biopsy.Book{}, err
	}
	w.enc = enc
	h := &header{Built: built.Unix()}
	err = w.writeTables(b, h)
	if err = errors.Join(err, w.packages.Close(), w.ids.Close(), w.learner.Close()); err != nil {
		return biopsy.Book{}, err
	}
	c := w.contents(b.Name)
	if err := errors.Join(w.writeContents(c, h), w.writeReads(b.reads, h)); err != nil {
		return biopsy.Book{}, err
	}
	if was, err := time.Parse(time.RFC3339, b.old.Built); err == nil && c.snapshot(h).Digest == b.old.Digest {
		h.Built = was.Unix()
	}
	if _, err := f.WriteAt(h.bytes(), 0); err != nil {
		return biopsy.Book{}, err
	}
	// World-readable like any file of the user's: CreateTemp makes it private.
	if err := errors.Join(f.Chmod(0o644), f.Sync()); err != nil {
		return biopsy.Book{}, err
	}
	return c.snapshot(h), nil
}

// bookWriter is the state of one Commit.
type bookWriter struct {
	out      *table.Counter
	buf      *bufio.Writer
	digest   hash.Hash
	enc      *table.Encoder
	groups   *groups
	dates    dates
	learner  *learner
	packages *table.Sorter
	ids      *table.Sorter
	inGroup  []uint32 // records whose id is in a group, ascending
	inIDs    []string // their ids
	feeds    map[string]*biopsy.Snap
	newest   map[string]time.Time
	ecos     map[string]bool
	records  uint32
}

func newBookWriter(f *os.File, temp string) *bookWriter {
	w := &bookWriter{buf: bufio.NewWriterSize(f, 1<<20), digest: sha256.New(), groups: newGroups()}
	w.out = &table.Counter{W: io.MultiWriter(w.buf, w.digest), N: headerSize}
	w.packages = &table.Sorter{Dir: temp, Budget: packageBudget}
	w.ids = &table.Sorter{Dir: temp, Budget: idBudget}
	w.learner, w.dates = newLearner(temp), dates{}
	w.feeds, w.newest, w.ecos = map[string]*biopsy.Snap{}, map[string]time.Time{}, map[string]bool{}
	return w
}

func (w *bookWriter) writeTables(b *Builder, h *header) error {
	if err := w.writeRecords(b, &h.Tables[2]); err != nil {
		return err
	}
	if err := w.writePackages(&h.Tables[0]); err != nil {
		return err
	}
	if err := w.writeIDs(&h.Tables[1]); err != nil {
		return err
	}
	if err := w.writeExploits(b, &h.Tables[3]); err != nil {
		return err
	}
	if err := w.writeSynonyms(b, &h.Tables[4]); err != nil {
		return err
	}
	return w.writeLifecycles(b, &h.Tables[5])
}

// writeRecords writes the records and numbers them, and gathers the rows of packages and ids on the way.
func (w *bookWriter) writeRecords(b *Builder, span *table.Span) error {
	t := table.NewWriter(w.out, recordBlock, w.enc)
	var value []byte
	err := b.eachRecord(func(a *biopsy.Advisory, sources []string) error {
		w.groups.add(a)
		w.dates.add(a)
		for _, s := range sources {
			w.count(s, a.Modified)
		}
		if err := errors.Join(w.gather(a), w.learner.add(a)); err != nil {
			return err
		}
		value = appendRecord(value[:0], a, sources)
		if err := t.Add(recordKey(w.records), value); err != nil {
			return err
		}
		w.records++
		return nil
	})
	if err != nil {
		return err
	}
	w.groups.close()
	*span, err = t.Close()
	return err
}

func (w *bookWriter) count(feed string, at time.Time) {
	s := w.feeds[feed]
	if s == nil {
		s = &biopsy.Snap{Feed: feed}
		w.feeds[feed] = s
	}
	s.Records++
	if at.After(w.newest[feed]) {
		w.newest[feed] = at
	}
}

// gather sorts in the rows of one record.
func (w *bookWriter) gather(a *biopsy.Advisory) error {
	if len(a.Aliases) > 0 {
		w.inGroup, w.inIDs = append(w.inGroup, w.records), append(w.inIDs, strings.Clone(a.ID))
	}
	for _, id := range append(append([]string{a.ID}, a.Aliases...), a.Upstream...) {
		if err := w.ids.Add(append([]byte(idKey(id)), recordKey(w.records)...), nil); err != nil {
			return err
		}
	}
	var value []byte
	for i := range a.Affected {
		value = appendEntryRest(appendEntryHead(value[:0], a.ID, a.Aliases), a, i)
		for _, p := range packagesOf(&a.Affected[i]) {
			w.ecos[eco.Base(p.Ecosystem)] = true
			if err := w.packages.Add(entryKey(nil, eco.Base(p.Ecosystem), p.Name, w.records, i), value); err != nil {
				return err
			}
		}
	}
	return nil
}

// packagesOf says under which ecosystem and name an affected entry is found: its package, or the repositories of its git ranges.
func packagesOf(a *biopsy.Affected) []biopsy.Affected {
	if a.Ecosystem != "" {
		return []biopsy.Affected{{Ecosystem: a.Ecosystem, Name: a.Name}}
	}
	var out []biopsy.Affected
	for _, r := range a.Ranges {
		p := biopsy.Affected{Ecosystem: "GIT", Name: repoName(r.Repo)}
		if r.Repo != "" && !slices.ContainsFunc(out, func(q biopsy.Affected) bool { return q.Name == p.Name }) {
			out = append(out, p)
		}
	}
	return out
}

// writePackages writes the entries, each with the aliases that all records together give it.
func (w *bookWriter) writePackages(span *table.Span) error {
	t := table.NewWriter(w.out, packageBlock, w.enc)
	var out []byte
	err := w.packages.Each(func(key, value []byte) error {
		r := reader{s: string(value)}
		id, own := r.string(), r.strings()
		out = appendEntryHead(out[:0], id, w.groups.of(id, own))
		out = w.dates.complete(out, r, append(own, id))
		return t.Add(key, out)
	})
	if err != nil {
		return err
	}
	*span, err = t.Close()
	return err
}

// writeIDs adds the rows that only the closed groups give, and writes each row once.
func (w *bookWriter) writeIDs(span *table.Span) error {
	for i, record := range w.inGroup {
		for _, alias := range w.groups.of(w.inIDs[i], nil) {
			if err := w.ids.Add(append([]byte(idKey(alias)), recordKey(record)...), nil); err != nil {
				return err
			}
		}
	}
	t := table.NewWriter(w.out, idBlock, w.enc)
	var last string
	err := w.ids.Each(func(key, _ []byte) error {
		if string(key) == last {
			return nil
		}
		last = string(key)
		return t.Add(key, nil)
	})
	if err != nil {
		return err
	}
	*span, err = t.Close()
	return err
}

func (w *bookWriter) writeExploits(b *Builder, span *table.Span) error {
	t := table.NewWriter(w.out, exploitBlock, w.enc)
	var value []byte
	err := b.eachExploit(func(key []byte, e biopsy.Exploit) error {
		if e.KEV {
			w.count("kev", day(e.KEVAdded))
		}
		if e.EPSSDate != "" {
			w.count("epss", day(e.EPSSDate))
		}
		if e.SSVCDate != "" {
			w.count("ssvc", day(e.SSVCDate))
		}
		value = appendExploit(value[:0], e)
		return t.Add(key, value)
	})
	if err != nil {
		return err
	}
	*span, err = t.Close()
	return err
}

// day reads YYYY-MM-DD; the zero time when it is none.
func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

func (w *bookWriter) contents(name string) *contents {
	c := &contents{Name: name, Records: int(w.records), Ecosystems: slices.Sorted(maps.Keys(w.ecos))}
	for _, feed := range slices.Sorted(maps.Keys(w.feeds)) {
		s := *w.feeds[feed]
		if t := w.newest[feed]; !t.IsZero() {
			s.Newest = t.UTC().Format(time.RFC3339)
		}
		c.Feeds = append(c.Feeds, s)
	}
	return c
}

// writeContents writes the last part and completes the header.
func (w *bookWriter) writeContents(c *contents, h *header) error {
	meta, err := json.Marshal(c)
	if err != nil {
		return err
	}
	h.Meta = table.Span{Offset: w.out.N, Size: uint64(len(meta)), CRC: table.CRC(meta)}
	if _, err := w.out.Write(meta); err != nil {
		return err
	}
	w.digest.Sum(h.Digest[:0])
	return nil
}

// writeReads writes what stands behind the digest, and ends the file.
func (w *bookWriter) writeReads(times map[string]time.Time, h *header) error {
	reads := []Reading{}
	for _, feed := range slices.Sorted(maps.Keys(times)) {
		reads = append(reads, Reading{feed, times[feed]})
	}
	text, err := json.Marshal(reads)
	if err != nil {
		return err
	}
	h.Reads = table.Span{Offset: w.out.N, Size: uint64(len(text)), CRC: table.CRC(text)}
	if _, err := w.out.Write(text); err != nil {
		return err
	}
	h.Size = w.out.N
	return w.buf.Flush()
}

// syncFolder makes a rename last through a power cut. Systems that cannot sync a folder say so by an error that is no failure.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, os.ErrInvalid) {
		return errors.Join(err, d.Close())
	}
	return d.Close()
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
