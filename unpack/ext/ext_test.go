package ext

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy/imagetest"
)

// disk is an image file as content.
type disk struct {
	io.ReaderAt
	size int64
}

func (d disk) Size() int64 { return d.size }
func (disk) Close() error  { return nil }

func inMemory(b []byte) disk { return disk{bytes.NewReader(b), int64(len(b))} }

// found is what an image holds.
type found struct {
	files map[string]string // digest and mode by path; what failed instead of a digest
	gaps  []string
	spans []biopsy.Span
	err   error
}

func look(t testing.TB, c biopsy.Content) found {
	t.Helper()
	f := found{files: map[string]string{}}
	f.err = Ext.Unpack(context.Background(), biopsy.File{Path: "x.img"}, c, biopsy.UnpackOptions{
		Limits: biopsy.DefaultLimits,
		Yield: func(m biopsy.File) error {
			if _, twice := f.files[m.Path]; twice {
				t.Errorf("%s: yielded twice", m.Path)
			}
			f.files[m.Path] = fmt.Sprintf("%v %s", m.Mode, digest(m))
			return nil
		},
		Gap:    func(g biopsy.Gap) { f.gaps = append(f.gaps, g.Place.String()+": "+g.Reason) },
		Ledger: func(s []biopsy.Span) { f.spans = s },
	})
	return f
}

