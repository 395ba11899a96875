// Package ledger accounts for the bytes of a container.
//
// What comes in: spans that an unpacker knows, in their order. What goes out: spans that touch each other and cover the container,
// with what stands behind them told apart into padding and unknown bytes. It never looks at bytes that a span covers.
package ledger

import (
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// maxPadding is how far padding is followed.
const maxPadding = 64 << 20

// Complete returns the spans cut to the content, with what is between them as unknown and what is behind them.
func Complete(c biopsy.Content, known []biopsy.Span) ([]biopsy.Span, error) {
	var spans []biopsy.Span
	at, size := int64(0), c.Size()
	add := func(to int64, s biopsy.Span) {
		if to = min(to, size); to > at {
			s.Offset, s.Size = at, to-at
			spans = append(spans, s)
			at = to
		}
	}
	for _, s := range known {
		add(s.Offset, biopsy.Span{})
		add(s.Offset+s.Size, s)
	}
	end, err := padding(c, at)
	if err != nil {
		return nil, err
	}
	add(end, biopsy.Span{Status: biopsy.BytesPadding})
	add(size, biopsy.Span{What: "behind the container"})
	return spans, nil
}

// padding returns where the zeros, or the ones of erased flash, end that begin at off.
func padding(c biopsy.Content, off int64) (int64, error) {
	var b [4096]byte
	fill := -1
	for last := min(c.Size(), off+maxPadding); off < last; {
		n := int(min(int64(len(b)), last-off))
		if k, err := c.ReadAt(b[:n], off); k < n {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return off, fmt.Errorf("read %d bytes at offset %d: %w", n, off, err)
		}
		if fill < 0 {
			fill = int(b[0])
		}
		if fill != 0 && fill != 0xff {
			return off, nil
		}
		for i, v := range b[:n] {
			if int(v) != fill {
				return off + int64(i), nil
			}
		}
		off += int64(n)
	}
	return off, nil
}
