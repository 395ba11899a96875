package cramfs

import (
	"bytes"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
	"github.com/biopsy-sca/biopsy/internal/lazy/imagetest"
)

// tiny reads the images of testdata: one folder.
func tiny(t testing.TB) map[string][]byte { return imagetest.Samples(t, "testdata/*.cramfs") }

func tinySums() map[string]string {
	release := "NAME=\"tiny\"\nVERSION_ID=1\n"
	return imagetest.Sums([]imagetest.Member{
		{"etc/os-release", "-rw-r--r--", release},
		{"usr/release", "-rw-r--r--", release},
		{"usr/bin/numbers", "-rwxr-xr-x", imagetest.Numbers(1000)},
		{"usr/bin/more", "-rwxr-xr-x", strings.Repeat(imagetest.Numbers(200), 50)},
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
	good := tiny(t)["little.cramfs"]
	if n, ok := Image.Extent(bytes.NewReader(good), 0, int64(len(good))); !ok || n != int64(len(good)) {
		t.Fatalf("extent of a good image: got %d, %v, want %d", n, ok, len(good))
	}
	for _, at := range []int{0, 7, 10, 20, 65} { // magic, size, flags, signature, root
		bad := bytes.Clone(good)
		bad[at] ^= 0xff
		if n, ok := Image.Extent(bytes.NewReader(bad), 0, int64(len(bad))); ok {
			t.Errorf("byte %d changed: got an extent of %d", at, n)
		}
	}
	if _, ok := Image.Extent(bytes.NewReader(good), 0, int64(len(good))-1); ok {
		t.Error("an image larger than what is left has an extent")
	}
}

func FuzzUnpack(f *testing.F) {
	for _, b := range tiny(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		imagetest.Open(Image, lazy.Bytes(b), imagetest.Small)
		Image.Extent(bytes.NewReader(b), 0, int64(len(b)))
	})
}
