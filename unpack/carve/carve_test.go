package carve

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// box is a made-up container: "BOX!", its size as a little-endian word, its bytes.
var box = biopsy.Unpacker{
	Name:   "box",
	Magics: []biopsy.Magic{{Bytes: []byte("BOX!")}},
	Extent: func(c io.ReaderAt, off, max int64) (int64, bool) {
		var b [8]byte
		if _, err := c.ReadAt(b[:], off); err != nil {
			return 0, false
		}
		n := int64(binary.LittleEndian.Uint32(b[4:]))
		return n, n >= 8 && n <= max
	},
}

// late has its magic at 0x438, as ext has; stream does not know its size, as gzip does not.
var (
	late   = biopsy.Unpacker{Name: "late", Magics: []biopsy.Magic{{Bytes: []byte("LATE"), At: 0x438}}, Extent: func(_ io.ReaderAt, _, max int64) (int64, bool) { return 0x1000, max >= 0x1000 }}
	stream = biopsy.Unpacker{Name: "stream", Magics: []biopsy.Magic{{Bytes: []byte("STRM")}}, Extent: func(io.ReaderAt, int64, int64) (int64, bool) { return 0, true }}
)

func boxed(n int) []byte {
	b := make([]byte, n)
	copy(b, "BOX!")
	binary.LittleEndian.PutUint32(b[4:], uint32(n))
	for i := 8; i < n; i++ {
		b[i] = byte(i) | 1
	}
	return b
}

func filled(n int, with byte) []byte { return []byte(strings.Repeat(string([]byte{with}), n)) }

func noiseBytes(n int) []byte {
	b := make([]byte, n)
	rand.New(rand.NewSource(1)).Read(b)
	return b
}

