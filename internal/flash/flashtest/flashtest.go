// Package flashtest runs unpackers of flash file systems in tests.
//
// What comes in: an unpacker and an image, and perhaps the folder that the image was made of. What goes out: the members' digests, gaps
// and ledger, and what differs.
package flashtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// Result is what an unpacker said.
type Result struct {
	Files map[string]string // path to SHA-256, or to the error of reading it
	Modes map[string]fs.FileMode
	Order []string
	Gaps  []biopsy.Gap
	Spans []biopsy.Span
	Err   error
}

// Reasons returns the gaps' reasons in one line each.
func (r Result) Reasons() string {
	var b strings.Builder
	for _, g := range r.Gaps {
		b.WriteString(g.Place.String() + ": " + g.Reason + "\n")
	}
	return b.String()
}

// Unpack opens the image and reads every member once, in pieces of an odd size.
func Unpack(u biopsy.Unpacker, c biopsy.Content) Result { return unpack(u, c, 1<<40) }

// Touch is Unpack for hostile images: it reads no more than the first bytes of each member.
func Touch(u biopsy.Unpacker, c biopsy.Content) Result { return unpack(u, c, 256<<10) }

func unpack(u biopsy.Unpacker, c biopsy.Content, most int64) Result {
	r := Result{Files: map[string]string{}, Modes: map[string]fs.FileMode{}}
	var mu sync.Mutex
	r.Err = u.Unpack(context.Background(), biopsy.File{Path: "image.bin", Size: c.Size()}, c, biopsy.UnpackOptions{
		Limits: biopsy.DefaultLimits,
		Yield: func(f biopsy.File) error {
			r.Files[f.Path], r.Modes[f.Path] = digest(f, most), f.Mode
			r.Order = append(r.Order, f.Path)
			return nil
		},
		Gap:    func(g biopsy.Gap) { mu.Lock(); r.Gaps = append(r.Gaps, g); mu.Unlock() },
		Ledger: func(s []biopsy.Span) { r.Spans = s },
	})
	return r
}

// digest reads a member: its first bytes alone, then all of it up to a bound.
func digest(f biopsy.File, most int64) string {
	c, err := f.Open()
	if err != nil {
		return "open: " + err.Error()
	}
	defer c.Close()
	if f.Size >= 0 && f.Size != c.Size() {
		return "size differs"
	}
	if _, err := c.ReadAt(make([]byte, 100), 1); err != nil && err != io.EOF {
		return "read: " + err.Error()
	}
	h := sha256.New()
	if _, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{io.NewSectionReader(c, 0, min(c.Size(), most))}, make([]byte, 70001)); err != nil {
		return "read: " + err.Error()
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Covers looks whether the ledger of an image that could be read tells every byte once.
func Covers(t testing.TB, r Result, size int64) {
	t.Helper()
	at := int64(0)
	for _, s := range r.Spans {
		if s.Offset != at || s.Size <= 0 {
			t.Errorf("span %+v begins behind %d", s, at)
		}
		at += s.Size
	}
	if r.Err == nil && at != size {
		t.Errorf("ledger ends at %d of %d bytes", at, size)
	}
}

// Same compares a result with the regular files of a folder.
func Same(t testing.TB, got Result, dir string) {
	t.Helper()
	if got.Err != nil {
		t.Errorf("unpack: %v", got.Err)
	}
	want, modes := Folder(t, dir)
	bad := 0
	for p, sum := range want {
		if got.Files[p] != sum {
			if bad++; bad < 10 {
				t.Errorf("%s: got %q, want %q", p, got.Files[p], sum)
			}
		}
		if got.Modes[p].Perm() != modes[p] {
			if bad++; bad < 10 {
				t.Errorf("%s: got mode %v, want %v", p, got.Modes[p], modes[p])
			}
		}
	}
	for p := range got.Files {
		if _, ok := want[p]; !ok {
			if bad++; bad < 10 {
				t.Errorf("%s: is not in the folder", p)
			}
		}
	}
	if bad >= 10 {
		t.Errorf("%d files differ of %d", bad, len(want))
	}
}

// Folder returns digests and permissions of the regular files of a folder by their cleaned paths.
func Folder(t testing.TB, dir string) (map[string]string, map[string]fs.FileMode) {
	t.Helper()
	sums, modes := map[string]string{}, map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		path, err := treepath.Clean(filepath.ToSlash(rel))
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		sums[path], modes[path] = hex.EncodeToString(sum[:]), info.Mode().Perm()
		return nil
	})
	if err != nil || len(sums) == 0 {
		t.Fatalf("read %s: %v (%d files)", dir, err, len(sums))
	}
	return sums, modes
}

// File opens a file of the operating system as Content.
func File(t testing.TB, path string) biopsy.Content {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return opened{f, info.Size()}
}

type opened struct {
	*os.File
	size int64
}

func (o opened) Size() int64  { return o.size }
func (o opened) Close() error { return nil }

// Run runs a program; the test is skipped where it is not installed.
func Run(t testing.TB, name string, args ...string) {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	if out, err := exec.Command(p, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// Tree makes a folder whose files try what a file system can do: empty, small, packable and not, sparse, many, deep, odd names.
func Tree(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte, mode fs.FileMode) {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("etc/os-release", []byte("ID=pumpos\nVERSION_ID=4.2\n"), 0o644)
	write("etc/empty", nil, 0o640)
	write("usr/bin/pumpd", Words(300_001), 0o755)
	write("usr/lib/noise.bin", Noise(70_000), 0o644)
	write("usr/lib/page", Words(4096), 0o444)
	write("usr/lib/zeros", make([]byte, 40_000), 0o644)
	write("var/odd !name%41", []byte("odd"), 0o644)
	write("var/üml", []byte("ü"), 0o600)
	write(strings.Repeat("deep/", 20)+"file", Words(5000), 0o644)
	for i := range 150 {
		write("many/"+strings.Repeat("x", i+1), Words(i*17), 0o644)
	}
	sparse := slices.Concat(Words(5000), make([]byte, 100_000), Noise(3))
	write("sparse", sparse, 0o644)
	if err := os.Symlink("/etc/os-release", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Words returns n bytes of text.
func Words(n int) []byte {
	words := []string{"pump ", "valve ", "alarm ", "battery ", "infusion ", "rate\n"}
	b := make([]byte, 0, n+16)
	for state := uint32(n + 1); len(b) < n; {
		state = state*1664525 + 1013904223
		b = append(b, words[(state>>16)%uint32(len(words))]...)
	}
	return b[:n]
}

// Noise returns n bytes that do not pack.
func Noise(n int) []byte {
	b := make([]byte, n)
	state := uint32(n + 7)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = byte(state >> 24)
	}
	return b
}

// Sum returns the digest that a Result has for a file of these bytes.
func Sum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Spare puts spare bytes behind each page.
func Spare(b []byte, g flash.Geometry) []byte {
	var out []byte
	for i := 0; len(b) > 0; i++ {
		n := min(len(b), int(g.Page))
		out = append(out, b[:n]...)
		for range int(g.Page) - n {
			out = append(out, 0xff)
		}
		for j := range int(g.Spare) {
			out = append(out, byte(i*31+j*7)|1)
		}
		b = b[n:]
	}
	return out
}
