package carve

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/biopsy-sca/biopsy"
)

// block is the grain of the ledger between containers.
const block = 4 << 10

// noise is the entropy in bits per byte from which a block is taken for compressed or encrypted. 4 KiB of random bytes have 7.95;
// machine code stays below 7.
const noise = 7.8

// maxGaps bounds the gaps of one image; the last one sums up the rest.
const maxGaps = 100

// classify says what the bytes from off to end are, block by block, with equal neighbours joined.
func classify(ctx context.Context, image io.ReaderAt, off, end int64) ([]biopsy.Span, error) {
	var spans []biopsy.Span
	buf := make([]byte, block)
	for at := off; at < end; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(block-at%block, end-at) // blocks of the image, so that its padding falls into whole ones
		if _, err := image.ReadAt(buf[:n], at); err != nil && err != io.EOF {
			return nil, fmt.Errorf("at offset %d: %w", at, err)
		}
		for _, s := range parts(buf[:n], at) {
			spans = join(spans, s)
		}
		at += n
		if data := min(hole(image, buf[:n], at-n), end); data-data%block > at {
			data -= data % block
			spans = join(spans, padding(at, data-at, 0))
			at = data
		}
	}
	return spans, nil
}

// hole returns where stored bytes go on behind at, when b, which stands there, is zeros and the image knows its holes; else at.
func hole(image io.ReaderAt, b []byte, at int64) int64 {
	sparse, ok := image.(biopsy.Sparse)
	if !ok || len(b) == 0 || b[0] != 0 || run(b, false) < len(b) {
		return at
	}
	return sparse.Data(at)
}

// parts splits a block into its padding at either end and what is between.
func parts(b []byte, at int64) []biopsy.Span {
	lead := run(b, false)
	if lead == len(b) {
		return []biopsy.Span{padding(at, int64(len(b)), b[0])}
	}
	tail := run(b[lead:], true)
	middle := b[lead : len(b)-tail]
	var out []biopsy.Span
	if lead > 0 {
		out = append(out, padding(at, int64(lead), b[0]))
	}
	s := biopsy.Span{Offset: at + int64(lead), Size: int64(len(middle))}
	if entropy(middle) >= noise {
		s.Status, s.What = biopsy.BytesEncrypted, "compressed or encrypted"
	}
	if s.Size > 0 {
		out = append(out, s)
	}
	if tail > 0 {
		out = append(out, padding(at+int64(len(b)-tail), int64(tail), b[len(b)-1]))
	}
	return out
}

// run counts the equal bytes 0x00 or 0xFF at the start or the end of b; fewer than 16 are content.
func run(b []byte, fromEnd bool) int {
	if len(b) == 0 {
		return 0
	}
	first := b[0]
	if fromEnd {
		first = b[len(b)-1]
	}
	if first != 0 && first != 0xff {
		return 0
	}
	n := 0
	for n < len(b) {
		x := b[n]
		if fromEnd {
			x = b[len(b)-1-n]
		}
		if x != first {
			break
		}
		n++
	}
	if n < 16 && n < len(b) {
		return 0
	}
	return n
}

func padding(at, n int64, of byte) biopsy.Span {
	return biopsy.Span{Offset: at, Size: n, Status: biopsy.BytesPadding, What: fmt.Sprintf("0x%02x", of)}
}

// join appends s, or lengthens the last span when it is of the same kind.
func join(spans []biopsy.Span, s biopsy.Span) []biopsy.Span {
	if n := len(spans); n > 0 {
		last := &spans[n-1]
		if last.Status == s.Status && last.What == s.What {
			last.Size += s.Size
			return spans
		}
	}
	return append(spans, s)
}

// entropy is Shannon's, in bits per byte. Fewer than 1 KiB say nothing: 0.
func entropy(b []byte) float64 {
	if len(b) < 1<<10 {
		return 0
	}
	var count [256]int
	for _, x := range b {
		count[x]++
	}
	sum := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(b))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// tellGaps reports what is not understood, the largest first.
func tellGaps(spans []biopsy.Span, tell func(biopsy.Gap)) {
	var dark []biopsy.Span
	for _, s := range spans {
		if s.Status == biopsy.BytesUnknown || s.Status == biopsy.BytesEncrypted {
			dark = append(dark, s)
		}
	}
	slices.SortFunc(dark, func(a, b biopsy.Span) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Offset, b.Offset))
	})
	for i, s := range dark {
		if i == maxGaps {
			rest := int64(0)
			for _, r := range dark[i:] {
				rest += r.Size
			}
			tell(biopsy.Gap{Reason: fmt.Sprintf("%d more stretches of bytes that are not understood", len(dark)-i), Size: rest})
			return
		}
		what := "bytes that are not understood"
		if s.Status == biopsy.BytesEncrypted {
			what = "bytes that look compressed or encrypted, of no format known here"
		}
		tell(biopsy.Gap{Place: biopsy.Place{Offset: s.Offset}, Reason: fmt.Sprintf("%s, at offset 0x%x", what, s.Offset), Size: s.Size})
	}
}
