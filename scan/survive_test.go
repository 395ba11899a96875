package scan

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/identify"
	"github.com/biopsy-sca/biopsy/source"
	"github.com/biopsy-sca/biopsy/unpack"
)

func TestPanicIsAGap(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "x", 0o644)
	o := defaults(options(t))
	broken := biopsy.Extractor{Name: "broken", Names: []string{"a"}, Extract: func(_ context.Context, _ biopsy.Input, emit func(biopsy.Evidence)) error {
		emit(biopsy.Evidence{Claim: biopsy.Claim{Name: "kept"}})
		panic("index out of range")
	}}
	tree, err := source.Open(context.Background(), dir, biopsy.OpenOptions{Spool: o.Spool})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	w := &walk{depth: o.Depth, readers: identify.NewReaders([]biopsy.Extractor{broken}, o.Depth), limits: o.Limits, budget: unpack.NewBudget(o.Limits), spool: o.Spool}
	if err := w.run(context.Background(), tree, 2); err != nil {
		t.Fatal(err)
	}
	if len(w.evidence) != 1 || len(w.gaps.list()) != 1 || w.gaps.list()[0].Reader != "broken" || !strings.Contains(w.gaps.list()[0].Reason, "index out of range") {
		t.Errorf("got evidence %v, gaps %v; want what was said before, and one gap", w.evidence, w.gaps.list())
	}
}

// TestCancelledInALargeFile calls the walk off while a file is hashed that would take hours.
func TestCancelledInALargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	write(t, path, "x", 0o644)
	if err := os.Truncate(path, 4<<40); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := Run(ctx, []string{path}, options(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("stopped after %v", took)
	}
}

// fullDisk is a spool without room.
type fullDisk struct{}

func (fullDisk) Keep(io.Reader, int64) (biopsy.Content, error) {
	return nil, &fs.PathError{Op: "write", Path: "spool", Err: syscall.ENOSPC}
}

func TestFullDiskEndsTheScan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.tar.gz")
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte("hello"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, path, b.String(), 0o644)
	s, err := Run(context.Background(), []string{path}, Options{Spool: fullDisk{}, Depth: biopsy.Deep})
	if !errors.Is(err, syscall.ENOSPC) || s != nil || errors.Is(err, context.Canceled) {
		t.Errorf("got scan %v, %v; want none and %v alone", s != nil, err, syscall.ENOSPC)
	}
}

func TestWatched(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := watch(ctx, memory{})
	cancel()
	if _, err := c.ReadAt(nil, 0); !errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// TestPackedAlone looks into a file that was packed without an archive and whose name says nothing.
func TestPackedAlone(t *testing.T) {
	dir := t.TempDir()
	var inner, outer bytes.Buffer
	z := zip.NewWriter(&inner)
	m, err := z.Create("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(m, `{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}`)
	g := gzip.NewWriter(&outer)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	g.Write(inner.Bytes())
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "update.gz"), outer.String(), 0o644)
	s, err := Run(context.Background(), []string{dir}, options(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Components) != 1 || s.Components[0].Name != "a" {
		t.Errorf("got %v, want component a", s.Components)
	}
}
