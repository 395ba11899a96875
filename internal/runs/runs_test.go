package runs

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

func build(t *testing.T) (*Builder, []byte) {
	t.Helper()
	src := []byte("0123456789abcdef")
	b := New(bytes.NewReader(src), int64(len(src)))
	for _, err := range []error{b.Add(2, 4, 10), b.Add(6, 2, 14), b.Add(8, 3, 0), b.Fill(13, 5, [4]byte{1, 2, 3, 4})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b, []byte("\x00\x00abcdef012\x00\x00\x01\x02\x03\x04\x01\x00\x00")
}

// TestReadAt reads every part of a content that has all kinds of runs.
func TestReadAt(t *testing.T) {
	b, want := build(t)
	c := b.Content(int64(len(want)))
	for off := range len(want) {
		for size := range len(want) + 2 {
			p := bytes.Repeat([]byte{'x'}, size)
			n, err := c.ReadAt(p, int64(off))
			if end := min(off+size, len(want)); !bytes.Equal(p[:n], want[off:end]) || (err == io.EOF) != (off+size > len(want)) {
				t.Fatalf("%d bytes at %d: got %q, %v, want %q", size, off, p[:n], err, want[off:end])
			}
		}
	}
	if len(b.runs) != 3 {
		t.Errorf("%d runs, want those that follow each other to be one: 3", len(b.runs))
	}
	if n, err := c.ReadAt(make([]byte, 1), c.Size()); n != 0 || err != io.EOF {
		t.Errorf("at the end: got %d, %v", n, err)
	}
}

func TestRefused(t *testing.T) {
	b, _ := build(t)
	for name, err := range map[string]error{
		"beyond the end": b.Add(20, 2, 15), "far beyond": b.Add(20, 1<<62, 1<<62), "before the beginning": b.Add(20, 1, -7),
		"overlap": b.Add(17, 1, 0), "size": b.Add(20, -1, 0), "fill": b.Fill(1<<62, 1<<62, [4]byte{1}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestCutSource says where a source broke off that was longer before.
func TestCutSource(t *testing.T) {
	b := New(bytes.NewReader([]byte("ab")), 10)
	if err := b.Add(0, 5, 0); err != nil {
		t.Fatal(err)
	}
	n, err := b.Content(5).ReadAt(make([]byte, 5), 0)
	if n != 2 || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "offset 2") {
		t.Errorf("got %d, %v", n, err)
	}
}

func BenchmarkReadAt(b *testing.B) {
	src := make([]byte, 1<<20)
	r := New(bytes.NewReader(src), 1<<20)
	for at := int64(0); at < 1<<20; at += 8192 {
		if err := r.Add(at, 4096, 1<<20-4096-at); err != nil {
			b.Fatal(err)
		}
	}
	c, p := r.Content(1<<20), make([]byte, 64<<10)
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		for at := int64(0); at < 1<<20; at += 64 << 10 {
			if _, err := c.ReadAt(p, at); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func TestSpans(t *testing.T) {
	src := make([]byte, 600<<10)
	src[300<<10] = 1
	s := NewSpans(bytes.NewReader(src))
	s.Used(100, "x")
	s.Used(100, "x")
	s.Used(200, "x")
	s.Free(200 << 10)
	s.Free(400 << 10)
	s.Free(600<<10 + 1)
	want := []biopsy.Span{
		{Offset: 0, Size: 200, Status: biopsy.BytesParsed, What: "x"},
		{Offset: 200, Size: 200<<10 - 200, Status: biopsy.BytesPadding, What: "not in use, empty"},
		{Offset: 200 << 10, Size: 400<<10 + 1, What: "not in use"},
	}
	if got := s.Done(); !slices.Equal(got, want) {
		t.Errorf("got %v want %v", got, want)
	}
	for i := range int64(2 * MaxSpans) {
		s.Used(1<<20+2*i, "a")
		s.Used(1<<20+2*i+1, "b")
	}
	if got := s.Done(); len(got) != MaxSpans || got[MaxSpans-1].Status != biopsy.BytesUnknown || got[MaxSpans-1].Offset+got[MaxSpans-1].Size != 1<<20+4*MaxSpans-1 {
		t.Errorf("got %d spans, the last %v", len(got), got[len(got)-1])
	}
}
