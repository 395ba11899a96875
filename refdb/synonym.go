package refdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/table"
)

// NamesPart begins the name of the part of the book that holds a feed's synonyms: "names/nvd".
const NamesPart = "names/"

// Synonym adds that two names are of one software. Pairs that several records name are joined and their records added up; both
// directions are found. A name that is empty, too long or its own double is a bad record.
func (b *Builder) Synonym(s biopsy.Synonym) error { return b.synonym(s, fresh) }

func (b *Builder) synonym(s biopsy.Synonym, g generation) error {
	switch {
	case badName(s.Name) || badName(s.Same) || strings.EqualFold(s.Name, s.Same):
		return fmt.Errorf("%w: %s and %s are no pair of names", ErrRecord, quote(s.Name), quote(s.Same))
	case badName(s.Source) || s.Records < 0:
		return fmt.Errorf("%w: the synonym %s says no feed, or fewer than no records", ErrRecord, quote(s.Name))
	}
	if strings.ToLower(s.Name) > strings.ToLower(s.Same) {
		s.Name, s.Same = s.Same, s.Name
	}
	if err := b.start(); err != nil {
		return err
	}
	b.buf = appendSynonym(append(b.buf[:0], byte(g)), s)
	return b.synonyms.Add(synonymKey(s), b.buf)
}

func badName(s string) bool {
	return s == "" || len(s) > maxName || strings.ContainsFunc(s, isControl)
}

// eachSynonym yields every pair once for each source, in order. Of a pair that was in the old book and came again the larger number
// of records counts: the same files may have been read twice.
func (b *Builder) eachSynonym(yield func(s biopsy.Synonym) error) error {
	if b.temp == "" {
		return nil
	}
	var key []byte
	var pair biopsy.Synonym
	var records [2]int // by generation
	flush := func() error {
		if key == nil {
			return nil
		}
		pair.Records = max(records[carried], records[fresh])
		return yield(pair)
	}
	err := b.synonyms.Each(func(k, v []byte) error {
		g, s, err := decodeSynonymRow(v)
		if err != nil {
			return err
		}
		if !bytes.Equal(k, key) {
			if err := flush(); err != nil {
				return err
			}
			key, pair, records = append(key[:0:0], k...), s, [2]int{}
		}
		records[g] += s.Records
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// writeSynonyms writes each pair under both of its names.
func (w *bookWriter) writeSynonyms(b *Builder, span *table.Span) error {
	both := &table.Sorter{Dir: b.temp, Budget: idBudget}
	defer both.Close()
	add := func(s biopsy.Synonym) error {
		if badName(s.Name) || badName(s.Same) || len(s.Source) == 0 { // learned of a name that no key can hold
			return nil
		}
		w.count(NamesPart+s.Source, time.Time{})
		if err := both.Add(synonymKey(s), appendSynonym(nil, s)); err != nil {
			return err
		}
		s.Name, s.Same = s.Same, s.Name
		return both.Add(synonymKey(s), appendSynonym(nil, s))
	}
	if err := b.eachSynonym(add); err != nil {
		return err
	}
	if err := w.learner.learn(w.groups, add); err != nil {
		return err
	}
	t := table.NewWriter(w.out, idBlock, w.enc)
	var last string
	err := both.Each(func(key, value []byte) error {
		if string(key) == last { // learned of two spellings
			return nil
		}
		last = string(key)
		return t.Add(key, value)
	})
	if err != nil {
		return err
	}
	*span, err = t.Close()
	return err
}

// Synonyms returns the other names of the software that has this one: a purl without version, a CPE 2.3 vendor and product
// ("cpe:2.3:a:openssl:openssl"), or a repository ("github.com/openssl/openssl"). Name is as asked for, in order of the other name
// and the source; none is not an error. Case does not matter. Only pairs somebody states or that were learned come back, not
// synonyms of synonyms.
func (b *Book) Synonyms(name string) ([]biopsy.Synonym, error) {
	var out []biopsy.Synonym
	err := b.reading(func() error {
		return b.synonyms.Prefix(strings.ToLower(name)+"\x00", func(_, value []byte) error {
			r := reader{s: string(value)}
			out = append(out, r.synonym())
			return r.err()
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// EachSynonym yields every pair once for each source, in the order of the lesser name. yield must not use the book.
func (b *Book) EachSynonym(yield func(biopsy.Synonym) error) error {
	return b.reading(func() error {
		return b.synonyms.Prefix("", func(_, value []byte) error {
			r := reader{s: string(value)}
			s := r.synonym()
			if err := r.err(); err != nil || strings.ToLower(s.Name) > strings.ToLower(s.Same) {
				return err
			}
			return yield(s)
		})
	})
}

func synonymKey(s biopsy.Synonym) []byte {
	return []byte(strings.ToLower(s.Name) + "\x00" + strings.ToLower(s.Same) + "\x00" + s.Source)
}

func appendSynonym(b []byte, s biopsy.Synonym) []byte {
	b = appendString(appendString(appendString(b, s.Name), s.Same), s.Source)
	return binary.AppendUvarint(b, uint64(s.Records))
}

func (r *reader) synonym() biopsy.Synonym {
	return biopsy.Synonym{Name: r.string(), Same: r.string(), Source: r.string(), Records: int(r.uvarint() & maxRecords)}
}

// maxRecords bounds a number of records that was read, so that adding them up never overflows.
const maxRecords = 1<<31 - 1

func decodeSynonymRow(value []byte) (generation, biopsy.Synonym, error) {
	r := reader{s: string(value)}
	g := generation(r.byte() & 1)
	s := r.synonym()
	return g, s, r.err()
}
