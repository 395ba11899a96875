package unpack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// walk unpacks as the scan does: every member again, to a depth, under one budget. It writes paths and what went wrong.
type walk struct {
	out    strings.Builder
	budget *Budget
	spool  biopsy.Spool
	depth  int
}

func (w *walk) file(f biopsy.File, depth int) {
	c, err := f.Open()
	if err != nil {
		fmt.Fprintf(&w.out, "%s: %v\n", f.Place(), err)
		return
	}
	defer c.Close()
	head := make([]byte, 4096)
	n, _ := c.ReadAt(head, 0)
	u := For(f, head[:n], c)
	if u == nil || depth == w.depth {
		fmt.Fprintf(&w.out, "%s %d\n", f.Place(), c.Size())
		return
	}
	here := biopsy.Join(f.In, f.Path)
	err = u.Unpack(context.Background(), f, c, w.budget.Guard(biopsy.UnpackOptions{
		Spool: w.spool,
		Yield: func(m biopsy.File) error { m.In = here; w.file(m, depth+1); return nil },
		Gap:   func(g biopsy.Gap) { fmt.Fprintf(&w.out, "gap %s!%s: %s\n", here, g.Place, g.Reason) },
	}, c.Size()))
	if err != nil {
		fmt.Fprintf(&w.out, "%s: %v\n", here, err)
	}
}

func run(t *testing.T, name string, b []byte, l biopsy.Limits) string {
	t.Helper()
	s, err := spool.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := walk{budget: NewBudget(l), spool: s, depth: 12}
	w.file(biopsy.File{Path: name, Size: int64(len(b)), Open: func() (biopsy.Content, error) { return spool.Bytes(b), nil }}, 0)
	return w.out.String()
}

func tarOf(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1]))}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, files[i+1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func TestNested(t *testing.T) {
	b := gz(tarOf(t, "a", "1", "in.tar.gz", string(gz(tarOf(t, "b", "22", "c.txt.gz", string(gz([]byte("333"))))))))
	want := "x.tar.gz!a 1\nx.tar.gz!in.tar.gz!b 2\nx.tar.gz!in.tar.gz!c.txt.gz!c.txt 3\n"
	if got := run(t, "x.tar.gz", b, biopsy.DefaultLimits); got != want {
		t.Errorf("got\n%s want\n%s", got, want)
	}
}

func TestLimits(t *testing.T) {
	zeros := strings.Repeat("\x00", 80<<20)
	many := gz(tarOf(t, "a", "", "b", "", "c", "", "d.gz", string(gz([]byte("x")))))
	for name, c := range map[string]struct {
		b      []byte
		limits biopsy.Limits
		want   string
	}{
		"files":          {many, biopsy.Limits{Files: 3}, "more than 3 files"},
		"files in all":   {many, biopsy.Limits{Files: 4}, "more than 4 files"},
		"size of one":    {gz([]byte(zeros[:1000])), biopsy.Limits{FileSize: 999}, "limit of 999"},
		"size in a tar":  {tarOf(t, "a", zeros[:1000]), biopsy.Limits{FileSize: 999}, "limit of 999"},
		"size in all":    {tarOf(t, "a", zeros[:600], "b", zeros[:600]), biopsy.Limits{TotalSize: 1000}, "b: more than 1000 bytes"},
		"size skipped":   {gz(tarOf(t, "a", zeros[:9000])), biopsy.Limits{TotalSize: 5000}, "more than 5000 bytes"},
		"ratio":          {gz([]byte(zeros)), biopsy.Limits{Ratio: 100}, "more than 100 times"},
		"holes":          {sparseTar(80 << 20), biopsy.Limits{Ratio: 100}, "more than 100 times"},
		"holes in all":   {gz(sparseTar(2000)), biopsy.Limits{TotalSize: 5000}, "more than 5000 bytes"},
		"ratio of a tar": {gz(tarOf(t, "a", zeros)), biopsy.Limits{Ratio: 100}, "more than 100 times"},
	} {
		if got := run(t, "x", c.b, c.limits); !strings.Contains(got, c.want) {
			t.Errorf("%s: got\n%s want %q", name, got, c.want)
		}
	}
	if got := run(t, "x.gz", gz([]byte(zeros[:60<<20])), biopsy.DefaultLimits); got != "x.gz!x 62914560\n" {
		t.Errorf("default limits: got %s", got)
	}
}

// sparseTar holds a file of size bytes that is one hole (GNU format 1.0), which archive/tar does not write.
func sparseTar(size int) []byte {
	var b bytes.Buffer
	block := func(name string, kind byte, body string) {
		h := make([]byte, 512)
		copy(h, name)
		copy(h[100:], "0000644\x000000000\x000000000\x00")
		copy(h[124:], fmt.Sprintf("%011o\x0000000000000\x00        %c", len(body), kind))
		copy(h[257:], "ustar\x0000")
		sum := 0
		for _, c := range h {
			sum += int(c)
		}
		copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
		b.Write(h)
		b.WriteString(body)
		b.Write(make([]byte, -len(body)&511))
	}
	var pax strings.Builder
	for _, kv := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=hole.bin", fmt.Sprintf("GNU.sparse.realsize=%d", size)} {
		fmt.Fprintf(&pax, "%d %s\n", len(kv)+4, kv) // two digits of length, a space, a newline
	}
	block("pax", 'x', pax.String())
	block("hole.bin", '0', "0\n"+strings.Repeat("\x00", 510))
	b.Write(make([]byte, 1024))
	return b.Bytes()
}

// TestQuine unpacks a file that holds itself: the walk's depth ends it.
func TestQuine(t *testing.T) {
	b := []byte("core")
	for range 20 {
		b = gz(b)
	}
	if got := run(t, "q.gz", b, biopsy.DefaultLimits); strings.Count(got, "!") != 12 {
		t.Errorf("got %s", got)
	}
}

// TestOpenTwice charges a member once.
func TestOpenTwice(t *testing.T) {
	budget := NewBudget(biopsy.Limits{TotalSize: 10})
	u := budget.Guard(biopsy.UnpackOptions{Yield: func(f biopsy.File) error {
		for range 3 {
			if _, err := f.Open(); err != nil {
				return err
			}
		}
		return nil
	}}, 1)
	open := func() (biopsy.Content, error) { return spool.Bytes(make([]byte, 6)), nil }
	if err := u.Yield(biopsy.File{Size: 6, Open: open}); err != nil {
		t.Error(err)
	}
	err := u.Yield(biopsy.File{Size: -1, Open: open})
	var limit *LimitError
	if !errors.As(err, &limit) {
		t.Errorf("got %v", err)
	}
}

// BenchmarkFor asks about a file that is no container, as most are.
func BenchmarkFor(b *testing.B) {
	head := bytes.Repeat([]byte("int main(void) { return 0; }\n"), 4096/29)
	b.ReportAllocs()
	for b.Loop() {
		if For(biopsy.File{Path: "src/main.c"}, head, spool.Bytes(head)) != nil {
			b.Fatal("a container")
		}
	}
}
