package bom

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
)

// LedgerPrefix begins the properties that say how many bytes of a container were parsed, padding, encrypted and unknown.
const LedgerPrefix = Prefix + "ledger:"

// LedgerMap is the property that holds a whole ledger as JSON, so that a round trip loses no span.
const LedgerMap = LedgerPrefix + "map"

var byteKinds = []struct {
	kind biopsy.ByteKind
	word string
}{{biopsy.BytesParsed, "parsed"}, {biopsy.BytesPadding, "padding"}, {biopsy.BytesEncrypted, "encrypted"}, {biopsy.BytesUnknown, "unknown"}}

// Accounted tells whether every byte of a container is parsed or padding.
func Accounted(l *biopsy.Ledger) bool {
	return l.Sum(biopsy.BytesEncrypted) == 0 && l.Sum(biopsy.BytesUnknown) == 0
}

// LedgerProperties are the four sums in bytes; 0 is said too.
func LedgerProperties(l *biopsy.Ledger) []Property {
	var p []Property
	for _, k := range byteKinds {
		p = append(p, Property{LedgerPrefix + k.word, strconv.FormatInt(l.Sum(k.kind), 10)})
	}
	return p
}

// LedgerProperty is the property LedgerMap.
func LedgerProperty(l *biopsy.Ledger) (Property, error) {
	b, err := json.Marshal(l)
	if err != nil {
		return Property{}, fmt.Errorf("ledger of %s: %w", l.Place, err)
	}
	return Property{LedgerMap, string(b)}, nil
}

// ReadLedger reads what LedgerProperty wrote. Spans that overlap or run backwards are an error.
func ReadLedger(value string) (biopsy.Ledger, error) {
	var l biopsy.Ledger
	if err := json.Unmarshal([]byte(value), &l); err != nil {
		return biopsy.Ledger{}, fmt.Errorf("property %s: %w", LedgerMap, err)
	}
	end := int64(0)
	for i, s := range l.Spans {
		if s.Offset < end || s.Size < 0 || s.Size > math.MaxInt64-s.Offset {
			return biopsy.Ledger{}, fmt.Errorf("property %s: span %d of %d bytes at offset %d does not follow byte %d", LedgerMap, i, s.Size, s.Offset, end)
		}
		end = s.Offset + s.Size
	}
	return l, nil
}

// LedgerOf is the index of the ledger of an artifact that is itself an image; -1 when it is none. Ledgers of what is inside do not count.
func LedgerOf(s *biopsy.Scan, artifact int) int {
	if s.Artifacts[artifact].Kind != "file" {
		return -1
	}
	for i, l := range s.Ledgers {
		if l.Place.Artifact == artifact && !strings.Contains(l.Place.Path, "!") {
			return i
		}
	}
	return -1
}

// Coverage sums each ledger for a reader: "update.bin: parsed 1024, encrypted 512 bytes".
func Coverage(s *biopsy.Scan) []Property {
	var p []Property
	for i := range s.Ledgers {
		l := &s.Ledgers[i]
		var parts []string
		for _, k := range byteKinds {
			if n := l.Sum(k.kind); n > 0 {
				parts = append(parts, k.word+" "+strconv.FormatInt(n, 10))
			}
		}
		p = append(p, Property{Prefix + "coverage", l.Place.String() + ": " + strings.Join(parts, ", ") + " bytes"})
	}
	return p
}
