package jffs2

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/flash"
	"github.com/biopsy-sca/biopsy/internal/flash/flashtest"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

func TestMade(t *testing.T) {
	dir := flashtest.Tree(t)
	for _, c := range []struct {
		name string
		args []string
	}{
		{"little", []string{"-l"}},
		{"big", []string{"-b"}},
		{"no clean markers", []string{"-l", "-n"}},
		{"padded", []string{"-l", "-p"}},
		{"lzo", []string{"-l", "-X", "lzo", "-y", "60:lzo", "-x", "zlib"}},
		{"rtime", []string{"-b", "-x", "zlib", "-x", "lzo"}},
		{"plain", []string{"-l", "-m", "none"}},
		{"small pages", []string{"-l", "-s", "1024"}},
		{"large pages", []string{"-b", "-s", "65536"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			img := filepath.Join(t.TempDir(), "img")
			flashtest.Run(t, "mkfs.jffs2", append([]string{"-q", "-r", dir, "-o", img, "-e", "128KiB"}, c.args...)...)
			content := flashtest.File(t, img)
			r := flashtest.Unpack(Image, content)
			flashtest.Same(t, r, dir)
			if len(r.Gaps) > 0 {
				t.Errorf("gaps: %s", r.Reasons())
			}
			flashtest.Together(t, Image, content)
			if n, ok := extent(content, 0, content.Size()); !ok || n != content.Size() {
				t.Errorf("extent: got %d, %v, want %d", n, ok, content.Size())
			}
		})
	}
}

// check compares what was read with the files that ought to be there.
func check(t *testing.T, r flashtest.Result, want map[string][]byte, gaps string) {
	t.Helper()
	for p, b := range want {
		if r.Files[p] != flashtest.Sum(b) {
			t.Errorf("%s: got %q, want the digest of %d bytes", p, r.Files[p], len(b))
		}
	}
	if len(r.Files) != len(want) || r.Err != nil {
		t.Errorf("got %v, error %v, want %d files", r.Order, r.Err, len(want))
	}
	if got := r.Reasons(); (gaps == "") != (got == "") || !strings.Contains(got, gaps) {
		t.Errorf("got gaps %q, want %q", got, gaps)
	}
}

// TestHistory reads what a device that was in use leaves behind.
func TestHistory(t *testing.T) {
	one, two := flashtest.Words(4096), flashtest.Noise(4096)
	join := func(b ...[]byte) []byte { return bytes.Join(b, nil) }
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		m := maker{order: order}
		m.clean()
		m.name(1, 1, 2, "etc", 4)
		m.name(1, 2, 3, "old", 4)
		m.name(2, 2, 10, "layers", 8)
		m.data(10, 3, 9000, 4096, 4096, 0, two)      // nodes stand in any order
		m.data(10, 1, 4096, 0, 4096, 0, one)         //
		m.data(10, 2, 8192, 4096, 4096, 0, one)      // covered by version 3
		m.data(10, 4, 9000, 1000, 100, 0, two[:100]) // covers a part of version 1
		m.data(10, 5, 9000, 8192, 808, methodZero, nil)
		m.name(2, 1, 11, "deleted", 8)
		m.data(11, 1, 10, 0, 10, 0, one[:10])
		m.name(2, 3, 0, "deleted", 0)
		m.name(3, 1, 12, "before", 8)
		m.data(12, 1, 10, 0, 10, 0, one[:10])
		m.name(2, 5, 12, "after", 8)
		m.name(3, 2, 0, "before", 0)
		m.name(1, 3, 0, "old", 0) // a directory that is renamed
		m.name(2, 6, 3, "new", 4)
		m.name(3, 3, 13, "inside", 8)
		m.data(13, 1, 0, 0, 0, 0, nil)
		m.name(3, 4, 10, "hard link", 8)
		m.name(2, 7, 14, "cut", 8)
		m.data(14, 1, 4096, 0, 4096, 0, one)
		m.data(14, 2, 100, 100, 0, 0, nil)
		m.data(14, 3, 300, 100, 200, methodZero, nil)
		m.name(2, 8, 15, "device", 2)
		m.name(2, 9, 16, "spot", 8)
		m.data(16, 1, 10, 0, 10, 0, one[:10])
		stale := m.data(16, 2, 10, 0, 10, 0, two[:10])
		order.PutUint16(m.image[stale+2:], typeInode&^flagAccurate) // made obsolete in place
		m.node(typeSummary, make([]byte, 32))
		layers := join(one[:1000], two[:100], one[1100:], two, make([]byte, 808))
		check(t, flashtest.Unpack(Image, spool.Bytes(m.image)), map[string][]byte{
			"etc/layers": layers, "etc/after": one[:10], "etc/new/inside": nil, "etc/new/hard link": layers,
			"etc/cut": append(bytes.Clone(one[:100]), make([]byte, 200)...), "etc/spot": one[:10],
		}, "")
	}
}

