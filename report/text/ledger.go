package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/units"
)

// ledgerWords are what bytes can be, in the order in which they are told.
var ledgerWords = []struct {
	status biopsy.ByteKind
	word   string
}{{biopsy.BytesParsed, "parsed"}, {biopsy.BytesPadding, "padding"}, {biopsy.BytesEncrypted, "compressed or encrypted"}, {biopsy.BytesUnknown, "unknown"}}

// ledgers tells for each image or archive that was handed to us, or lies in a tree, how much of it was understood; what is inside it has
// its own ledger in the scan file. rows is how many are told one by one, those with most bytes not understood first; 0 is all.
func (p *printer) ledgers(s *biopsy.Scan, rows int) {
	var all []*biopsy.Ledger
	for i := range s.Ledgers {
		if l := &s.Ledgers[i]; !strings.Contains(l.Place.Path, "!") && len(l.Spans) > 0 {
			all = append(all, l)
		}
	}
	if rows > 0 && len(all) > rows {
		p.head("Bytes", "%d images and archives: %s", len(all), strings.Join(shares(all...), ", "))
		all = slices.DeleteFunc(all, func(l *biopsy.Ledger) bool { return dark(l) == 0 })
		slices.SortStableFunc(all, func(a, b *biopsy.Ledger) int { return cmp.Compare(dark(b), dark(a)) })
		all = all[:min(rows, len(all))]
	}
	for _, l := range all {
		p.head("Bytes", "%s: %s", clean(l.Place.Path), strings.Join(shares(l), ", "))
	}
}

// dark is how many bytes were not understood.
func dark(l *biopsy.Ledger) int64 { return l.Sum(biopsy.BytesUnknown) + l.Sum(biopsy.BytesEncrypted) }

// shares are the kinds of bytes that images have, each with its part of the whole.
func shares(images ...*biopsy.Ledger) []string {
	sums := map[biopsy.ByteKind]int64{}
	total := int64(0)
	for _, w := range ledgerWords {
		for _, l := range images {
			sums[w.status] += l.Sum(w.status)
		}
		total += sums[w.status]
	}
	var out []string
	for _, w := range ledgerWords {
		if n := sums[w.status]; n > 0 {
			out = append(out, fmt.Sprintf("%s %s (%s)", units.Share(n, total), w.word, units.Bytes(n)))
		}
	}
	return out
}
