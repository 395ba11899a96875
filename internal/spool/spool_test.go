package spool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/biopsy-sca/biopsy"
)

var _ biopsy.Spool = (*Spool)(nil)

func open(t *testing.T, total int64) (*Spool, string) {
	t.Helper()
	parent := t.TempDir()
	s, err := Open(parent, total)
	if err != nil {
		t.Fatal(err)
	}
	return s, parent
}

func TestKeep(t *testing.T) {
	for _, size := range []int{0, 1, inMemory, inMemory + 1, inMemory + 2, 3*inMemory + 17} {
		s, parent := open(t, 0)
		want := bytes.Repeat([]byte("0123456789abcdefg"), size/17+1)[:size]
		c, err := s.Keep(iotest.HalfReader(bytes.NewReader(want)), int64(size))
		if err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		got, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("size %d: got %d bytes, error %v", size, len(got), err)
		}
		local, onDisk := c.(biopsy.LocalPath)
		if onDisk != (size > inMemory) {
			t.Errorf("size %d: on disk %v", size, onDisk)
		}
		if onDisk {
			if b, err := os.ReadFile(local.LocalPath()); err != nil || !bytes.Equal(b, want) {
				t.Errorf("size %d: LocalPath holds %d bytes, error %v", size, len(b), err)
			}
		}
		if err := errors.Join(c.Close(), c.Close(), s.Close()); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(parent); len(left) > 0 {
			t.Errorf("size %d: left behind %v", size, left)
		}
	}
}

func TestKeepRefusesMoreThanMax(t *testing.T) {
	for _, max := range []int64{1, 100, inMemory, 2 * inMemory} {
		s, parent := open(t, 0)
		_, err := s.Keep(io.LimitReader(zeros{}, max+1), max)
		if err == nil || !strings.Contains(err.Error(), "limit") {
			t.Errorf("max %d: got error %v", max, err)
		}
		if files, _ := filepath.Glob(filepath.Join(parent, "*", "*")); len(files) > 0 {
			t.Errorf("max %d: left %v", max, files)
		}
		if used := s.onDisk.Load(); used != 0 {
			t.Errorf("max %d: %d bytes stay booked", max, used)
		}
		s.Close()
	}
}

func TestTotalCountsOpenContentsOnly(t *testing.T) {
	s, _ := open(t, 4*inMemory)
	defer s.Close()
	for range 3 {
		c, err := s.Keep(io.LimitReader(zeros{}, 3*inMemory), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Keep(io.LimitReader(zeros{}, 3*inMemory), 0); err == nil {
			t.Error("a second content passes the total")
		}
		c.Close()
	}
}

func TestKeepPassesErrorsOn(t *testing.T) {
	broken := errors.New("cable pulled")
	for _, n := range []int64{0, 5, 2 * inMemory} {
		s, _ := open(t, 0)
		_, err := s.Keep(io.MultiReader(io.LimitReader(zeros{}, n), iotest.ErrReader(broken)), 0)
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: got %v, want %v", n, err, broken)
		}
		_, err = s.Keep(io.MultiReader(io.LimitReader(zeros{}, n), iotest.ErrReader(io.ErrUnexpectedEOF)), 0)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("after %d bytes: got %v, want unexpected EOF", n, err)
		}
		s.Close()
	}
}

func TestSweepRemovesStaleOnly(t *testing.T) {
	parent := t.TempDir()
	live, err := Open(parent, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	c, err := live.Keep(io.LimitReader(zeros{}, 2*inMemory), 0)
	if err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(parent, lockedPrefix+"crashed")
	other := filepath.Join(parent, "somebody-else")
	for _, d := range []string{stale, other} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(stale, "1"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(parent, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("stale directory: %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("foreign directory: %v", err)
	}
	if _, err := c.ReadAt(make([]byte, 1), 0); err != nil {
		t.Errorf("live content: %v", err)
	}
	if _, err := os.Stat(c.(biopsy.LocalPath).LocalPath()); err != nil {
		t.Errorf("live file: %v", err)
	}
}

func TestKeepAfterClose(t *testing.T) {
	s, _ := open(t, 0)
	s.Close()
	if _, err := s.Keep(io.LimitReader(zeros{}, 2*inMemory), 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v, want %v", err, os.ErrClosed)
	}
}

func BenchmarkKeep(b *testing.B) {
	for _, bm := range []struct {
		name string
		size int64
	}{{"8KiB", 8 << 10}, {"512KiB", 512 << 10}, {"8MiB", 8 << 20}} {
		b.Run(bm.name, func(b *testing.B) {
			s, err := Open(b.TempDir(), 0)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			b.SetBytes(bm.size)
			b.ReportAllocs()
			for b.Loop() {
				c, err := s.Keep(io.LimitReader(zeros{}, bm.size), 0)
				if err != nil {
					b.Fatal(err)
				}
				c.Close()
			}
		})
	}
}

// zeros is an endless reader of zero bytes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
