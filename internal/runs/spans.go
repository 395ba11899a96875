package runs

import (
	"bytes"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// MaxSpans bounds a ledger; what lies behind in a very fragmented image is one span.
const MaxSpans = 4096

// Spans says what the bytes of an image are, from its beginning on.
type Spans struct {
	src   io.ReaderAt
	spans []biopsy.Span
	at    int64 // end of the last span
	buf   []byte
}

// NewSpans returns the empty ledger of an image.
func NewSpans(src io.ReaderAt) *Spans { return &Spans{src: src} }

// Done returns the spans so far.
func (s *Spans) Done() []biopsy.Span { return s.spans }

// Used takes all up to end as parsed.
func (s *Spans) Used(end int64, what string) { s.add(end, biopsy.BytesParsed, what) }

// Free takes all up to end as not in use: padding when there are only zeros, else unknown.
func (s *Spans) Free(end int64) {
	status, what := biopsy.BytesPadding, "not in use, empty"
	if !s.empty(s.at, end) {
		status, what = biopsy.BytesUnknown, "not in use"
	}
	s.add(end, status, what)
}

func (s *Spans) add(end int64, status biopsy.ByteKind, what string) {
	size := end - s.at
	if size <= 0 {
		return
	}
	s.at = end
	n := len(s.spans)
	if n > 0 && s.spans[n-1].Status == status && s.spans[n-1].What == what {
		s.spans[n-1].Size += size
		return
	}
	if n >= MaxSpans {
		last := &s.spans[n-1]
		last.Size, last.Status, last.What = last.Size+size, biopsy.BytesUnknown, "used and free, in too many pieces to list"
		return
	}
	s.spans = append(s.spans, biopsy.Span{Offset: end - size, Size: size, Status: status, What: what})
}

// empty tells whether there are only zeros; what cannot be read is not empty.
func (s *Spans) empty(at, end int64) bool {
	if s.buf == nil {
		s.buf = make([]byte, 128<<10)
	}
	for at < end {
		b := s.buf[:min(int64(len(s.buf)), end-at)]
		if n, _ := s.src.ReadAt(b, at); n < len(b) {
			return false
		}
		if b[0] != 0 || !bytes.Equal(b[1:], b[:len(b)-1]) {
			return false
		}
		at += int64(len(b))
	}
	return true
}
