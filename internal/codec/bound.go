package codec

import (
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// freeBytes is what may come out of a small stream before its ratio is judged, as biopsy.Limits says.
const freeBytes = 64 << 20

// Bound returns the plain bytes r of a stream of packed bytes, and an error where they pass TotalSize or Ratio of the limits.
func Bound(r io.Reader, packed int64, l biopsy.Limits) io.Reader {
	b := &bounded{r: r, max: l.TotalSize, why: "size"}
	if l.Ratio > 0 {
		byRatio := max(freeBytes, packed*l.Ratio)
		if packed > 1<<62/l.Ratio {
			byRatio = 1 << 62
		}
		if b.max == 0 || byRatio < b.max {
			b.max, b.why = byRatio, "ratio"
		}
	}
	return b
}

type bounded struct {
	r   io.Reader
	n   int64
	max int64 // 0: no bound
	why string
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += int64(n)
	if b.max > 0 && b.n > b.max {
		return 0, fmt.Errorf("more than %d bytes unpacked: the limit of %s is reached", b.max, b.why)
	}
	return n, err
}
