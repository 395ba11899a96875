package yaffs2

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash/flashtest"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

func TestLayouts(t *testing.T) {
	dir := flashtest.Tree(t)
	for name, l := range layouts {
		for _, extra := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				m := newMaker(l)
				m.extra = extra && !l.first
				m.folder(t, rootObject, dir)
				c := spool.Bytes(m.image)
				got, ok := detect(c, c.Size())
				if !ok || got != l {
					t.Fatalf("layout: got %+v, want %+v", got, l)
				}
				r := flashtest.Unpack(Image, c)
				flashtest.Same(t, r, dir)
				if len(r.Gaps) > 0 {
					t.Errorf("gaps: %s", r.Reasons())
				}
				flashtest.Together(t, Image, c)
				if n, ok := extent(c, 0, c.Size()); !ok || n != c.Size() {
					t.Errorf("extent: got %d, %v, want %d", n, ok, c.Size())
				}
			})
		}
	}
}

// TestOtherReader has the images of our maker read by a program that is not ours.
func TestOtherReader(t *testing.T) {
	dir := flashtest.Tree(t)
	m := newMaker(layouts["2048+64"])
	m.folder(t, rootObject, dir)
	img, out := filepath.Join(t.TempDir(), "img"), t.TempDir()
	if err := os.WriteFile(img, m.image, 0o600); err != nil {
		t.Fatal(err)
	}
	flashtest.Run(t, "unyaffs", img, out)
	want, _ := flashtest.Folder(t, dir)
	got, _ := flashtest.Folder(t, out)
	for p, sum := range want {
		if got[p] != sum && !strings.HasPrefix(p, "link") {
			t.Errorf("%s differs", p)
		}
	}
}

// TestHistory reads what a device that was in use leaves behind.
func TestHistory(t *testing.T) {
	m := newMaker(layouts["2048+64"])
	one, two := flashtest.Words(10_000), flashtest.Noise(10_000)
	etc, old := m.dir(rootObject, "etc"), m.dir(rootObject, "old")
	overwritten := m.file(etc, "overwritten", 0o644, one)
	deleted := m.file(etc, "deleted", 0o644, one)
	unlinked := m.file(etc, "unlinked", 0o644, one)
	moved := m.file(old, "before", 0o644, one)
	cutFile := m.file(etc, "cut", 0o644, one)
	grown := m.file(etc, "grown", 0o644, one)
	replaced := m.file(etc, "replaced", 0o644, one)

	m.sequence += 2
	m.data(overwritten, 2, two[:2048])
	m.header(header{kind: kindFile, parent: deletedObject, name: "deleted", mode: 0o100644}, deleted)
	m.header(header{kind: kindFile, parent: unlinkedObject, name: "unlinked", mode: 0o100644}, unlinked)
	m.header(header{kind: kindFile, parent: etc, name: "after", mode: 0o100600, size: 10_000}, moved)
	m.header(header{kind: kindDir, parent: etc, name: "moved", mode: 0o040755}, old)
	m.file(old, "inside", 0o644, two)
	m.data(cutFile, 2, one[2048:3000])
	m.header(header{kind: kindFile, parent: etc, name: "cut", mode: 0o100644, size: 3000, shrinks: true}, cutFile)
	m.header(header{kind: kindFile, parent: etc, name: "cut", mode: 0o100644, size: 9000}, cutFile)
	m.data(grown, 6, two[:100])
	m.header(header{kind: kindHard, parent: old, name: "hard", equal: overwritten}, m.next)
	m.next++
	m.header(header{kind: kindFile, parent: etc, name: "replaced", mode: 0o100644, size: 3, shadows: replaced}, m.next)
	m.data(m.next, 1, []byte("new"))

	m.write(tag{0x21, 5, 1, 2048}, one) // a checkpoint
	r := flashtest.Unpack(Image, spool.Bytes(m.image))
	sum := flashtest.Sum
	want := map[string]string{
		"etc/overwritten":  sum(bytes.Join([][]byte{one[:2048], two[:2048], one[4096:]}, nil)),
		"etc/after":        sum(one),
		"etc/moved/inside": sum(two),
		"etc/moved/hard":   sum(bytes.Join([][]byte{one[:2048], two[:2048], one[4096:]}, nil)),
		"etc/cut":          sum(append(bytes.Clone(one[:3000]), make([]byte, 6000)...)),
		"etc/grown":        sum(bytes.Join([][]byte{one, make([]byte, 240), two[:100]}, nil)),
		"etc/replaced":     sum([]byte("new")),
	}
	for p, s := range want {
		if r.Files[p] != s {
			t.Errorf("%s: got %q, want %q", p, r.Files[p], s)
		}
	}
	hole := "etc/cut: 6000 of 9000 bytes are not in the image: a hole of the file, or lost\n"
	if len(r.Files) != len(want) || r.Reasons() != hole || r.Err != nil {
		t.Errorf("got %v, %v, %s", r.Order, r.Err, r.Reasons())
	}
}

