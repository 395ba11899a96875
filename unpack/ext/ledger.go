package ext

import (
	"context"
	"math/bits"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/runs"
)

// ledger says which bytes belong to the file system by its block bitmaps. Free blocks are padding when they are empty, else unknown.
func (w *walker) ledger(ctx context.Context) []biopsy.Span {
	l := ledger{walker: w, spans: runs.NewSpans(w.src)}
	end := min(w.blocks*w.block, w.size)
	l.spans.Used(min(w.first*w.block, end), "ext")
	bitmap := make([]byte, w.block)
	for g := range w.groups {
		start := (w.first + g*w.blocksPerGroup) * w.block
		if start >= end || ctx.Err() != nil {
			break
		}
		l.group(g, start, min(start+w.blocksPerGroup*w.block, end), bitmap)
	}
	l.spans.Used(end, "ext")
	l.spans.Free(w.size)
	return l.spans.Done()
}

// ledger collects spans in the order of the image.
type ledger struct {
	*walker
	spans *runs.Spans
}

// group takes the blocks from start to end by the group's bitmap.
func (l *ledger) group(g, start, end int64, bitmap []byte) {
	d, err := l.groupDesc(l.tables, g)
	if err != nil {
		return // said by state
	}
	unit := l.block // of one bit
	if l.ro&roBigalloc != 0 {
		unit = l.blocksPerGroup / l.clusterPerGroup * l.block
	}
	if d.flags&groupBlockUninit != 0 {
		if clear(bitmap); l.hasSuper(g) {
			bitmap[0] = 1 // the copy of the superblock; its descriptors are counted as free
		}
	} else if readAt(l.src, bitmap, d.bitmap*l.block) != nil {
		return // left to the next used run: the cut was said by state
	}
	for i, last := int64(0), (end-start+unit-1)/unit; i < last; {
		n := min(zeros(bitmap, i), last-i)
		if n > 0 {
			l.spans.Free(min(start+(i+n)*unit, end))
			i += n
			continue
		}
		n = min(ones(bitmap, i), last-i)
		i += max(n, 1)
		l.spans.Used(min(start+i*unit, end), "ext")
	}
}

// zeros and ones count the bits of one kind from bit i.
func zeros(b []byte, i int64) int64 { return count(b, i, 0) }
func ones(b []byte, i int64) int64  { return count(b, i, 0xff) }

func count(b []byte, i int64, flip byte) int64 {
	n := int64(0)
	for at := i; at/8 < int64(len(b)); {
		skip := at % 8
		k := int64(bits.TrailingZeros8((b[at/8] ^ flip) >> skip))
		if k = min(k, 8-skip); k < 8-skip {
			return n + k
		}
		n, at = n+k, at+k
	}
	return n
}
