package squashfs

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
	"github.com/biopsy-sca/biopsy/internal/lazy/imagetest"
)

// bitWriter writes the bit fields of version 3.
type bitWriter struct {
	b   []byte
	at  int
	big bool
}

func (w *bitWriter) put(v uint64, n int) *bitWriter {
	for k := range n {
		if w.at/8 == len(w.b) {
			w.b = append(w.b, 0)
		}
		if w.big {
			w.b[w.at/8] |= byte(v>>(n-1-k)&1) << (7 - w.at%8)
		} else {
			w.b[w.at/8] |= byte(v>>k&1) << (w.at % 8)
		}
		w.at++
	}
	return w
}

// oldImage is an image of version 3.1 in the making.
type oldImage struct {
	image []byte
	sums  map[string]string

	order       binary.AppendByteOrder
	big, marked bool
	inodes      []byte
	dirs        []byte
	tails       []byte
	number      uint64
}

const oldBlock = 16 << 10

func deflated(b []byte) []byte {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	w.Write(b)
	w.Close()
	return z.Bytes()
}

// meta packs a block of metadata, unless that makes it longer.
func (o *oldImage) meta(b []byte) []byte {
	z := deflated(b)
	size := uint16(len(z))
	if len(z) >= len(b) {
		z, size = b, uint16(len(b))|metaPlain
	}
	out := o.order.AppendUint16(nil, size)
	if o.marked {
		out = append(out, 0xff)
	}
	return append(out, z...)
}

// inode begins an inode and returns its offset.
func (o *oldImage) inode(kind, mode uint64) (*bitWriter, int) {
	w := &bitWriter{big: o.big}
	o.number++
	w.put(kind, 4).put(mode, 12).put(0, 8).put(255, 8).put(0, 32).put(o.number, 32)
	return w, len(o.inodes)
}

// file adds a file of whole blocks and a tail, and returns its inode's offset.
func (o *oldImage) file(path, text string, long bool) int {
	var lengths []uint32
	start := len(o.image)
	whole := len(text) / oldBlock * oldBlock
	for at := 0; at < whole; at += oldBlock {
		block := []byte(text[at : at+oldBlock])
		if !bytes.ContainsFunc(block, func(r rune) bool { return r != 0 }) {
			lengths = append(lengths, 0)
			continue
		}
		z := deflated(block)
		o.image = append(o.image, z...)
		lengths = append(lengths, uint32(len(z)))
	}
	offset := len(o.tails)
	o.tails = append(o.tails, text[whole:]...)
	kind := uint64(kindFile)
	if long {
		kind = kindLong
	}
	w, at := o.inode(kind, 0o755)
	if long {
		w.put(1, 32)
	}
	w.put(uint64(start), 64).put(0, 32).put(uint64(offset), 32)
	if long {
		w.put(uint64(len(text)), 64)
	} else {
		w.put(uint64(len(text)), 32)
	}
	o.inodes = append(o.inodes, w.b...)
	for _, n := range lengths {
		o.inodes = o.order.AppendUint32(o.inodes, n)
	}
	sum := sha256.Sum256([]byte(text))
	o.sums[path] = "-rwxr-xr-x " + hex.EncodeToString(sum[:])
	return at
}

type oldEntry struct {
	name  string
	kind  uint64
	inode int
}

func (o *oldImage) dir(long bool, entries ...oldEntry) int {
	start := len(o.dirs)
	w := &bitWriter{big: o.big}
	w.put(uint64(len(entries)-1), 8).put(0, 32).put(1, 32)
	for _, e := range entries {
		w.put(uint64(e.inode), 13).put(e.kind, 3).put(uint64(len(e.name)-1), 8).put(0, 16)
		for _, c := range []byte(e.name) {
			w.put(uint64(c), 8)
		}
	}
	o.dirs = append(o.dirs, w.b...)
	size := uint64(len(w.b) + 3)
	if long {
		n, at := o.inode(kindLongDir, 0o755)
		n.put(2, 32).put(size, 27).put(uint64(start), 13).put(0, 32).put(0, 16).put(0, 32)
		o.inodes = append(o.inodes, n.b...)
		return at
	}
	n, at := o.inode(kindDir, 0o755)
	n.put(2, 32).put(size, 19).put(uint64(start), 13).put(0, 32).put(0, 32)
	o.inodes = append(o.inodes, n.b...)
	return at
}

