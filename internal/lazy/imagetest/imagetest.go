// Package imagetest holds what the tests of all file system images share.
//
// What comes in: an unpacker and an image. What goes out: what the image turned out to hold, to be compared with the folder that
// it was made from.
package imagetest

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
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
)

// Found is what an image turned out to hold.
type Found struct {
	Sums    map[string]string // path: mode and SHA-256
	Gaps    []biopsy.Gap
	Ledgers [][]biopsy.Span
	Err     error
}

// Open opens every file of an image with some goroutines.
func Open(image biopsy.Unpacker, c biopsy.Content, l biopsy.Limits) Found {
	var f Found
	f.Sums = map[string]string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	workers := make(chan struct{}, 2)
	f.Err = image.Unpack(context.Background(), biopsy.File{}, c, biopsy.UnpackOptions{
		Limits: l,
		Yield: func(file biopsy.File) error {
			workers <- struct{}{}
			wg.Go(func() {
				defer func() { <-workers }()
				sum, err := digest(file, l)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					f.Gaps = append(f.Gaps, biopsy.Gap{Place: file.Place(), Reason: err.Error()})
					return
				}
				f.Sums[file.Path] = fmt.Sprintf("%v %s", file.Mode, sum)
			})
			return nil
		},
		Gap: func(g biopsy.Gap) {
			mu.Lock()
			defer mu.Unlock()
			f.Gaps = append(f.Gaps, g)
		},
		Ledger: func(s []biopsy.Span) { f.Ledgers = append(f.Ledgers, s) },
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

// Complained tells whether a damage was told in some way.
func (f Found) Complained() bool { return f.Err != nil || len(f.Gaps) > 0 }

// Small keeps hostile images cheap.
var Small = biopsy.Limits{Files: 1000, FileSize: 1 << 20, TotalSize: 16 << 20, Ratio: 1000}

// Truncated cuts an image at many places: each must be complained about, and no file may have other bytes.
func Truncated(t *testing.T, image biopsy.Unpacker, name string, b []byte, want map[string]string) {
	t.Helper()
	for n := 0; n < len(b)-1; n += 1 + n/20 {
		got := Open(image, lazy.Bytes(b[:n]), Small)
		if !got.Complained() {
			t.Errorf("%s cut to %d of %d bytes: nothing said", name, n, len(b))
		}
		for path, sum := range got.Sums {
			if want[path] != sum {
				t.Errorf("%s cut to %d bytes: %s has other bytes", name, n, path)
			}
		}
	}
}

// BitFlips opens an image with changed bits many times, which must end without a panic.
func BitFlips(image biopsy.Unpacker, b []byte) {
	r := rand.New(rand.NewSource(1))
	for range 400 {
		bad := bytes.Clone(b)
		for range 1 + r.Intn(3) {
			bad[r.Intn(len(bad))] ^= 1 << r.Intn(8)
		}
		Open(image, lazy.Bytes(bad), Small)
	}
}

// TreeSums is what Open should find of a folder.
func TreeSums(t testing.TB, dir string) map[string]string {
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

// Escaped are the names of Plant that containers show otherwise.
func Escaped(sums map[string]string) map[string]string {
	m := map[string]string{}
	for path, sum := range sums {
		m[strings.NewReplacer("!", "%21", "%41", "%2541", "\n", "%0A").Replace(path)] = sum
	}
	return m
}

// Compare tells where an image and its folder differ.
func Compare(t *testing.T, name string, got Found, want map[string]string) {
	t.Helper()
	if got.Err != nil || len(got.Gaps) > 0 {
		t.Errorf("%s: error %v, gaps %v, want none", name, got.Err, got.Gaps)
	}
	for path, sum := range want {
		if got.Sums[path] != sum {
			t.Errorf("%s: %s: got %q, want %q", name, path, got.Sums[path], sum)
		}
	}
	for path := range got.Sums {
		if want[path] == "" {
			t.Errorf("%s: got a file %s that nobody made", name, path)
		}
	}
}

// Ledger makes sure that there is one ledger, which covers size bytes.
func Ledger(t *testing.T, name string, ledgers [][]biopsy.Span, size int64) {
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

// Plant makes a folder with all that makes images differ.
func Plant(t testing.TB) string {
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
	put("odd/"+strings.Repeat("n", 200), text(10), 0o644)
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

// Numbers is what seq(1) prints.
func Numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i+1)
	}
	return b.String()
}