// small is an image of two files.
func small(l layout) []byte {
	m := newMaker(l)
	etc := m.dir(rootObject, "etc")
	m.file(etc, "os-release", 0o644, []byte("ID=pumpos\n"))
	m.file(etc, "large", 0o755, flashtest.Words(9000))
	return m.image
}

func TestHostile(t *testing.T) {
	b := small(layouts["512+16"])
	for i := range b {
		if i%528 < 512 && i%5 > 0 {
			continue
		}
		c := bytes.Clone(b)
		c[i] ^= 0x55
		flashtest.Covers(t, flashtest.Touch(Image, spool.Bytes(c)), int64(len(c)))
	}
	for n := 0; n < len(b); n += 61 {
		r := flashtest.Touch(Image, spool.Bytes(b[:n]))
		flashtest.Covers(t, r, int64(n))
		if n > 3000 && r.Err == nil && len(r.Gaps) == 0 {
			t.Errorf("cut to %d of %d bytes: no gap", n, len(b))
		}
		extent(bytes.NewReader(b), 0, int64(n))
	}
}

// TestMissing tells of chunks that a file ought to have.
func TestMissing(t *testing.T) {
	b := small(layouts["2048+64"])
	whole := 2048 + 64
	b = append(b[:len(b)-3*whole], b[len(b)-2*whole:]...)
	r := flashtest.Unpack(Image, spool.Bytes(b))
	if !strings.Contains(r.Reasons(), "etc/large: 2048 of 9000 bytes are not in the image") {
		t.Errorf("got %s", r.Reasons())
	}
}

// TestDump reads what begins with a chunk of data, and has a checkpoint and bad pages between.
func TestDump(t *testing.T) {
	for name, l := range layouts {
		m := newMaker(l)
		m.image = nil
		etc := m.dir(rootObject, "etc")
		m.file(etc, "large", 0o644, flashtest.Words(400_000))
		whole := int(l.whole())
		m.image = append(m.image[2*whole:], m.image[:2*whole]...)
		m.write(tag{0x21, 7, 3, 100}, flashtest.Noise(100))
		m.image = append(m.image, make([]byte, whole)...)
		c := spool.Bytes(m.image)
		if !Image.Match(biopsy.File{Path: "mtd3.yaffs2"}, m.image[:512]) || Image.Match(biopsy.File{Path: "mtd3.bin"}, m.image[:512]) {
			t.Errorf("%s: dumps are known by their names", name)
		}
		r := flashtest.Unpack(Image, c)
		if r.Files["etc/large"] != flashtest.Sum(flashtest.Words(400_000)) || len(r.Gaps) > 0 {
			t.Errorf("%s: got %v, %v, %s", name, r.Files, r.Err, r.Reasons())
		}
	}
}

func TestNotOurs(t *testing.T) {
	for _, b := range [][]byte{nil, make([]byte, 4096), flashtest.Noise(8192), flashtest.Words(8192), bytes.Repeat([]byte{0xff}, 8192)} {
		if Image.Match(biopsy.File{}, b) {
			t.Errorf("matches %q", b[:20])
		}
		if n, ok := extent(bytes.NewReader(b), 0, int64(len(b))); ok {
			t.Errorf("extent of %d bytes", n)
		}
	}
}

func FuzzImage(f *testing.F) {
	for _, name := range []string{"512+16", "yaffs1", "yaffs1 big", "2048+64 big"} {
		f.Add(small(layouts[name]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := flashtest.Touch(Image, spool.Bytes(b))
		flashtest.Covers(t, r, int64(len(b)))
		if n, ok := extent(bytes.NewReader(b), 0, int64(len(b))); ok && n > int64(len(b)) {
			t.Errorf("extent: got %d of %d bytes", n, len(b))
		}
	})
}

func BenchmarkUnpack(b *testing.B) {
	m := newMaker(layouts["2048+64"])
	for range 100 {
		m.file(rootObject, "file", 0o644, flashtest.Noise(300_000))
	}
	c := spool.Bytes(m.image)
	b.SetBytes(c.Size())
	b.ReportAllocs()
	for b.Loop() {
		if r := flashtest.Unpack(Image, c); r.Err != nil || len(r.Files) == 0 {
			b.Fatal(r.Err)
		}
	}
}
