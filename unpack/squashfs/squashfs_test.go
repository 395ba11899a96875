package squashfs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
)

// found is what an image turned out to hold.
type found struct {
	sums    map[string]string // path: mode and SHA-256
	gaps    []biopsy.Gap
	ledgers [][]biopsy.Span
	err     error
}

// unpackAll opens every file of an image with some goroutines.
func unpackAll(c biopsy.Content, l biopsy.Limits) found {
	var f found
	f.sums = map[string]string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	workers := make(chan struct{}, 2)
	f.err = Image.Unpack(context.Background(), biopsy.File{}, c, biopsy.UnpackOptions{
		Limits: l,
		Yield: func(file biopsy.File) error {
			workers <- struct{}{}
			wg.Go(func() {
				defer func() { <-workers }()
				sum, err := digest(file, l)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					f.gaps = append(f.gaps, biopsy.Gap{Place: file.Place(), Reason: err.Error()})
					return
				}
				f.sums[file.Path] = fmt.Sprintf("%v %s", file.Mode, sum)
			})
			return nil
		},
		Gap: func(g biopsy.Gap) {
			mu.Lock()
			defer mu.Unlock()
			f.gaps = append(f.gaps, g)
		},
		Ledger: func(s []biopsy.Span) { f.ledgers = append(f.ledgers, s) },
	})
	wg.Wait()
	return f
}

func digest(f biopsy.File, l biopsy.Limits) (string, error) {
	if l.FileSize > 0 && f.Size > l.FileSize {
		return "", fmt.Errorf("%d bytes", f.Size)
	}
	c, err := f.Open()
	if err != nil {
		return "", err
	}
	defer c.Close()
	if c.Size() != f.Size {
		return "", fmt.Errorf("opened size %d, file says %d", c.Size(), f.Size)
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(c, 0, c.Size())); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// treeSums is what unpackAll should find of a folder.
func treeSums(t testing.TB, dir string) map[string]string {
	sums := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		sum := sha256.Sum256(b)
		sums[filepath.ToSlash(path[len(dir)+1:])] = fmt.Sprintf("%v %s", info.Mode(), hex.EncodeToString(sum[:]))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

func compare(t *testing.T, name string, got found, want map[string]string) {
	t.Helper()
	if got.err != nil || len(got.gaps) > 0 {
		t.Errorf("%s: error %v, gaps %v, want none", name, got.err, got.gaps)
	}
	for path, sum := range want {
		if got.sums[path] != sum {
			t.Errorf("%s: %s: got %q, want %q", name, path, got.sums[path], sum)
		}
	}
	for path := range got.sums {
		if want[path] == "" {
			t.Errorf("%s: got a file %s that nobody made", name, path)
		}
	}
}

// plant makes a folder with all that makes images differ.
func plant(t testing.TB) string {
	dir := t.TempDir()
	r := rand.New(rand.NewSource(1))
	put := func(name string, b []byte, mode fs.FileMode) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	text := func(n int) []byte {
		var b bytes.Buffer
		for b.Len() < n {
			fmt.Fprintf(&b, "pump %d valve %d\n", r.Intn(500), r.Intn(9))
		}
		return b.Bytes()[:n]
	}
	noise := func(n int) []byte {
		b := make([]byte, n)
		r.Read(b)
		return b
	}
	for _, n := range []int{0, 1, 4095, 4096, 4097, 65536, 65537, 131071, 131072, 131073, 400000} {
		put(fmt.Sprintf("sizes/text%d", n), text(n), 0o644)
		put(fmt.Sprintf("sizes/noise%d", n), noise(n), 0o640)
	}
	for i := range 700 {
		put(fmt.Sprintf("many/a-rather-long-name-of-a-file-%04d", i), text(i), 0o644)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	put("bin/program", program[:min(len(program), 600<<10)], fs.ModeSetuid|0o755)
	put("sparse", append(append(noise(5000), make([]byte, 600000)...), noise(70000)...), 0o600)
	put("hole", make([]byte, 300000), 0o600)
	put("deep/"+strings.Repeat("d/", 40)+"file", text(100), 0o444)
	put("odd/na!me %41\n", text(10), 0o644)
	put("odd/"+strings.Repeat("n", 255), text(10), 0o644)
	link := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	link(os.Symlink("../sizes/text1", filepath.Join(dir, "odd/link")))
	link(os.Link(filepath.Join(dir, "sizes/text400000"), filepath.Join(dir, "odd/hard")))
	link(os.MkdirAll(filepath.Join(dir, "empty"), 0o755))
	return dir
}

// escaped are the names of plant that containers show otherwise.
func escaped(sums map[string]string) map[string]string {
	m := map[string]string{}
	for path, sum := range sums {
		m[strings.NewReplacer("!", "%21", "%41", "%2541", "\n", "%0A").Replace(path)] = sum
	}
	return m
}

func mksquashfs(t testing.TB, dir string, args ...string) []byte {
	if _, err := exec.LookPath("mksquashfs"); err != nil {
		t.Skip(err)
	}
	img := filepath.Join(t.TempDir(), "img")
	if out, err := exec.Command("mksquashfs", append([]string{dir, img, "-quiet", "-no-progress", "-all-root", "-mkfs-time", "0", "-processors", "1", "-mem", "64M"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("mksquashfs %v: %v\n%s", args, err, out)
	}
	b, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestUnpack(t *testing.T) {
	dir := plant(t)
	want := escaped(treeSums(t, dir))
	for _, args := range []string{
		"-comp gzip -b 4K", "-comp lzma", "-comp lzo -Xalgorithm lzo1x_1 -noI", "-comp lz4 -Xhc -always-use-fragments", "-comp zstd -b 1M -no-xattrs -no-exports",
		"-comp xz -Xbcj x86,powerpc -b 64K", "-noI -noD -noF -no-sparse", "-comp gzip -no-fragments -no-duplicates",
	} {
		img := mksquashfs(t, dir, strings.Fields(args)...)
		if !Image.Match(biopsy.File{}, img[:4096]) {
			t.Errorf("%s: does not match", args)
		}
		got := unpackAll(lazy.Bytes(img), biopsy.DefaultLimits)
		compare(t, args, got, want)
		size, ok := Image.Extent(bytes.NewReader(append(make([]byte, 100), img...)), 100, int64(len(img)))
		if !ok || size > int64(len(img)) || size+4096 <= int64(len(img)) {
			t.Errorf("%s: extent %d, %v of %d", args, size, ok, len(img))
		}
		checkLedger(t, args, got.ledgers, int64(len(img)))
	}
}

func checkLedger(t *testing.T, name string, ledgers [][]biopsy.Span, size int64) {
	t.Helper()
	if len(ledgers) != 1 {
		t.Errorf("%s: %d ledgers, want 1", name, len(ledgers))
		return
	}
	at := int64(0)
	for _, s := range ledgers[0] {
		if s.Offset != at || s.Size <= 0 {
			t.Errorf("%s: span %+v, want one at %d", name, s, at)
		}
		at += s.Size
	}
	if at != size {
		t.Errorf("%s: ledger ends at %d, want %d", name, at, size)
	}
}
