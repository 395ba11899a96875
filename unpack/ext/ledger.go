package ext

import (
	"bytes"
	"context"
	"math/bits"

	"github.com/biopsy-sca/biopsy"
)

// maxSpans bounds the ledger; what lies behind in a very fragmented image is one span.
const maxSpans = 4096

// ledger says which bytes belong to the file system by its block bitmaps. Free blocks are padding when they are empty, else unknown.
func (w *walker) ledger(ctx context.Context) []biopsy.Span {
	l := ledger{walker: w, buf: make([]byte, 128<<10)}
	end := min(w.blocks*w.block, w.size)
	l.used(min(w.first*w.block, end))
	bitmap := make([]byte, w.block)
	for g := range w.groups {
		start := (w.first + g*w.blocksPerGroup) * w.block
		if start >= end || ctx.Err() != nil {
			break
		}
		l.group(g, start, min(start+w.blocksPerGroup*w.block, end), bitmap)
	}
	l.used(end)
	l.free(w.size)
	return l.spans
}

// ledger collects spans in the order of the image.
type ledger struct {
	*walker
	spans []biopsy.Span
	at    int64 // end of the last span
	buf   []byte
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
			l.free(min(start+(i+n)*unit, end))
			i += n
			continue
		}
		n = min(ones(bitmap, i), last-i)
		i += max(n, 1)
		l.used(min(start+i*unit, end))
	}
}

// used takes all up to end as the file system's.
func (l *ledger) used(end int64) { l.add(end, biopsy.BytesParsed, "ext") }

// free takes all up to end as free blocks.
func (l *ledger) free(end int64) {
	status, what := biopsy.BytesPadding, "free blocks, empty"
	if !l.empty(l.at, end) {
		status, what = biopsy.BytesUnknown, "free blocks"
	}
	l.add(end, status, what)
}

// add takes all up to end.
func (l *ledger) add(end int64, status biopsy.ByteKind, what string) {
	size := end - l.at
	if size <= 0 {
		return
	}
	if n := len(l.spans); n > 0 && (l.spans[n-1].Status == status && l.spans[n-1].What == what || n >= maxSpans) {
		if last := &l.spans[n-1]; last.Status == status {
			last.Size += size
		} else {
			last.Size, last.Status, last.What = last.Size+size, biopsy.BytesUnknown, "used and free blocks, too many pieces to list"
		}
	} else {
		l.spans = append(l.spans, biopsy.Span{Offset: l.at, Size: size, Status: status, What: what})
	}
	l.at = end
}

// empty tells whether there are only zeros.
func (l *ledger) empty(at, end int64) bool {
	for at < end {
		b := l.buf[:min(int64(len(l.buf)), end-at)]
		if readAt(l.src, b, at) != nil {
			return false
		}
		if b[0] != 0 || !bytes.Equal(b[1:], b[:len(b)-1]) {
			return false
		}
		at += int64(len(b))
	}
	return true
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
