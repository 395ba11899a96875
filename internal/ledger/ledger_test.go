package ledger

import (
	"reflect"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
)

func TestComplete(t *testing.T) {
	parsed := func(off, size int64) biopsy.Span {
		return biopsy.Span{Offset: off, Size: size, Status: biopsy.BytesParsed}
	}
	const behind = "behind the container"
	for _, c := range []struct {
		bytes string
		known []biopsy.Span
		want  []biopsy.Span
	}{
		{"abcd", []biopsy.Span{parsed(0, 4)}, []biopsy.Span{parsed(0, 4)}},
		{"abcd", []biopsy.Span{parsed(0, 9)}, []biopsy.Span{parsed(0, 4)}},
		{"ab\x00\x00", []biopsy.Span{parsed(0, 2)}, []biopsy.Span{parsed(0, 2), {Offset: 2, Size: 2, Status: biopsy.BytesPadding}}},
		{"ab\xffx", []biopsy.Span{parsed(1, 1)}, []biopsy.Span{{Size: 1}, parsed(1, 1), {Offset: 2, Size: 1, Status: biopsy.BytesPadding}, {Offset: 3, Size: 1, What: behind}}},
		{"abcd", []biopsy.Span{parsed(0, 2)}, []biopsy.Span{parsed(0, 2), {Offset: 2, Size: 2, What: behind}}},
		{"", nil, nil},
	} {
		got, err := Complete(lazy.Bytes(c.bytes), c.known)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: got %+v, %v, want %+v", c.bytes, got, err, c.want)
		}
	}
}