func TestMethods(t *testing.T) {
	mips := [8]int{277, 249, 290, 267, 229, 341, 212, 241}
	for _, plain := range [][]byte{flashtest.Words(4096), flashtest.Noise(500), make([]byte, 3000), []byte("a"), bytes.Repeat([]byte("ab"), 700)} {
		m := maker{order: binary.LittleEndian}
		want := map[string][]byte{}
		dynamic := append([]byte{128, 120, 130, 140, 1, 255, 100, 20}, packRubin(plain, 256, [8]int{128, 120, 130, 140, 1, 255, 100, 20})...)
		for method, packed := range map[byte][]byte{methodRtime: packRtime(plain), methodRubin: packRubin(plain, 1043, mips), methodDynamic: dynamic, methodCopy: plain} {
			name := fmt.Sprintf("method %d", method)
			m.name(1, 1, 10+uint32(method), name, 8)
			m.data(10+uint32(method), 1, uint32(len(plain)), 0, uint32(len(plain)), method, packed)
			want[name] = plain
		}
		check(t, flashtest.Unpack(Image, spool.Bytes(m.image)), want, "")
	}
}

func TestDamage(t *testing.T) {
	one := flashtest.Words(4096)
	m := maker{order: binary.LittleEndian}
	m.name(1, 1, 10, "file", 8)
	m.data(10, 1, 4096, 0, 4096, 0, one)
	at := m.data(10, 2, 4096, 0, 4096, 0, flashtest.Noise(4096))
	m.image[at+inodeSize+7] ^= 1
	r := flashtest.Unpack(Image, spool.Bytes(m.image))
	check(t, r, map[string][]byte{"file": one}, "file: node at offset 4208 fails its checksum")

	m = maker{order: binary.LittleEndian}
	m.clean()
	m.name(1, 1, 10, "file", 8)
	m.name(1, 2, 11, "loop", 4)
	m.name(11, 1, 11, "loop", 4)
	m.name(11, 2, 1, "..", 4)
	m.name(77, 2, 10, "astray", 8)
	m.data(10, 1, 4096, 0, 4096, 9, one)
	r = flashtest.Unpack(Image, spool.Bytes(m.image))
	if !strings.Contains(r.Files["file"], "method 9") || !strings.Contains(r.Reasons(), "two places") || len(r.Files) != 1 {
		t.Errorf("got %v, %s", r.Files, r.Reasons())
	}
}

// TestStray reads a directory whose own name is damaged.
func TestStray(t *testing.T) {
	m := maker{order: binary.LittleEndian}
	m.clean()
	at := m.name(1, 1, 5, "usr", 4)
	m.name(5, 1, 10, "pumpd", 8)
	m.data(10, 1, 4, 0, 4, 0, []byte("pump"))
	check(t, flashtest.Unpack(Image, spool.Bytes(m.image)), map[string][]byte{"usr/pumpd": []byte("pump")}, "")
	m.image[at+nameSize] ^= 1
	check(t, flashtest.Unpack(Image, spool.Bytes(m.image)), map[string][]byte{"directory-5/pumpd": []byte("pump")}, "directory-5: directory of 1 names has lost its own")
}

