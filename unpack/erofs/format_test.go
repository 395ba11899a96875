package erofs

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
	"github.com/biopsy-sca/biopsy/internal/lazy/imagetest"
)

// packedBytes returns a file of the decoders' tests.
func packedBytes(t *testing.T, name string) []byte {
	b, err := os.ReadFile(filepath.Join("../../internal/codec/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// handmade makes an image whose files are packed by a method that mkfs.erofs may not know, and end in the packed file:
// "text" is one packed cluster, "all" lies in the packed file, "end" ends in it behind a plain cluster.
func handmade(method byte, packed, text []byte) ([]byte, map[string]string) {
	const block = 4096
	b := make([]byte, 6*block)
	put := func(at int, words ...uint16) {
		for i, w := range words {
			le.PutUint16(b[at+2*i:], w)
		}
	}
	inode := func(number, layout int, mode uint16, size, extra int) int {
		at := 32 * number
		put(at, uint16(layout<<1), 0, mode, 1, uint16(size), uint16(size>>16), 0, 0, uint16(extra))
		return at + 32
	}
	copy(b[superAt:], magic)
	b[superAt+12] = 12
	put(superAt+14, 36)
	b[superAt+16], b[superAt+36], b[superAt+80], b[superAt+96] = 5, 6, 0x21, 60

	names := []byte("allendtext")
	inode(36, flatPlain, 0o040755, 3*direntSize+len(names), 1)
	for i, e := range []struct{ number, from int }{{50, 0}, {70, 3}, {40, 6}} {
		put(block+direntSize*i, uint16(e.number), 0, 0, 0, uint16(3*direntSize+e.from), kindFile)
	}
	copy(b[block+3*direntSize:], names)

	at := inode(40, packedFull, 0o100644, len(text), 0)
	b[at+6] = method
	put(at+16, clusterHead1, 0, 2, 0)
	copy(b[3*block-len(packed):], packed)

	at = inode(50, packedFull, 0o100644, 1000, 0)
	b[at], b[at+7] = 100, 0x80

	inode(60, flatPlain, 0o100600, len(text), 3)
	copy(b[3*block:], text)

	at = inode(70, packedFull, 0o100644, block+500, 0)
	put(at, 200, 0, packedFragment)
	put(at+16, clusterPlain, 0, 4, 0, clusterHead1, 0, 0, 0)
	whole := bytes.Repeat([]byte("plain "), block)[:block]
	copy(b[4*block:], whole)

	sums := map[string]string{}
	for name, content := range map[string][]byte{"text": text, "all": text[100:1100], "end": append(whole, text[200:700]...)} {
		sum := sha256.Sum256(content)
		sums[name] = "-rw-r--r-- " + hex.EncodeToString(sum[:])
	}
	return b, sums
}

func TestMethods(t *testing.T) {
	text := packedBytes(t, "words.txt")
	var deflated bytes.Buffer
	w, err := flate.NewWriter(&deflated, 9)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(text)
	w.Close()
	for method, packed := range [][]byte{1: packedBytes(t, "words.microlzma"), 2: deflated.Bytes(), 3: packedBytes(t, "words.zstd")} {
		if packed == nil {
			continue
		}
		img, want := handmade(byte(method), packed, text)
		imagetest.Compare(t, string(packings[method]), imagetest.Open(Image, lazy.Bytes(img), biopsy.DefaultLimits), want)
	}
	img, _ := handmade(4, nil, text)
	got := imagetest.Open(Image, lazy.Bytes(img), biopsy.DefaultLimits)
	if len(got.Gaps) != 1 || got.Gaps[0].Place.Path != "text" {
		t.Errorf("a method that nobody knows: got gaps %v, want one for text", got.Gaps)
	}
}
