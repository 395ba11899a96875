package squashfs

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
	"github.com/biopsy-sca/biopsy/internal/lazy/imagetest"
)

// tiny reads the images of testdata: one folder, packed in each way with blocks of 16 KiB.
func tiny(t testing.TB) map[string][]byte { return imagetest.Samples(t, "testdata/*.squashfs") }

func tinySums() map[string]string {
	release := "NAME=\"tiny\"\nVERSION_ID=1\n"
	return imagetest.Sums([]imagetest.Member{
		{"etc/os-release", "-rw-r--r--", release},
		{"usr/release", "-rw-r--r--", release},
		{"usr/bin/numbers", "-rwxr-xr-x", imagetest.Numbers(3000)},
		{"usr/bin/more", "-rwxr-xr-x", imagetest.Numbers(6000)},
		{"hole", "-rw-r--r--", string(make([]byte, 20000))},
	}...)
}

func TestTiny(t *testing.T) {
	for name, b := range tiny(t) {
		imagetest.Compare(t, name, imagetest.Open(Image, lazy.Bytes(b), biopsy.DefaultLimits), tinySums())
	}
}

func TestTruncated(t *testing.T) {
	for name, b := range tiny(t) {
		imagetest.Truncated(t, Image, name, b, tinySums())
	}
}

func TestBitFlips(t *testing.T) {
	for _, b := range tiny(t) {
		imagetest.BitFlips(Image, b)
	}
}

func TestExtentRefuses(t *testing.T) {
	good := tiny(t)["gzip.squashfs"]
	if n, ok := Image.Extent(bytes.NewReader(good), 0, int64(len(good))); !ok || n != int64(len(good)) {
		t.Fatalf("extent of a good image: got %d, %v, want %d", n, ok, len(good))
	}
	for _, at := range []int{1, 4, 14, 15, 22, 28, 45, 50, 70, 78} { // magic, inodes, block, log, version, size, tables
		bad := bytes.Clone(good)
		bad[at] ^= 0xff
		if at == 4 {
			copy(bad[4:], "\x00\x00\x00\x00")
		}
		if n, ok := Image.Extent(bytes.NewReader(bad), 0, int64(len(bad))); ok {
			t.Errorf("byte %d changed: got an extent of %d", at, n)
		}
	}
	if _, ok := Image.Extent(bytes.NewReader(good), 0, int64(len(good))-1); ok {
		t.Error("an image larger than what is left has an extent")
	}
}

// oldSuper makes a superblock of version 2.1.
func oldSuper(magic string, order binary.ByteOrder) []byte {
	b := make([]byte, 8192)
	copy(b, magic)
	order.PutUint32(b[4:], 12)
	order.PutUint32(b[8:], 8000)
	order.PutUint16(b[28:], 2)
	order.PutUint16(b[30:], 1)
	order.PutUint16(b[34:], 16)
	order.PutUint32(b[51:], 65536)
	return b
}

func TestOldVersions(t *testing.T) {
	for _, c := range []struct {
		image []byte
		want  string
	}{
		{oldSuper("sqsh", be), "squashfs 2.1 big-endian: not read"},
		{oldSuper("hsqs", le), "squashfs 2.1 little-endian: not read"},
		{oldSuper("shsq", le), "squashfs 2.1 little-endian: not read"},
		{oldSuper("tqsh", be), "squashfs 2.1 big-endian: not read"},
	} {
		if n, ok := Image.Extent(bytes.NewReader(c.image), 0, 8192); !ok || n != 8000 {
			t.Errorf("%s: extent %d, %v, want 8000", c.want, n, ok)
		}
		got := imagetest.Open(Image, lazy.Bytes(c.image), imagetest.Small)
		if got.Err != nil || len(got.Gaps) != 1 || got.Gaps[0].Reason != c.want || got.Gaps[0].Size != 8000 {
			t.Errorf("got error %v, gaps %+v, want %q", got.Err, got.Gaps, c.want)
		}
		imagetest.Ledger(t, c.want, got.Ledgers, 8192)
	}
}

// TestLoop lets a directory hold itself.
func TestLoop(t *testing.T) {
	img := tiny(t)["gzip.squashfs"]
	i := newImage(t.Context(), lazy.Bytes(img), mustSuper(t, img), biopsy.UnpackOptions{Gap: func(biopsy.Gap) {}, Yield: func(biopsy.File) error { return nil }})
	if err := i.walk(); err != nil {
		t.Fatal(err)
	}
	var gap string
	i.Gap = func(g biopsy.Gap) { gap = g.Reason }
	if err := i.show("again", i.root, 1); err != nil || !strings.Contains(gap, "twice") {
		t.Errorf("got %v and the gap %q, want one that says twice", err, gap)
	}
}

func mustSuper(t *testing.T, b []byte) super {
	s, ok := parseSuper(b)
	if !ok || !s.sane() {
		t.Fatal("no superblock")
	}
	return s
}

func FuzzUnpack(f *testing.F) {
	for _, b := range tiny(f) {
		f.Add(b)
	}
	f.Add(oldSuper("sqsh", be))
	f.Add(version3(be, true).image)
	f.Add(version3(le, false).image)
	f.Fuzz(func(t *testing.T, b []byte) {
		imagetest.Open(Image, lazy.Bytes(b), imagetest.Small)
		Image.Extent(bytes.NewReader(b), 0, int64(len(b)))
	})
}

// TestVendors reads lzma and xz where the superblock says gzip, under the magics of vendors.
func TestVendors(t *testing.T) {
	for _, name := range []string{"lzma.squashfs", "xz.squashfs"} {
		b := bytes.Clone(tiny(t)[name])
		copy(b, "shsq")
		b[20] = 1
		imagetest.Compare(t, name, imagetest.Open(Image, lazy.Bytes(b), biopsy.DefaultLimits), tinySums())
	}
}
