package archive

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/ledger"
)

// is tells the ledger what a run of the container's bytes is. Runs of one kind that touch are one; runs of no size say nothing.
func (m *members) is(off, size int64, kind biopsy.ByteKind, what string) {
	if m.Ledger == nil || size <= 0 || off < 0 {
		return
	}
	if n := len(m.book); n > 0 {
		if s := &m.book[n-1]; s.Offset+s.Size == off && s.Status == kind && s.What == what {
			s.Size += size
			return
		}
	}
	m.book = append(m.book, biopsy.Span{Offset: off, Size: size, Status: kind, What: what})
}

// account hands the ledger over. What was told twice counts once; what was not is unknown, or padding at the end.
func (m *members) account(c biopsy.Content) error {
	if m.Ledger == nil || c.Size() == 0 {
		return nil
	}
	slices.SortStableFunc(m.book, func(a, b biopsy.Span) int { return cmp.Compare(a.Offset, b.Offset) })
	spans, err := ledger.Complete(c, m.book)
	if err != nil {
		return err
	}
	m.Ledger(merged(spans))
	return nil
}

// lastByte returns how many bytes are left without the zeros at the end, of which no more than some mebibytes are looked at.
func lastByte(c biopsy.Content) (int64, error) {
	const most = 16 << 20
	var buf [32 << 10]byte
	for end := c.Size(); end > 0; {
		n := min(int64(len(buf)), end)
		if k, err := c.ReadAt(buf[:n], end-n); int64(k) < n {
			return 0, damage(end-n, err)
		}
		if left := len(bytes.TrimRight(buf[:n], "\x00")); left > 0 || c.Size()-end > most {
			return end - n + int64(left), nil
		}
		end -= n
	}
	return 0, nil
}

// merged joins runs of one kind that touch.
func merged(spans []biopsy.Span) []biopsy.Span {
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && out[n-1].Status == s.Status && out[n-1].What == s.What {
			out[n-1].Size += s.Size
			continue
		}
		out = append(out, s)
	}
	return out
}