func TestSpareBytes(t *testing.T) {
	dir := flashtest.Tree(t)
	img := filepath.Join(t.TempDir(), "img")
	flashtest.Run(t, "mkfs.jffs2", "-q", "-r", dir, "-o", img, "-e", "128KiB", "-l", "-n", "-p")
	b, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range flash.Geometries {
		c := spool.Bytes(flashtest.Spare(b, g))
		r := flashtest.Unpack(Image, c)
		flashtest.Same(t, r, dir)
		if len(r.Gaps) > 0 {
			t.Errorf("%+v: gaps: %s", g, r.Reasons())
		}
		if n, ok := extent(c, 0, c.Size()); !ok || n != c.Size() {
			t.Errorf("%+v: extent: got %d, %v, want %d", g, n, ok, c.Size())
		}
		if len(r.Spans) != 1 || !strings.Contains(r.Spans[0].What, fmt.Sprint(g.Spare, " spare bytes")) {
			t.Errorf("%+v: ledger %+v", g, r.Spans)
		}
	}
}

// TestHostile flips and cuts the bytes of a real image: nothing may panic or hang, and what is told never is silent.
func TestHostile(t *testing.T) {
	b := small(t)
	whole := flashtest.Unpack(Image, spool.Bytes(b))
	for i := 0; i < len(b); i++ {
		c := bytes.Clone(b)
		c[i] ^= 0x55
		r := flashtest.Unpack(Image, spool.Bytes(c))
		if r.Err == nil && len(r.Gaps) == 0 && !maps.Equal(r.Files, whole.Files) {
			t.Errorf("byte %d: got %v without a gap", i, r.Files)
		}
	}
	for n := 0; n < len(b); n += 13 {
		flashtest.Touch(Image, spool.Bytes(b[:n]))
		extent(bytes.NewReader(b), 0, int64(n))
	}
}

// small reads testdata/small.img, made by mkfs.jffs2 -l -e 16KiB -U out of three files.
func small(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/small.img")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSmall(t *testing.T) {
	check(t, flashtest.Unpack(Image, spool.Bytes(small(t))), map[string][]byte{
		"etc/os-release": []byte("ID=pumpos\nVERSION_ID=4.2\n"), "usr/bin/pumpd": flashtest.Words(9000), "etc/empty": nil,
	}, "")
}

func FuzzImage(f *testing.F) {
	f.Add(small(f))
	m := maker{order: binary.BigEndian}
	m.name(1, 1, 2, "a", 4)
	m.name(2, 1, 10, "b", 8)
	m.data(10, 1, 500, 0, 400, methodRtime, packRtime(flashtest.Words(400)))
	m.data(10, 2, 500, 200, 300, methodZero, nil)
	m.data(10, 3, 500, 100, 50, methodDynamic, make([]byte, 20))
	f.Add(m.image)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := flashtest.Touch(Image, spool.Bytes(b))
		if n, ok := extent(bytes.NewReader(b), 0, int64(len(b))); ok && n > int64(len(b)) {
			t.Errorf("extent: got %d of %d bytes", n, len(b))
		}
		flashtest.Covers(t, r, int64(len(b)))
	})
}

func BenchmarkUnpack(b *testing.B) {
	dir := os.Getenv("BIOPSY_CORPORA")
	if dir == "" {
		b.Skip("BIOPSY_CORPORA is not set")
	}
	c := flashtest.File(b, filepath.Join(dir, "firmware", "jffs2.img"))
	b.SetBytes(c.Size())
	b.ReportAllocs()
	for b.Loop() {
		if r := flashtest.Unpack(Image, c); r.Err != nil || len(r.Files) == 0 {
			b.Fatal(r.Err)
		}
	}
}