// version3 makes an image with inodes of all kinds that matter.
func version3(order binary.AppendByteOrder, marked bool) *oldImage {
	o := &oldImage{order: order, big: order.String() == "BigEndian", marked: marked, sums: map[string]string{}, image: make([]byte, superSize)}
	release := oldEntry{"release", kindFile, o.file("release", "VERSION_ID=3\n", false)}
	more := oldEntry{"more", kindFile, o.file("etc/more", imagetest.Numbers(6000), false)}
	long := oldEntry{"long", kindFile, o.file("etc/long", string(make([]byte, oldBlock))+imagetest.Numbers(4000), true)}
	etc := oldEntry{"etc", kindDir, o.dir(false, long, more)}
	root := o.dir(true, etc, release)

	fragment := len(o.image)
	tails := deflated(o.tails)
	o.image = append(o.image, tails...)
	inodes := len(o.image)
	o.image = append(o.image, o.meta(o.inodes)...)
	dirs := len(o.image)
	o.image = append(o.image, o.meta(o.dirs)...)
	entries := len(o.image)
	o.image = append(o.image, o.meta(order.AppendUint32(order.AppendUint32(order.AppendUint64(nil, uint64(fragment)), uint32(len(tails))), 0))...)
	fragments := len(o.image)
	o.image = order.AppendUint64(o.image, uint64(entries))
	users := len(o.image)
	o.image = order.AppendUint64(o.image, 0) // one user, one group

	s := &bitWriter{big: o.big}
	flags := uint64(0)
	if marked {
		flags = 4
	}
	s.put(0x73717368, 32).put(o.number, 32).put(0, 32*5).put(3, 16).put(1, 16).put(oldBlock&0xffff, 16).put(14, 16).put(flags, 8).put(1, 8).put(1, 8)
	s.put(0, 32).put(uint64(root), 64).put(oldBlock, 32).put(1, 32).put(0, 32).put(uint64(len(o.image)), 64).put(uint64(users), 64).put(uint64(users+4), 64)
	s.put(uint64(inodes), 64).put(uint64(dirs), 64).put(uint64(fragments), 64).put(1<<64-1, 64)
	copy(o.image, s.b)
	return o
}

func TestVersion3(t *testing.T) {
	for _, o := range []*oldImage{version3(le, false), version3(be, false), version3(le, true), version3(be, true)} {
		name := o.order.String()
		imagetest.Compare(t, name, imagetest.Open(Image, lazy.Bytes(o.image), biopsy.DefaultLimits), o.sums)
		size := int64(len(o.image))
		if n, ok := Image.Extent(bytes.NewReader(o.image), 0, size); !ok || n != size {
			t.Errorf("%s: extent %d, %v, want %d", name, n, ok, size)
		}
		if !o.marked {
			byUnsquashfs(t, o)
		}
	}
}

// byUnsquashfs makes sure that the program of the format reads our image as we do.
func byUnsquashfs(t *testing.T, o *oldImage) {
	if _, err := exec.LookPath("unsquashfs"); err != nil {
		return
	}
	dir := t.TempDir()
	img := filepath.Join(dir, "img")
	if err := os.WriteFile(img, o.image, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("unsquashfs", "-no-progress", "-no-xattrs", "-dest", filepath.Join(dir, "out"), img).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: unsquashfs: %v\n%s", o.order, err, out)
	}
	sums := imagetest.TreeSums(t, filepath.Join(dir, "out"))
	if len(sums) != len(o.sums) {
		t.Errorf("%s: unsquashfs finds %d files, want %d", o.order, len(sums), len(o.sums))
	}
	for path, sum := range sums {
		if o.sums[path] != sum {
			t.Errorf("%s: unsquashfs finds %s as %q, want %q", o.order, path, sum, o.sums[path])
		}
	}
}
