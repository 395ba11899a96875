package refdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/table"
)

// Bounds of one lifecycle. The longest known, of browsers, have under 400 cycles.
const (
	maxCycles = 1 << 16
	maxNames  = 1 << 12
)

// Lifecycle adds a product's cycles. One of the same product and source is replaced by the one modified later, and one of the old
// book by one that comes now.
func (b *Builder) Lifecycle(l biopsy.Lifecycle) error { return b.lifecycle(l, fresh) }

func (b *Builder) lifecycle(l biopsy.Lifecycle, g generation) error {
	switch {
	case badName(l.Product):
		return fmt.Errorf("%w: product %s is empty, too long or not printable", ErrRecord, quote(l.Product))
	case badName(l.Source):
		return fmt.Errorf("%w: lifecycle of %s says no feed", ErrRecord, quote(l.Product))
	case len(l.Cycles) > maxCycles || len(l.Names) > maxNames:
		return fmt.Errorf("%w: %s has %d cycles and %d names", ErrRecord, quote(l.Product), len(l.Cycles), len(l.Names))
	}
	for _, n := range l.Names {
		if badName(n) {
			return fmt.Errorf("%w: %s is called %s", ErrRecord, quote(l.Product), quote(n))
		}
	}
	if err := b.start(); err != nil {
		return err
	}
	b.buf = appendLifecycle(append(b.buf[:0], byte(g)), &l)
	if len(b.buf) > table.MaxValue {
		return fmt.Errorf("%w: lifecycle of %s takes %d bytes", ErrRecord, quote(l.Product), len(b.buf))
	}
	return b.lifecycles.Add(lifecycleKey(&l), b.buf)
}

// eachLifecycle yields the lifecycles that stay, in order of product and source.
func (b *Builder) eachLifecycle(yield func(l *biopsy.Lifecycle) error) error {
	if b.temp == "" {
		return nil
	}
	var key []byte
	var best biopsy.Lifecycle
	err := b.lifecycles.Each(func(k, v []byte) error {
		r := reader{s: string(v)}
		g := generation(r.byte() & 1)
		l := r.lifecycle()
		if err := r.err(); err != nil {
			return err
		}
		if !bytes.Equal(k, key) {
			if key != nil {
				if err := yield(&best); err != nil {
					return err
				}
			}
			key, best = append(key[:0:0], k...), l
		} else if g == fresh && l.Modified == "" || l.Modified >= best.Modified { // the old book's comes first
			best = l
		}
		return nil
	})
	if err != nil || key == nil {
		return err
	}
	return yield(&best)
}

// Rows of lifecycles: the lifecycles themselves, and the way to them from each of their names.
const (
	lifecycleRow = "l\x00"
	nameRow      = "n\x00"
)

func (w *bookWriter) writeLifecycles(b *Builder, span *table.Span) error {
	rows := &table.Sorter{Dir: b.temp, Budget: idBudget}
	defer rows.Close()
	var value []byte
	err := b.eachLifecycle(func(l *biopsy.Lifecycle) error {
		w.count(l.Source, day(l.Modified))
		value = appendLifecycle(value[:0], l)
		key := lifecycleKey(l)
		if err := rows.Add(append([]byte(lifecycleRow), key...), value); err != nil {
			return err
		}
		for _, n := range append([]string{l.Product}, l.Names...) {
			if err := rows.Add([]byte(nameRow+strings.ToLower(n)+"\x00"+string(key)), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	t := table.NewWriter(w.out, recordBlock, w.enc)
	var last string
	err = rows.Each(func(key, value []byte) error {
		if string(key) == last { // a product that names itself
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

// Lifecycles yields every lifecycle in order of product and source. yield must not use the book.
func (b *Book) Lifecycles(yield func(biopsy.Lifecycle) error) error {
	return b.reading(func() error {
		return b.lifecycles.Prefix(lifecycleRow, func(_, value []byte) error {
			r := reader{s: string(value)}
			l := r.lifecycle()
			if err := r.err(); err != nil {
				return err
			}
			return yield(l)
		})
	})
}

// Lifecycle returns the lifecycles of what has this name, in order of product and source: a purl without version, a CPE 2.3 vendor and
// product ("cpe:2.3:o:debian:debian_linux"), or the source's own name ("debian"). Case does not matter; none is not an error.
func (b *Book) Lifecycle(name string) ([]biopsy.Lifecycle, error) {
	var out []biopsy.Lifecycle
	err := b.reading(func() error {
		var keys []string
		prefix := nameRow + strings.ToLower(name) + "\x00"
		err := b.lifecycles.Prefix(prefix, func(key, _ []byte) error {
			keys = append(keys, lifecycleRow+string(key[len(prefix):]))
			return nil
		})
		if err != nil {
			return err
		}
		for _, k := range keys {
			err := b.lifecycles.Prefix(k, func(_, value []byte) error {
				r := reader{s: string(value)}
				out = append(out, r.lifecycle())
				return r.err()
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func lifecycleKey(l *biopsy.Lifecycle) []byte {
	return []byte(strings.ToLower(l.Product) + "\x00" + l.Source + "\x00")
}

func appendLifecycle(b []byte, l *biopsy.Lifecycle) []byte {
	b = appendStrings(appendString(appendString(b, l.Product), l.Label), l.Names)
	b = appendString(appendString(appendString(b, l.Source), l.URL), l.Modified)
	b = binary.AppendUvarint(b, uint64(len(l.Cycles)))
	for i := range l.Cycles {
		b = appendCycle(b, &l.Cycles[i])
	}
	return b
}

func appendCycle(b []byte, c *biopsy.Cycle) []byte {
	flags := byte(c.Ended)
	if c.LTS {
		flags |= 4
	}
	b = appendString(appendString(append(b, flags), c.Name), c.Codename)
	b = appendString(appendString(appendString(b, c.Released), c.ActiveEnd), c.End)
	return appendString(appendString(b, c.ExtendedEnd), c.Latest)
}

func (r *reader) lifecycle() biopsy.Lifecycle {
	l := biopsy.Lifecycle{Product: r.string(), Label: r.string(), Names: r.strings(), Source: r.string(), URL: r.string(), Modified: r.string()}
	l.Cycles = list(r, 8, r.cycle)
	return l
}

func (r *reader) cycle() biopsy.Cycle {
	flags := r.byte()
	ended := biopsy.Answer(flags & 3)
	if ended > biopsy.Yes || flags > 7 {
		r.fail()
		return biopsy.Cycle{}
	}
	return biopsy.Cycle{
		Name: r.string(), Codename: r.string(), Released: r.string(), ActiveEnd: r.string(), End: r.string(), ExtendedEnd: r.string(),
		Ended: ended, LTS: flags&4 != 0, Latest: r.string(),
	}
}
