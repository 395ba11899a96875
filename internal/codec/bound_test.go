package codec

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

func TestBound(t *testing.T) {
	for _, c := range []struct {
		size, packed int64
		limits       biopsy.Limits
		want         string // "" passes
	}{
		{1000, 10, biopsy.Limits{}, ""},
		{1000, 10, biopsy.Limits{TotalSize: 1000, Ratio: 2}, ""},
		{1001, 10, biopsy.Limits{TotalSize: 1000, Ratio: 2}, "size"},
		{freeBytes, 1, biopsy.Limits{Ratio: 10}, ""},
		{freeBytes + 1, 1, biopsy.Limits{Ratio: 10}, "ratio"},
		{freeBytes + 1, freeBytes, biopsy.Limits{Ratio: 10}, ""},
		{1000, 1 << 60, biopsy.Limits{Ratio: 1 << 40}, ""},
	} {
		_, err := io.Copy(io.Discard, Bound(bytes.NewReader(make([]byte, c.size)), c.packed, c.limits))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d bytes of %d packed, %+v: got error %v, want %q", c.size, c.packed, c.limits, err, c.want)
		}
	}
}
