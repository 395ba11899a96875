package erofs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
)

// tiny reads the images of testdata: one folder.
func tiny(t testing.TB) map[string][]byte {
	names, err := filepath.Glob("testdata/*.erofs")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	images := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		images[filepath.Base(name)] = b
	}
	return images
}

// numbers is what seq(1) prints.
func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i+1)
	}
	return b.String()
}

func tinySums() map[string]string {
	release := "NAME=\"tiny\"\nVERSION_ID=1\n"
	sums := map[string]string{}
	for _, f := range []struct{ path, mode, text string }{
		{"etc/os-release", "-rw-r--r--", release},
		{"usr/release", "-rw-r--r--", release},
		{"usr/bin/numbers", "-rwxr-xr-x", numbers(1000)},
		{"usr/bin/more", "-rwxr-xr-x", strings.Repeat(numbers(200), 50)},
		{"hole", "-rw-r--r--", string(make([]byte, 20000))},
	} {
		sum := sha256.Sum256([]byte(f.text))
		sums[f.path] = f.mode + " " + hex.EncodeToString(sum[:])
	}
	return sums
}

func TestTiny(t *testing.T) {
	for name, b := range tiny(t) {
		compare(t, name, unpackAll(lazy.Bytes(b), biopsy.DefaultLimits), tinySums())
	}
}

// small keeps hostile images cheap.
var small = biopsy.Limits{Files: 1000, FileSize: 1 << 20, TotalSize: 16 << 20, Ratio: 1000}

// complained tells whether a damage was told in some way.
func (f found) complained() bool { return f.err != nil || len(f.gaps) > 0 }

func TestTruncated(t *testing.T) {
	want := tinySums()
	for name, b := range tiny(t) {
		for n := 0; n < len(b)-1; n += 1 + n/20 {
			got := unpackAll(lazy.Bytes(b[:n]), small)
			if !got.complained() {
				t.Errorf("%s cut to %d of %d bytes: nothing said", name, n, len(b))
			}
			for path, sum := range got.sums {
				if want[path] != sum {
					t.Errorf("%s cut to %d bytes: %s has other bytes", name, n, path)
				}
			}
		}
	}
}

func TestBitFlips(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for name, b := range tiny(t) {
		for range 400 {
			bad := bytes.Clone(b)
			for range 1 + r.Intn(3) {
				bad[r.Intn(len(bad))] ^= 1 << r.Intn(8)
			}
			unpackAll(lazy.Bytes(bad), small)
		}
		if t.Failed() {
			t.Log(name)
		}
	}
}

func TestExtentRefuses(t *testing.T) {
	good := tiny(t)["lz4.erofs"]
	if n, ok := Image.Extent(bytes.NewReader(good), 0, int64(len(good))); !ok || n != int64(len(good)) {
		t.Fatalf("extent of a good image: got %d, %v, want %d", n, ok, len(good))
	}
	for _, at := range []int{1024, 1028, 1036, 1038, 1060, 1064, 1100} { // magic, sum, block, root, blocks, inodes, name
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

// TestFeatures refuses an image that has what we do not know.
func TestFeatures(t *testing.T) {
	b := bytes.Clone(tiny(t)["lz4.erofs"])
	b[superAt+80] |= 0x80
	got := unpackAll(lazy.Bytes(b), small)
	if got.err != nil || len(got.gaps) != 1 || !strings.Contains(got.gaps[0].Reason, "0x80: not read") {
		t.Errorf("got error %v, gaps %+v", got.err, got.gaps)
	}
	checkLedger(t, "features", got.ledgers, int64(len(b)))
}

// numberBytes are bytes that nothing unpacks.
func numberBytes() []byte { return []byte(numbers(500)) }

func FuzzUnpack(f *testing.F) {
	for _, b := range tiny(f) {
		f.Add(b)
	}
	for method := range byte(4) {
		b, _ := handmade(method, numberBytes(), numberBytes())
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		unpackAll(lazy.Bytes(b), small)
		Image.Extent(bytes.NewReader(b), 0, int64(len(b)))
	})
}
