package fat

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy/imagetest"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

type found struct {
	files map[string]string // content, or what failed
	gaps  []string
	spans []biopsy.Span
	err   error
}

func look(t testing.TB, c biopsy.Content) found {
	t.Helper()
	f := found{files: map[string]string{}}
	f.err = FAT.Unpack(context.Background(), biopsy.File{}, c, biopsy.UnpackOptions{
		Limits: biopsy.DefaultLimits,
		Yield: func(m biopsy.File) error {
			f.files[m.Path] = content(m)
			return nil
		},
		Gap:    func(g biopsy.Gap) { f.gaps = append(f.gaps, g.Place.String()+": "+g.Reason) },
		Ledger: func(s []biopsy.Span) { f.spans = s },
	})
	return f
}

func content(m biopsy.File) string {
	c, err := m.Open()
	if err != nil {
		return err.Error()
	}
	if c.Size() > 64<<20 {
		return "too large for a test"
	}
	b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	if err != nil || int64(len(b)) != m.Size {
		return fmt.Sprintf("%d of %d bytes: %v", len(b), m.Size, err)
	}
	return string(b)
}

// tree writes files of all sizes and kinds of names, and returns what it wrote.
func tree(t testing.TB) (string, map[string]string) {
	t.Helper()
	dir, r, files := t.TempDir(), rand.New(rand.NewSource(1)), map[string]string{}
	write := func(name string, size int) {
		b := make([]byte, size)
		r.Read(b)
		files[name] = string(b)
		p := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int{0, 1, 511, 512, 513, 4096, 70000} {
		write(fmt.Sprintf("sizes/%d.bin", size), size)
	}
	write("UPPER.TXT", 10)
	write("lower.txt", 10)
	write("Mixed.Ending", 10)
	write("sensor-µ-überlang.config", 20)
	write(strings.Repeat("l", 200)+".txt", 5)
	write("a/b/c/d/e/deep", 5)
	for i := range 150 {
		write(fmt.Sprintf("many/a file with a long name %03d", i), i)
	}
	return dir, files
}

// TestKinds has mkfs.fat and mcopy write images of every kind.
func TestKinds(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	t.Setenv("MTOOLS_SKIP_CHECK", "1")
	dir, want := tree(t)
	for name, options := range map[string][]string{
		"12": {"-F", "12", "-C", "2048"}, "12 large clusters": {"-F", "12", "-s", "8", "-C", "8192"}, "16": {"-F", "16", "-C", "16384"},
		"32": {"-F", "32", "-C", "36000", "-s", "1"}, "sectors of 4 KiB": {"-F", "16", "-S", "4096", "-s", "1", "-C", "40000"},
	} {
		t.Run(name, func(t *testing.T) {
			img := filepath.Join(t.TempDir(), "fat.img")
			last := options[len(options)-1]
			args := append(slices.Clone(options[:len(options)-1]), img, last)
			if i := slices.Index(options, "-C"); i != len(options)-2 {
				args = append(slices.Clone(options[:i]), options[i+2:]...)
				args = append(args, "-C", img, options[i+1])
			}
			imagetest.Program(t, "mkfs.fat", args...)
			entries, err := filepath.Glob(dir + "/*")
			if err != nil {
				t.Fatal(err)
			}
			imagetest.Program(t, "mcopy", append(append([]string{"-i", img, "-s"}, entries...), "::")...)
			imagetest.Program(t, "mdel", "-i", img, "::lower.txt")
			f, err := os.Open(img)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			got := look(t, disk{f, info.Size()})
			check(t, got, want, "lower.txt")
			imagetest.Spans(t, got.spans, info.Size())
			if n, ok := extent(f, 0, info.Size()); !ok || n > info.Size() || n < info.Size()-128<<10 {
				t.Errorf("extent: got %d, %v, want %d", n, ok, info.Size())
			}
		})
	}
}

type disk struct {
	io.ReaderAt
	size int64
}

func (d disk) Size() int64 { return d.size }
func (disk) Close() error  { return nil }

func check(t *testing.T, got found, want map[string]string, deleted string) {
	t.Helper()
	if got.err != nil || len(got.gaps) > 0 {
		t.Errorf("error %v, gaps %q", got.err, got.gaps)
	}
	for p, w := range want {
		if g, ok := got.files[p]; (g != w || !ok) && p != deleted {
			t.Errorf("%s: got %.60q, %v, want %.60q", p, g, ok, w)
		}
	}
	for p := range got.files {
		if _, ok := want[p]; !ok || p == deleted {
			t.Errorf("%s: not in the tree", p)
		}
	}
}

// small returns a committed image.
func small(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".gz")
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

var smallNames = []string{"small.fat12", "small.exfat"}

// TestSmall lists the committed images, which need no program to make.
func TestSmall(t *testing.T) {
	want := map[string]string{"boot/A long file name.txt": strings.Repeat("device firmware\n", 500), "README.TXT": "hello\n"}
	for _, name := range smallNames {
		b := small(t, name)
		if !FAT.Match(biopsy.File{}, b[:4096]) {
			t.Errorf("%s: no match", name)
		}
		got := look(t, spool.Bytes(b))
		check(t, got, want, "")
		imagetest.Spans(t, got.spans, int64(len(b)))
		shifted := append(make([]byte, 1000), b...)
		if n, ok := extent(bytes.NewReader(shifted), 1000, int64(len(b))); !ok || n > int64(len(b)) {
			t.Errorf("%s: extent: got %d, %v, want %d", name, n, ok, len(b))
		}
	}
}

// TestDamage damages a chain and directories; the gap or the file must say what is wrong.
func TestDamage(t *testing.T) {
	b := small(t, "small.fat12")
	v, err := parseBoot(b)
	if err != nil {
		t.Fatal(err)
	}
	root := b[v.root : v.root+v.rootSize]
	at := func(name string) int64 {
		i := bytes.Index(root, []byte(name))
		if i < 0 {
			t.Fatalf("no %s", name)
		}
		return v.root + int64(i)
	}
	readme, dir := at("README  TXT"), at("BOOT    ")
	for name, c := range map[string]struct {
		at   int64
		with string
		want string
	}{
		"cluster":       {readme + 26, "\xff\xff", "cluster 65535"},
		"no cluster":    {readme + 26, "\x00\x00", "cluster 0"},
		"too large":     {readme + 28, "\xff\xff\xff\x7f", "do not fit"},
		"chain ends":    {readme + 28, "\x00\x30\x00\x00", "chain of clusters ends"},
		"dir in a loop": {dir + 26, "\x00\x00", "without a place"},
	} {
		d := bytes.Clone(b)
		copy(d[c.at:], c.with)
		got := look(t, spool.Bytes(d))
		if said := strings.Join(got.gaps, "\n") + got.files["README.TXT"]; !strings.Contains(said, c.want) || got.err != nil {
			t.Errorf("%s: got %v, %q, want %q", name, got.err, said, c.want)
		}
	}
}

// TestHostile changes bytes of tables and directories, and cuts: no panic, an end.
func TestHostile(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	for _, name := range smallNames {
		b := small(t, name)
		var used []int
		for i, c := range b {
			if c != 0 && len(used) < 6000 {
				used = append(used, i)
			}
		}
		for range 400 {
			c := bytes.Clone(b)
			for range 1 + r.Intn(4) {
				c[used[r.Intn(len(used))]] = byte(r.Intn(256))
			}
			if got := look(t, spool.Bytes(c)); got.err == nil {
				imagetest.Spans(t, got.spans, int64(len(c)))
			}
		}
		for i := range 30 {
			look(t, spool.Bytes(b[:len(b)*i/30]))
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
	var images [2][]byte
	for i, name := range [...]string{"small.fat12", "small.exfat"} {
		images[i] = small(f, name)
		f.Add(i == 0, []byte{0, 0, 11, 2, 0, 0x80, 80, 1}, len(images[i]))
	}
	f.Fuzz(func(t *testing.T, first bool, edits []byte, size int) {
		b := images[1]
		if first {
			b = images[0]
		}
		b = apply(b, edits)
		b = b[:max(min(size, len(b)), 0)]
		if got := look(t, spool.Bytes(b)); got.err == nil {
			imagetest.Spans(t, got.spans, int64(len(b)))
		}
		if n, ok := extent(bytes.NewReader(b), 0, int64(len(b))); ok && n > int64(len(b)) {
			t.Errorf("extent of %d bytes in %d", n, len(b))
		}
	})
}
