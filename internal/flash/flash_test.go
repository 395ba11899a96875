package flash

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestChecksums(t *testing.T) {
	// The check value of CRC-32 with the usual start and end is 0xcbf43926.
	if got := CRC1([]byte("123456789")); got != ^uint32(0xcbf43926) {
		t.Errorf("CRC1: got %#x", got)
	}
	if got := CRC0([]byte("123456789")); got != 0x2dfd2d88 {
		t.Errorf("CRC0: got %#x", got)
	}
}

func TestMode(t *testing.T) {
	for bits, want := range map[uint32]string{0o100644: "-rw-r--r--", 0o104755: "urwxr-xr-x", 0o102711: "grwx--x--x", 0o101777: "trwxrwxrwx"} {
		if got := Mode(bits).String(); got != want {
			t.Errorf("%o: got %s, want %s", bits, got, want)
		}
	}
}

func TestWindow(t *testing.T) {
	b := make([]byte, 3*windowSize+5)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	w := NewWindow(bytes.NewReader(b), int64(len(b)))
	for _, at := range []int{0, 1, windowSize - 1, windowSize + 3, 2 * windowSize, 5, len(b) - 4} {
		got, err := w.Bytes(int64(at), 4)
		if err != nil || !bytes.Equal(got, b[at:at+4]) {
			t.Errorf("at %d: got %v, %v", at, got, err)
		}
	}
	if _, err := w.Bytes(int64(len(b))-3, 4); err != io.EOF {
		t.Errorf("beyond the end: %v", err)
	}
	short := NewWindow(bytes.NewReader(b[:10]), 20)
	if _, err := short.Bytes(8, 4); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("an image shorter than it says: %v", err)
	}
}

func TestBlank(t *testing.T) {
	b := bytes.Repeat([]byte{0xff}, 2*windowSize)
	b[windowSize+77] = 0
	w := NewWindow(bytes.NewReader(b), int64(len(b)))
	for _, c := range []struct{ at, limit, want int64 }{{0, 100, 100}, {0, int64(len(b)), windowSize + 77}, {windowSize + 77, int64(len(b)), 0}, {windowSize + 78, int64(len(b)), windowSize - 78}} {
		if got, err := w.Blank(c.at, c.limit); err != nil || got != c.want {
			t.Errorf("from %d to %d: got %d, %v, want %d", c.at, c.limit, got, err, c.want)
		}
	}
}

func TestStrip(t *testing.T) {
	for _, g := range Geometries {
		net := make([]byte, 5*g.Page+100)
		for i := range net {
			net[i] = byte(i * 31 >> 4)
		}
		var raw []byte
		for rest := net; len(rest) > 0; {
			n := min(int64(len(rest)), g.Page)
			raw = append(raw, rest[:n]...)
			if n == g.Page {
				raw = append(raw, bytes.Repeat([]byte{0xee}, int(g.Spare))...)
			}
			rest = rest[n:]
		}
		if got := g.Net(int64(len(raw))); got != int64(len(net)) {
			t.Errorf("%+v: %d bytes in %d, want %d", g, got, len(raw), len(net))
		}
		r := g.Strip(bytes.NewReader(raw))
		for _, at := range []int64{0, 1, g.Page - 1, g.Page, 2*g.Page + 5} {
			for _, n := range []int64{1, g.Page, 2*g.Page + 3, int64(len(net)) - at} {
				p := make([]byte, min(n, int64(len(net))-at))
				if got, err := r.ReadAt(p, at); err != nil || got != len(p) || !bytes.Equal(p, net[at:at+int64(len(p))]) {
					t.Errorf("%+v: %d bytes at %d: got %d, %v", g, len(p), at, got, err)
				}
			}
		}
		p := make([]byte, 200)
		if n, err := r.ReadAt(p, int64(len(net))-100); n != 100 || err != io.EOF {
			t.Errorf("%+v: at the end got %d, %v", g, n, err)
		}
	}
}

// walked returns what a walk visits, and what it lost.
func walked(n *Names, root uint32) string {
	var b strings.Builder
	err := n.Walk(root, Visitor{
		Visit: func(p string, ino uint32, k Kind) error { fmt.Fprintf(&b, "%s=%d ", p, ino); return nil },
		Lost:  func(p, why string) { fmt.Fprintf(&b, "(%s: %s) ", p, why) },
		Stray: func(dir uint32, names int) string {
			if dir == 99 {
				return ""
			}
			return fmt.Sprintf("stray-%d", dir)
		},
	})
	if err != nil {
		fmt.Fprint(&b, err)
	}
	return b.String()
}

