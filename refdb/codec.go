package refdb

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/table"
)

// Values are written as uvarints, and strings with their length before them. Lists have their count before them; maps are lists of
// key and value, sorted by key. A time is 0 when unknown, else 1, Unix seconds (zigzag), nanoseconds.

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

func appendMap(b []byte, m map[string]string) []byte {
	b = binary.AppendUvarint(b, uint64(len(m)))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		b = appendString(appendString(b, k), m[k])
	}
	return b
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	b = binary.AppendVarint(append(b, 1), t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond()))
}

func appendSeverities(b []byte, list []biopsy.Severity) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendString(appendString(b, s.Type), s.Vector)
		b = binary.AppendUvarint(b, uint64(math.Round(s.Score*10)))
		b = appendString(b, s.Source)
	}
	return b
}

// Kinds of event, as written.
const (
	introduced = iota
	fixed
	lastAffected
	limit
)

func appendEvent(b []byte, e biopsy.Event) []byte {
	switch {
	case e.Introduced != "":
		return appendString(append(b, introduced), e.Introduced)
	case e.Fixed != "":
		return appendString(append(b, fixed), e.Fixed)
	case e.LastAffected != "":
		return appendString(append(b, lastAffected), e.LastAffected)
	}
	return appendString(append(b, limit), e.Limit)
}

func appendAffected(b []byte, a *biopsy.Affected) []byte {
	b = appendString(appendString(appendString(b, a.Ecosystem), a.Name), a.Purl)
	b = binary.AppendUvarint(b, uint64(len(a.Ranges)))
	for _, r := range a.Ranges {
		b = appendString(appendString(b, r.Type), r.Repo)
		b = binary.AppendUvarint(b, uint64(len(r.Events)))
		for _, e := range r.Events {
			b = appendEvent(b, e)
		}
	}
	b = appendStrings(b, a.Versions)
	b = appendString(appendString(appendString(b, string(a.Status)), a.Why), a.CPE)
	b = appendStrings(appendStrings(appendStrings(b, a.Platforms), a.Files), a.Symbols)
	return appendMap(b, a.Extra)
}

func appendAdvisory(b []byte, a *biopsy.Advisory) []byte {
	b = appendStrings(appendStrings(appendString(b, a.ID), a.Aliases), a.Upstream)
	b = appendTime(appendTime(appendTime(b, a.Published), a.Modified), a.Withdrawn)
	b = appendString(appendString(b, a.Summary), a.Details)
	b = appendSeverities(b, a.Severity)
	b = binary.AppendUvarint(b, uint64(len(a.References)))
	for _, r := range a.References {
		b = appendString(appendString(b, r.Type), r.URL)
	}
	b = appendMap(b, a.Extra)
	b = binary.AppendUvarint(b, uint64(len(a.Affected)))
	for i := range a.Affected {
		b = appendAffected(b, &a.Affected[i])
	}
	return b
}

// appendRecord writes an advisory and all the feeds that brought it; the first of them is its Source.
func appendRecord(b []byte, a *biopsy.Advisory, sources []string) []byte {
	return appendAdvisory(appendStrings(b, sources), a)
}

func appendExploit(b []byte, e biopsy.Exploit) []byte {
	var flags byte
	if e.KEV {
		flags |= 1
	}
	if e.Ransomware {
		flags |= 2
	}
	if e.SSVCDate != "" {
		flags |= 4
	}
	b = append(b, flags)
	if e.KEV {
		b = appendString(appendString(appendString(b, e.KEVAdded), e.KEVDue), e.KEVAction)
	}
	b = appendString(b, e.EPSSDate)
	if e.EPSSDate != "" {
		b = appendDecimal(appendDecimal(b, e.EPSS), e.Percentile)
	}
	if e.SSVCDate != "" {
		b = appendString(appendString(appendString(appendString(b, e.SSVCDate), e.Maturity), e.Automatable), e.Impact)
	}
	return b
}

// appendDecimal writes a number between 0 and 1 exactly: digits behind the point and the digits as a number, or 255 and the bits.
func appendDecimal(b []byte, f float64) []byte {
	if f >= 0 && f <= 1 {
		pow := 1.0
		for digits := range byte(10) {
			if n := math.Round(f * pow); n/pow == f {
				return binary.AppendUvarint(append(b, digits), uint64(n))
			}
			pow *= 10
		}
	}
	return binary.LittleEndian.AppendUint64(append(b, 255), math.Float64bits(f))
}

// reader takes values off a string. After the first that does not fit, bad is set and all later ones are zero. Strings it returns
// share the memory of the whole.
type reader struct {
	s   string
	bad bool
}

func (r *reader) err() error {
	switch {
	case r.bad:
		return fmt.Errorf("%w: a value runs out of its row", table.ErrDamaged)
	case r.s != "":
		return fmt.Errorf("%w: %d bytes too many in a row", table.ErrDamaged, len(r.s))
	}
	return nil
}

