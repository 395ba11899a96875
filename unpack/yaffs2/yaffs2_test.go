package yaffs2

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	if len(r.Files) != len(want) || len(r.Gaps) > 0 || r.Err != nil {
		t.Errorf("got %v, %v, %s", r.Order, r.Err, r.Reasons())
	}
}