func TestNames(t *testing.T) {
	var n Names
	n.Add(1, 2, 5, []byte("b"), Dir)
	n.Add(1, 9, 4, []byte("b"), File)
	n.Add(2, 3, 1, []byte("x/y!"), File)
	n.Add(2, 4, 1, []byte(".."), File)
	n.Add(2, 4, 1, nil, File)
	n.Add(1, 6, 1, []byte("a"), File)
	n.Add(1, 0, 2, []byte("a"), File)
	n.Add(2, 1, 1, []byte("up"), Dir)
	n.Add(50, 7, 1, []byte("astray"), File)
	n.Add(51, 50, 1, []byte("outer"), Dir)
	n.Add(60, 61, 1, []byte("round"), Dir)
	n.Add(61, 60, 1, []byte("round"), Dir)
	n.Add(99, 8, 1, []byte("left"), File)
	want := "b=2 b/%00=4 b/%2E%2E=4 b/up=1 (b/up: directory stands in two places: entered at the first only) b/x%2Fy%21=3 stray-51/outer=50 stray-51/outer/astray=7 stray-60/round=61 stray-60/round/round=60 (stray-60/round/round: directory stands in two places: entered at the first only) "
	if got := walked(&n, 1); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDeepNames(t *testing.T) {
	var n Names
	for i := uint32(1); i < 2000; i++ {
		n.Add(i, i+1, 1, []byte("d"), Dir)
	}
	if got := walked(&n, 1); !strings.Contains(got, "more than 512 directories in each other") {
		t.Errorf("got %.200s", got)
	}
}

// naive lays blocks over each other byte by byte.
func naive(blocks []Block, size int64) []uint64 {
	out, age := make([]uint64, size), make([]uint64, size)
	for _, b := range blocks {
		for at := b.Off; at < min(b.Off+b.Size, size); at++ {
			if b.Age >= age[at] {
				out[at], age[at] = b.Ref<<32|uint64(at-b.Off+b.Skip), b.Age
			}
		}
	}
	return out
}

func FuzzOverlay(f *testing.F) {
	f.Add([]byte{0, 10, 5, 10, 2, 3, 0, 30}, byte(25))
	f.Fuzz(func(t *testing.T, in []byte, size byte) {
		var blocks []Block
		for i := 0; i+1 < len(in); i += 2 {
			blocks = append(blocks, Block{Off: int64(in[i]), Size: int64(in[i+1]), Full: int64(in[i+1]), Ref: uint64(i + 1), Age: uint64(i + 1)})
		}
		want := naive(blocks, int64(size))
		seen := Overlay(blocks, int64(size))
		got := naive(seen, int64(size))
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("byte %d: got %#x, want %#x", i, got[i], want[i])
			}
		}
		for i := 1; i < len(seen); i++ {
			if seen[i].Off < seen[i-1].Off+seen[i-1].Size {
				t.Fatalf("%+v and %+v overlap", seen[i-1], seen[i])
			}
		}
	})
}

func TestContent(t *testing.T) {
	blocks := Overlay([]Block{{Off: 10, Size: 20, Full: 20, Ref: 1, Age: 1}, {Off: 25, Size: 10, Full: 10, Ref: 2, Age: 2}}, 40)
	c := NewContent(40, blocks, func(b Block, dst []byte) error {
		for i := range dst {
			dst[i] = byte(b.Ref)*100 + byte(i)
		}
		return nil
	})
	want := make([]byte, 40)
	for i := range 15 {
		want[10+i] = byte(100 + i)
	}
	for i := range 10 {
		want[25+i] = byte(200 + i)
	}
	for at := range want {
		for n := 1; n <= len(want)-at; n++ {
			p := bytes.Repeat([]byte{7}, n)
			if got, err := c.ReadAt(p, int64(at)); got != n || err != nil || !bytes.Equal(p, want[at:at+n]) {
				t.Fatalf("%d bytes at %d: got %v, %v, want %v", n, at, p, err, want[at:at+n])
			}
		}
	}
	if n, err := c.ReadAt(make([]byte, 10), 35); n != 5 || err != io.EOF {
		t.Errorf("at the end: got %d, %v", n, err)
	}
	broken := NewContent(4, []Block{{Size: 4, Full: 4}}, func(Block, []byte) error { return errors.New("broken") })
	if _, err := broken.ReadAt(make([]byte, 2), 1); err == nil {
		t.Error("a block that does not unpack is read")
	}
}
