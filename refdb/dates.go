package refdb

import (
	"strconv"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// dates says on which day each CVE was published first, by the word of any record. Verdicts of distributions have no dates of their own,
// and what is asked of a past day must not lose them.
type dates map[uint64]int32 // number of the CVE -> days since 1970

const secondsOfDay = 24 * 60 * 60

// add learns of one record. A notice of several holes is later than each of them.
func (d dates) add(a *biopsy.Advisory) {
	if a.Published.IsZero() || severalHoles(a) {
		return
	}
	at := int32(a.Published.Unix() / secondsOfDay)
	for _, id := range append([]string{a.ID}, a.Aliases...) {
		n, ok := cveNumber(id)
		if was, had := d[n]; ok && (!had || at < was) {
			d[n] = at
		}
	}
}

// of returns the earliest day of any of the holes; the zero time when none is known.
func (d dates) of(ids []string) time.Time {
	var first time.Time
	for _, id := range ids {
		if n, ok := cveNumber(id); ok {
			if at, ok := d[n]; ok {
				if t := time.Unix(int64(at)*secondsOfDay, 0).UTC(); first.IsZero() || t.Before(first) {
					first = t
				}
			}
		}
	}
	return first
}

// complete appends the rest of an entry to out, dated where it has no date: by its own ids or those of the holes that it speaks of.
func (d dates) complete(out []byte, rest reader, ids []string) []byte {
	r := rest
	upstream, source := r.strings(), r.string()
	published := r.time()
	if r.bad || !published.IsZero() {
		return append(out, rest.s...)
	}
	out = appendString(appendStrings(out, upstream), source)
	return append(appendTime(out, d.of(append(ids, upstream...))), r.s...)
}

// cveNumber packs "CVE-2024-12345" into a number: the year, then the rest.
func cveNumber(id string) (uint64, bool) {
	if len(id) < len("CVE-2024-1") || !strings.EqualFold(id[:4], "CVE-") || id[8] != '-' {
		return 0, false
	}
	year, err := strconv.ParseUint(id[4:8], 10, 16)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(id[9:], 10, 40)
	if err != nil {
		return 0, false
	}
	return year<<40 | n, true
}