// told is what a carving answers, in lines.
func told(t *testing.T, image []byte) string {
	t.Helper()
	var b strings.Builder
	u := New([]biopsy.Unpacker{box, late, stream}).Unpacker()
	total := int64(0)
	err := u.Unpack(context.Background(), biopsy.File{}, spool.Bytes(image), biopsy.UnpackOptions{
		Yield: func(f biopsy.File) error {
			c, err := f.Open()
			if err != nil {
				return err
			}
			defer c.Close()
			fmt.Fprintf(&b, "%s %d\n", f.Path, c.Size())
			return nil
		},
		Gap: func(g biopsy.Gap) { fmt.Fprintf(&b, "gap %s (%d)\n", g.Reason, g.Size) },
		Ledger: func(spans []biopsy.Span) {
			for _, s := range spans {
				fmt.Fprintf(&b, "ledger 0x%x %d %s %s\n", s.Offset, s.Size, s.Status, s.What)
				if s.Offset != total || s.Size <= 0 {
					t.Errorf("span at %d of %d bytes follows byte %d", s.Offset, s.Size, total)
				}
				total += s.Size
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if total != int64(len(image)) {
		t.Errorf("the ledger accounts for %d of %d bytes", total, len(image))
	}
	return b.String()
}

func TestCarve(t *testing.T) {
	for _, c := range []struct {
		name  string
		image [][]byte
		want  string
	}{
		{"vendor header, container, padding, container, random tail", [][]byte{[]byte("VENDOR1\x01"), boxed(100), filled(8192-108, 0xff), boxed(5000), noiseBytes(256)}, `ledger 0x0 8  
ledger 0x8 100 parsed box
ledger 0x6c 8084 padding 0xff
ledger 0x2000 5000 parsed box
ledger 0x3388 256  
gap bytes that are not understood, at offset 0x3388 (256)
gap bytes that are not understood, at offset 0x0 (8)
0x8.box 100
0x2000.box 5000
`},
		{"a magic without a header that holds up", [][]byte{filled(4096, 0x41), []byte("BOX!\xff\xff\xff\xff"), filled(4096-8, 0x41)}, `ledger 0x0 8192  
gap bytes that are not understood, at offset 0x0 (8192)
`},
		{"encrypted", [][]byte{noiseBytes(64 << 10), filled(64<<10, 0)}, `ledger 0x0 65536 encrypted compressed or encrypted
ledger 0x10000 65536 padding 0x00
gap bytes that look compressed or encrypted, of no format known here, at offset 0x0 (65536)
`},
		{"a magic behind the start, code before it", [][]byte{filled(8192, 0x41), filled(0x438, 1), []byte("LATE"), filled(0x1000-0x438-4, 1)}, `ledger 0x0 8192  
ledger 0x2000 4096 parsed late
gap bytes that are not understood, at offset 0x0 (8192)
0x0.raw 8192
0x2000.late 4096
`},
		{"a stream ends where the next container begins", [][]byte{[]byte("STRM"), noiseBytes(1000), boxed(50), []byte("STRM"), noiseBytes(300)}, `ledger 0x0 1004 parsed stream
ledger 0x3ec 50 parsed box
ledger 0x41e 304 parsed stream
0x0.stream 1004
0x3ec.box 50
0x41e.stream 304
`},
		{"containers across the search window", [][]byte{filled(window-2, 0x41), boxed(64), filled(window-50, 0x41), boxed(64)}, `ledger 0x0 262142  
ledger 0x3fffe 64 parsed box
ledger 0x4003e 262094  
ledger 0x8000c 64 parsed box
gap bytes that are not understood, at offset 0x0 (262142)
gap bytes that are not understood, at offset 0x4003e (262094)
0x0.raw 262142
0x3fffe.box 64
0x4003e.raw 262094
0x8000c.box 64
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var image []byte
			for _, part := range c.image {
				image = append(image, part...)
			}
			if got := told(t, image); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

// holed is an image with one hole, which it knows, and counts what is read.
type holed struct {
	biopsy.Content
	from, to int64
	read     int64
}

func (h *holed) ReadAt(p []byte, off int64) (int, error) {
	h.read += int64(len(p))
	return h.Content.ReadAt(p, off)
}

func (h *holed) Data(off int64) int64 {
	if off >= h.from && off < h.to {
		return h.to
	}
	return off
}

// TestHole skips what nobody stored: containers that begin or lie behind it are found, and the ledger tells it as zeros.
func TestHole(t *testing.T) {
	const hole = 64 << 20
	late := append(filled(0x438, 0), append([]byte("LATE"), filled(0x1000-0x43c, 1)...)...)
	image := append(append(boxed(4096), filled(hole, 0)...), late[0x400:]...)
	h := &holed{Content: spool.Bytes(image), from: 4096, to: 4096 + hole}
	u := New([]biopsy.Unpacker{box, {Name: "late", Magics: []biopsy.Magic{{Bytes: []byte("LATE"), At: 0x438}}, Extent: func(_ io.ReaderAt, off, max int64) (int64, bool) { return 0x1000, max >= 0x1000 }}}).Unpacker()
	var found []string
	var spans []biopsy.Span
	err := u.Unpack(context.Background(), biopsy.File{}, h, biopsy.UnpackOptions{
		Yield:  func(f biopsy.File) error { found = append(found, f.Path); return nil },
		Gap:    func(g biopsy.Gap) { t.Errorf("gap %s", g.Reason) },
		Ledger: func(s []biopsy.Span) { spans = s },
	})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("[0x0.box 0x%x.late]", 4096+hole-0x400)
	if got := fmt.Sprint(found); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(spans) != 3 || spans[1].Size != hole-0x400 || spans[1].Status != biopsy.BytesPadding {
		t.Errorf("got %+v, want the hole as one span between two containers", spans)
	}
	if h.read > 2<<20 {
		t.Errorf("read %d bytes of an image that stores 8 KiB", h.read)
	}
}

func FuzzCarve(f *testing.F) {
	f.Add(append(boxed(20), filled(40, 0)...))
	f.Add(append([]byte("STRM"), boxed(9)...))
	f.Add(append(filled(0x438, 2), "LATE"...))
	f.Fuzz(func(t *testing.T, image []byte) { told(t, image) })
}

func BenchmarkCarve(b *testing.B) {
	image := spool.Bytes(append(noiseBytes(8<<20), filled(8<<20, 0xff)...))
	u := New([]biopsy.Unpacker{box, late, stream}).Unpacker()
	b.SetBytes(image.Size())
	for b.Loop() {
		if err := u.Unpack(context.Background(), biopsy.File{}, image, biopsy.UnpackOptions{Yield: func(biopsy.File) error { return nil }, Gap: func(biopsy.Gap) {}}); err != nil {
			b.Fatal(err)
		}
	}
}
