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

// ledgers tells for each image that was handed to us how much of it was understood; what is inside it has its own ledger in the
// scan file.
func (p *printer) ledgers(s *biopsy.Scan) {
	for _, l := range s.Ledgers {
		if strings.Contains(l.Place.Path, "!") {
			continue
		}
		sum, total := map[biopsy.ByteKind]int64{}, int64(0)
		for _, x := range l.Spans {
			sum[x.Status] += x.Size
			total += x.Size
		}
		if total == 0 {
			continue
		}
		var parts []string
		for _, w := range ledgerWords {
			if n := sum[w.status]; n > 0 {
				parts = append(parts, fmt.Sprintf("%s %s (%s)", percent(n, total), w.word, units.Bytes(n)))
			}
		}
		p.head("Bytes", "%s: %s", clean(l.Place.Path), strings.Join(parts, ", "))
	}
}

// percent rounds so that what is not all never reads as all.
func percent(n, total int64) string {
	x := 100 * float64(n) / float64(total)
	switch {
	case n == total:
		return "100 %"
	case x > 99.9:
		return ">99.9 %"
	case x < 0.1:
		return "<0.1 %"
	}
	return fmt.Sprintf("%.1f %%", x)
}