func digest(m biopsy.File) string {
	if m.Size > 128<<20 {
		return "too large for a test"
	}
	c, err := m.Open()
	if err != nil {
		return err.Error()
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(c, 0, c.Size())); err != nil {
		return err.Error()
	}
	if c.Size() != m.Size {
		return fmt.Sprintf("%d bytes instead of %d", c.Size(), m.Size)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// want is what a directory of the operating system holds.
func want(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		name, err := filepath.Rel(dir, p)
		files[strings.ReplaceAll(name, "!", "%21")] = fmt.Sprintf("%v %s", info.Mode().Perm(), hex.EncodeToString(h.Sum(nil)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func differ(got, want map[string]string) string {
	var out []string
	for p, w := range want {
		if got[p] != w {
			out = append(out, fmt.Sprintf("%s: got %q want %q", p, got[p], w))
		}
	}
	for p := range got {
		if _, ok := want[p]; !ok {
			out = append(out, p+": not in the tree")
		}
	}
	slices.Sort(out)
	return strings.Join(out[:min(len(out), 10)], "\n")
}

// tree writes a directory with files of all kinds; large ones need all levels of a block map.
func tree(t testing.TB, large bool) string {
	t.Helper()
	dir, r := t.TempDir(), rand.New(rand.NewSource(1))
	write := func(name string, size int) {
		b := make([]byte, size)
		r.Read(b)
		p := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, b, 0o640)); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int{0, 1, 59, 60, 61, 100, 120, 150, 160, 1023, 1024, 1025, 12 << 10, 12<<10 + 1, 300 << 10} {
		write(fmt.Sprintf("sizes/%d", size), size)
	}
	write("etc/rc!S", 30)
	write("etc/"+strings.Repeat("long", 60), 10)
	write("one/in/small", 5)
	files := 30
	if large {
		files = 400
		write("large", 1<<20)
	}
	for i := range files {
		write(fmt.Sprintf("many/file-with-a-name-%04d", i), i%70)
	}
	sparse, err := os.Create(filepath.Join(dir, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{5000, 600 << 10, 70 << 20} { // direct, double and triple in blocks of 1 KiB
		if !large && at > 1<<20 {
			break
		}
		if _, err := sparse.WriteAt([]byte("not empty"), at); err != nil {
			t.Fatal(err)
		}
	}
	err = errors.Join(sparse.Close(), os.Symlink("one/in/small", filepath.Join(dir, "fast")),
		os.Symlink(strings.Repeat("x", 200), filepath.Join(dir, "slow")), os.Link(filepath.Join(dir, "sizes/100"), filepath.Join(dir, "hard")),
		os.Chmod(filepath.Join(dir, "hard"), 0o755))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// mkfs makes an image of a directory.
func mkfs(t testing.TB, dir, size string, options ...string) disk {
	t.Helper()
	img := filepath.Join(t.TempDir(), "ext.img")
	imagetest.Program(t, "mke2fs", append(append([]string{"-q", "-F", "-d", dir}, options...), img, size)...)
	return open(t, img)
}

func open(t testing.TB, img string) disk {
	t.Helper()
	f, err := os.Open(img)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return disk{f, info.Size()}
}

// TestFeatures makes an image with each feature, and wants every file back.
func TestFeatures(t *testing.T) {
	plain, large := tree(t, false), tree(t, true)
	wanted := map[string]map[string]string{plain: want(t, plain), large: want(t, large)}
	for name, options := range map[string][]string{
		"ext2 1k":        {"-t", "ext2", "-b", "1024"},
		"ext2 rev 0":     {"-t", "ext2", "-r", "0", "-O", "none"},
		"ext2 no types":  {"-t", "ext2", "-O", "^filetype"},
		"ext3 2k":        {"-t", "ext3", "-b", "2048"},
		"ext3":           {"-t", "ext3"},
		"ext4":           {"-t", "ext4"},
		"ext4 1k":        {"-t", "ext4", "-b", "1024"},
		"ext4 2k":        {"-t", "ext4", "-b", "2048"},
		"ext4 64k":       {"-t", "ext4", "-b", "65536", "-O", "^has_journal"},
		"64bit":          {"-t", "ext4", "-O", "64bit"},
		"32bit":          {"-t", "ext4", "-O", "^64bit"},
		"no sums":        {"-t", "ext4", "-O", "^metadata_csum"},
		"group sums":     {"-t", "ext4", "-O", "^metadata_csum,uninit_bg,^64bit"},
		"group sums 64":  {"-t", "ext4", "-O", "^metadata_csum,uninit_bg,64bit"},
		"sum seed":       {"-t", "ext4", "-O", "metadata_csum_seed"},
		"no flex_bg":     {"-t", "ext4", "-O", "^flex_bg", "-b", "1024"},
		"meta_bg":        {"-t", "ext4", "-O", "meta_bg,^resize_inode", "-b", "1024"},
		"meta_bg 64":     {"-t", "ext4", "-O", "meta_bg,^resize_inode,64bit,^flex_bg", "-b", "1024"},
		"sparse_super2":  {"-t", "ext4", "-O", "sparse_super2,^resize_inode,meta_bg", "-b", "1024"},
		"inline_data":    {"-t", "ext4", "-O", "inline_data", "-I", "256"},
		"inline 1024":    {"-t", "ext4", "-O", "inline_data", "-I", "1024"},
		"inode 128":      {"-t", "ext4", "-I", "128"},
		"small groups":   {"-t", "ext4", "-b", "1024", "-g", "1024"},
		"bigalloc":       {"-t", "ext4", "-O", "bigalloc", "-C", "16384"},
		"bigalloc 1k":    {"-t", "ext4", "-O", "bigalloc", "-b", "1024", "-C", "8192"},
		"casefold":       {"-t", "ext4", "-O", "casefold"},
		"encrypt, large": {"-t", "ext4", "-O", "encrypt,large_dir,verity,ea_inode,mmp,quota,project"},
		"no journal":     {"-t", "ext4", "-O", "^has_journal"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, size := plain, "24M"
			if name == "ext2 1k" || name == "ext4 64k" {
				dir, size = large, "120M"
			}
			img := mkfs(t, dir, size, append([]string{"-N", "1024"}, options...)...)
			if n, ok := extent(img, 0, img.size); !ok || n > img.size || n < img.size-1<<16 {
				t.Errorf("extent: got %d, %v, want %d", n, ok, img.size)
			}
			got := look(t, img)
			if d := differ(got.files, wanted[dir]); d != "" || got.err != nil || len(got.gaps) > 0 {
				t.Errorf("error %v, gaps %q\n%s", got.err, got.gaps, d)
			}
			imagetest.Spans(t, got.spans, img.size)
		})
	}
}

// TestIndexed has e2fsck build the indexes of large directories.
func TestIndexed(t *testing.T) {
	dir := tree(t, true)
	for _, block := range []string{"1024", "4096"} {
		img := mkfs(t, dir, "24M", "-t", "ext4", "-b", block, "-N", "1024")
		imagetest.Program(t, "e2fsck", "-fyD", img.ReaderAt.(*os.File).Name())
		got := look(t, img)
		if d := differ(got.files, want(t, dir)); d != "" || got.err != nil || len(got.gaps) > 0 {
			t.Errorf("error %v, gaps %q\n%s", got.err, got.gaps, d)
		}
	}
}

// TestFragmented fills the holes that deleted files left, so that a file needs a tree of extents.
func TestFragmented(t *testing.T) {
	dir := t.TempDir()
	for i := range 4000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%04d", i)), bytes.Repeat([]byte{byte(i)}, 1000), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	img := mkfs(t, dir, "8M", "-t", "ext4", "-b", "1024", "-O", "^has_journal", "-N", "5000")
	big := bytes.Repeat([]byte("0123456789"), 250<<10)
	source, script := filepath.Join(t.TempDir(), "big"), filepath.Join(t.TempDir(), "script")
	var remove strings.Builder
	for i := 0; i < 4000; i += 2 {
		fmt.Fprintf(&remove, "rm f%04d\n", i)
	}
	fmt.Fprintf(&remove, "write %s big\n", source)
	if err := errors.Join(os.WriteFile(source, big, 0o644), os.WriteFile(script, []byte(remove.String()), 0o644)); err != nil {
		t.Fatal(err)
	}
	imagetest.Program(t, "debugfs", "-w", "-f", script, img.ReaderAt.(*os.File).Name())
	got := look(t, img)
	sum := sha256.Sum256(big)
	if w := "-rw-r--r-- " + hex.EncodeToString(sum[:]); got.files["big"] != w || len(got.files) != 2001 || len(got.gaps) > 0 {
		t.Errorf("got %q want %q; %d files, gaps %q, error %v", got.files["big"], w, len(got.files), got.gaps, got.err)
	}
	imagetest.Spans(t, got.spans, img.size)
}

// small returns a committed image: inline data and checksums (ext4), a block map (ext2).
func small(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open("testdata/small." + name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// TestSmall lists the committed images, which need no program to make.
func TestSmall(t *testing.T) {
	var numbers bytes.Buffer
	for i := range 2000 {
		fmt.Fprintln(&numbers, i+1)
	}
	wanted := map[string]string{
		"etc/motd": "-rw-r--r-- " + sum([]byte("hello\n")), "etc/deep/er/hundred": "-rw-r--r-- " + sum(bytes.Repeat([]byte("x"), 100)),
		"numbers": "-rwxr-xr-x " + sum(numbers.Bytes()), "etc/again": "-rwxr-xr-x " + sum(numbers.Bytes()),
	}
	for _, name := range []string{"ext2", "ext4"} {
		b := small(t, name)
		if !Ext.Match(biopsy.File{}, b[:4096]) {
			t.Errorf("%s: no match", name)
		}
		got := look(t, inMemory(b))
		if d := differ(got.files, wanted); d != "" || got.err != nil || len(got.gaps) > 0 {
			t.Errorf("%s: error %v, gaps %q\n%s", name, got.err, got.gaps, d)
		}
		imagetest.Spans(t, got.spans, int64(len(b)))
	}
}

// edit returns a copy of an image with some bytes changed.
func edit(b []byte, at int, with ...byte) []byte {
	b = bytes.Clone(b)
	copy(b[at:], with)
	return b
}

// TestGaps damages an image; the gap must say what is wrong.
func TestGaps(t *testing.T) {
	b := small(t, "ext4")
	v := volumeOf(t, b)
	file := func(path string) inode { return lookup(t, v, path) }
	numbers, again, etc := file("numbers"), file("etc/again"), file("etc")
	if numbers.number != again.number {
		t.Fatal("no hard link")
	}
	for name, c := range map[string]struct {
		image  []byte
		reason string
		files  int
	}{
		"dirty journal":    {edit(b, superAt+0x60, b[superAt+0x60]|incompatRecover), "not replayed", 4},
		"unknown feature":  {edit(b, superAt+0x63, 0x80), "0x80000000", 4},
		"superblock":       {edit(b, superAt+0x30, 1, 2, 3), "checksum of superblock", 4},
		"group":            {edit(b, 2048+0x0c, 1, 2), "descriptor of block group 0", 4},
		"cut off":          {b[:len(b)-2048], "cut off", 4},
		"inode's checksum": {edit(b, int(numbers.offset)+0x10, 9), "checksum of inode", 4},
		"no type":          {edit(b, int(numbers.offset), 0, 0), "has no type", 2},
		"deleted":          {edit(b, int(numbers.offset)+0x1a, 0, 0), "deleted", 2},
		"encrypted":        {edit(b, int(numbers.offset)+0x20, 0, 8+b[numbers.offset+0x21]), "encrypted", 2},
		"encrypted names":  {edit(b, int(etc.offset)+0x20, 0, 8+b[etc.offset+0x21]), "encrypted directory", 1},
		"negative size":    {edit(b, int(numbers.offset)+0x6f, 0x80), "negative", 2},
		"lost directory":   {edit(b, int(etc.offset)+0x28+4+4, 3, 0), "record of 3 bytes", 1},
		"itself":           {edit(b, int(etc.offset)+0x28+4, 2, 0, 0, 0), "twice", 3},
	} {
		got := look(t, inMemory(c.image))
		if !strings.Contains(strings.Join(got.gaps, "\n"), c.reason) || got.err != nil || len(got.files) != c.files {
			t.Errorf("%s: error %v, %d files, gaps %q; want %d and %q", name, got.err, len(got.files), got.gaps, c.files, c.reason)
		}
	}
}

func volumeOf(t testing.TB, b []byte) *volume {
	t.Helper()
	s, err := parseSuper(b[superAt : superAt+superSize])
	if err != nil {
		t.Fatal(err)
	}
	return &volume{super: s, src: bytes.NewReader(b), size: int64(len(b))}
}

// lookup finds an inode by its path.
func lookup(t testing.TB, v *volume, path string) inode {
	t.Helper()
	w := &walker{volume: v, tables: v.src, left: v.size, u: biopsy.UnpackOptions{Gap: func(biopsy.Gap) {}}}
	at := uint32(rootInode)
	for _, name := range strings.Split(path, "/") {
		in, err := v.inode(v.src, at)
		if err != nil {
			t.Fatal(err)
		}
		at = 0
		err = w.entries("", in, func(e entry) bool {
			if string(e.name) == name {
				at = e.inode
			}
			return at == 0
		})
		if err != nil || at == 0 {
			t.Fatalf("%s: not found: %v", path, err)
		}
	}
	in, err := v.inode(v.src, at)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestHostile flips bytes and cuts at many places: no panic, an end, and a ledger of every byte.
func TestHostile(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for _, name := range []string{"ext2", "ext4"} {
		b := small(t, name)
		for range 3000 {
			c := bytes.Clone(b)
			for range 1 + r.Intn(8) {
				at := r.Intn(24 << 10) // where the tables are
				c[at] = byte(r.Intn(256))
			}
			if got := look(t, inMemory(c)); got.err == nil {
				imagetest.Spans(t, got.spans, int64(len(c)))
			}
		}
		for n := 0; n < len(b); n += 509 {
			if got := look(t, inMemory(b[:n])); got.err == nil {
				imagetest.Spans(t, got.spans, int64(n))
			}
		}
	}
}

// TestExtent takes no superblock but the first, and none that says more than there is.
func TestExtent(t *testing.T) {
	b := small(t, "ext4")
	size := int64(len(b))
	shifted := append(make([]byte, 5000), b...)
	if n, ok := extent(bytes.NewReader(shifted), 5000, size); !ok || n != size {
		t.Errorf("got %d, %v, want %d", n, ok, size)
	}
	if _, ok := extent(bytes.NewReader(b), 0, size-1); ok {
		t.Error("larger than what is left")
	}
	for _, at := range []int{0x0, 0x4, 0x14, 0x18, 0x20, 0x28, 0x58, 0x5a, 0x64 + 3, 0x68} {
		if _, ok := extent(bytes.NewReader(edit(b, superAt+at, b[superAt+at]^0x55)), 0, size); ok {
			t.Errorf("superblock with byte %#x changed", at)
		}
	}
}

// apply changes an image: each edit is an offset of three bytes and a byte.
func apply(b, edits []byte) []byte {
	b = bytes.Clone(b)
	for ; len(edits) >= 4 && len(b) > 0; edits = edits[4:] {
		at := int(edits[0])<<16 | int(edits[1])<<8 | int(edits[2])
		b[at%len(b)] = edits[3]
	}
	return b
}

func FuzzUnpack(f *testing.F) {
	for i, name := range []string{"ext2", "ext4"} {
		f.Add(i == 0, []byte{0, 4, 0x60, 1, 0, 4, 0x61, 0x80}, len(small(f, name)))
	}
	images := map[bool][]byte{true: small(f, "ext2"), false: small(f, "ext4")}
	f.Fuzz(func(t *testing.T, old bool, edits []byte, size int) {
		b := apply(images[old], edits)
		b = b[:max(min(size, len(b)), 0)]
		if n, ok := extent(bytes.NewReader(b), 0, int64(len(b))); ok && n > int64(len(b)) {
			t.Errorf("extent of %d bytes in %d", n, len(b))
		}
		if got := look(t, inMemory(b)); got.err == nil {
			imagetest.Spans(t, got.spans, int64(len(b)))
		}
	})
}

// BenchmarkCorpus reads every file of a real image; compare with BenchmarkPlain, which reads the image's bytes once.
func BenchmarkCorpus(b *testing.B) {
	img := corpus(b)
	buf := make([]byte, 64<<10)
	b.ReportAllocs()
	for b.Loop() {
		total := int64(0)
		err := Ext.Unpack(context.Background(), biopsy.File{}, img, biopsy.UnpackOptions{
			Gap: func(g biopsy.Gap) { b.Error(g) },
			Yield: func(f biopsy.File) error {
				c, err := f.Open()
				if err != nil {
					return err
				}
				total += c.Size()
				for at := int64(0); at < c.Size(); at += int64(len(buf)) {
					if _, err := c.ReadAt(buf, at); err != nil && err != io.EOF {
						return err
					}
				}
				return nil
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(total)
	}
}

func BenchmarkPlain(b *testing.B) {
	img := corpus(b)
	buf := make([]byte, 64<<10)
	b.SetBytes(img.size)
	for b.Loop() {
		for at := int64(0); at < img.size; at += int64(len(buf)) {
			if _, err := img.ReadAt(buf, at); err != nil && err != io.EOF {
				b.Fatal(err)
			}
		}
	}
}

func corpus(b *testing.B) disk {
	dir := os.Getenv("BIOPSY_CORPORA")
	if dir == "" {
		b.Skip("no BIOPSY_CORPORA")
	}
	return open(b, filepath.Join(dir, "firmware", "ext4.img"))
}

// TestCorpus compares a real image with the directory it was made of.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("BIOPSY_CORPORA")
	if dir == "" {
		t.Skip("no BIOPSY_CORPORA")
	}
	img := open(t, filepath.Join(dir, "firmware", "ext4.img"))
	got := look(t, img)
	if d := differ(got.files, want(t, filepath.Join(dir, "device-armhf-stripped", "rootfs"))); d != "" || got.err != nil || len(got.gaps) > 0 {
		t.Errorf("error %v, gaps %q\n%s", got.err, got.gaps, d)
	}
	imagetest.Spans(t, got.spans, img.size)
}
