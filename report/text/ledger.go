package text

import (
	"fmt"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/units"
)

// ledgerWords are what bytes can be, in the order in which they are told.
var ledgerWords = []struct {
	status biopsy.ByteKind
	word   string
}{{biopsy.BytesParsed, "parsed"}, {biopsy.BytesPadding, "padding"}, {biopsy.BytesEncrypted, "compressed or encrypted"}, {biopsy.BytesUnknown, "unknown"}}

// ledgers tells for each image that was handed to us, or lies in a tree, how much of it was understood; what is inside it has its own
// ledger in the scan file. rows is how many are told; 0 is all.
func (p *printer) ledgers(s *biopsy.Scan, rows int) {
	told := 0
	for i := range s.Ledgers {
		l := &s.Ledgers[i]
		if strings.Contains(l.Place.Path, "!") || len(l.Spans) == 0 {
			continue
		}
		if told++; rows > 0 && told > rows {
			continue
		}
		p.head("Bytes", "%s: %s", clean(l.Place.Path), strings.Join(shares(l), ", "))
	}
	if rows > 0 && told > rows {
		p.line("  and %d more images", told-rows)
	}
}

// shares are the kinds of bytes that an image has, each with its part of the whole.
func shares(l *biopsy.Ledger) []string {
	total := int64(0)
	for _, w := range ledgerWords {
		total += l.Sum(w.status)
	}
	var out []string
	for _, w := range ledgerWords {
		if n := l.Sum(w.status); n > 0 {
			out = append(out, fmt.Sprintf("%s %s (%s)", units.Share(n, total), w.word, units.Bytes(n)))
		}
	}
	return out
}