func (r *reader) fail() { r.s, r.bad = "", true }

func (r *reader) byte() byte {
	if r.s == "" {
		r.fail()
		return 0
	}
	b := r.s[0]
	r.s = r.s[1:]
	return b
}

func (r *reader) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	r.fail()
	return 0
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *reader) string() string {
	n := r.uvarint()
	if n > uint64(len(r.s)) {
		r.fail()
		return ""
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

// count reads the length of a list whose elements take at least size bytes each, so that no list is made larger than its bytes.
func (r *reader) count(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.s)/size) {
		r.fail()
		return 0
	}
	return int(n)
}

// list reads a list, nil when it is empty.
func list[T any](r *reader, size int, one func() T) []T {
	n := r.count(size)
	if n == 0 {
		return nil
	}
	out := make([]T, n)
	for i := range out {
		out[i] = one()
	}
	return out
}

func (r *reader) strings() []string { return list(r, 1, r.string) }

func (r *reader) stringMap() map[string]string {
	n := r.count(2)
	if n == 0 {
		return nil
	}
	m := make(map[string]string, n)
	for range n {
		k := r.string()
		m[k] = r.string()
	}
	return m
}

func (r *reader) time() time.Time {
	if r.byte() == 0 {
		return time.Time{}
	}
	sec, nano := r.varint(), r.uvarint()
	if nano > 999_999_999 {
		r.fail()
		return time.Time{}
	}
	return time.Unix(sec, int64(nano)).UTC()
}

func (r *reader) severities() []biopsy.Severity {
	return list(r, 4, func() biopsy.Severity {
		return biopsy.Severity{Type: r.string(), Vector: r.string(), Score: float64(r.uvarint()) / 10, Source: r.string()}
	})
}

func (r *reader) event() biopsy.Event {
	switch kind := r.byte(); kind {
	case introduced:
		return biopsy.Event{Introduced: r.string()}
	case fixed:
		return biopsy.Event{Fixed: r.string()}
	case lastAffected:
		return biopsy.Event{LastAffected: r.string()}
	case limit:
		return biopsy.Event{Limit: r.string()}
	}
	r.fail()
	return biopsy.Event{}
}

func (r *reader) rangeOf() biopsy.Range {
	return biopsy.Range{Type: r.string(), Repo: r.string(), Events: list(r, 2, r.event)}
}

func (r *reader) affected() biopsy.Affected {
	a := biopsy.Affected{Ecosystem: r.string(), Name: r.string(), Purl: r.string()}
	a.Ranges = list(r, 3, r.rangeOf)
	a.Versions = r.strings()
	a.Status, a.Why, a.CPE = biopsy.Status(r.string()), r.string(), r.string()
	a.Platforms, a.Files, a.Symbols = r.strings(), r.strings(), r.strings()
	a.Extra = r.stringMap()
	return a
}

func (r *reader) advisory() biopsy.Advisory {
	a := biopsy.Advisory{ID: r.string(), Aliases: r.strings(), Upstream: r.strings()}
	a.Published, a.Modified, a.Withdrawn = r.time(), r.time(), r.time()
	a.Summary, a.Details = r.string(), r.string()
	a.Severity = r.severities()
	a.References = list(r, 2, func() biopsy.Reference { return biopsy.Reference{Type: r.string(), URL: r.string()} })
	a.Extra = r.stringMap()
	a.Affected = list(r, 12, r.affected)
	return a
}

func decodeRecord(value []byte) (a biopsy.Advisory, sources []string, err error) {
	r := reader{s: string(value)}
	sources = r.strings()
	a = r.advisory()
	if len(sources) == 0 {
		r.fail()
	} else {
		a.Source = sources[0]
	}
	return a, sources, r.err()
}

func decodeExploit(value []byte) (biopsy.Exploit, error) {
	r := reader{s: string(value)}
	flags := r.byte()
	e := biopsy.Exploit{KEV: flags&1 != 0, Ransomware: flags&2 != 0}
	if e.KEV {
		e.KEVAdded, e.KEVDue, e.KEVAction = r.string(), r.string(), r.string()
	}
	if e.EPSSDate = r.string(); e.EPSSDate != "" {
		e.EPSS, e.Percentile = r.decimal(), r.decimal()
	}
	if flags&4 != 0 {
		e.SSVCDate, e.Maturity, e.Automatable, e.Impact = r.string(), r.string(), r.string(), r.string()
	}
	return e, r.err()
}

// pow10 are the divisors of decimals.
var pow10 = [10]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

func (r *reader) decimal() float64 {
	digits := r.byte()
	if digits < 10 {
		return float64(r.uvarint()) / pow10[digits]
	}
	if digits != 255 || len(r.s) < 8 {
		r.fail()
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64([]byte(r.s[:8])))
	r.s = r.s[8:]
	return f
}

// quote shows an id in a message, short and printable.
func quote(s string) string {
	if len(s) > 80 {
		s = s[:80] + "..."
	}
	return strconv.Quote(s)
}
