package tarscan

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// list writes entries one a line: kind, mode, size, name, link and the first bytes.
func list(out *strings.Builder) func(Entry) error {
	return func(e Entry) error {
		fmt.Fprintf(out, "%d %v %d %q", e.Kind, e.Mode, e.Size, e.Name)
		if e.Link != "" {
			fmt.Fprintf(out, " -> %q", e.Link)
		}
		var body io.Reader = e.Stream
		if e.Bytes != nil {
			body = e.Bytes
		}
		if body != nil {
			b, err := io.ReadAll(body)
			if err != nil {
				return fmt.Errorf("read %s: %w", e.Name, err)
			}
			if int64(len(b)) != e.Size {
				return fmt.Errorf("read %s: got %d bytes, want %d", e.Name, len(b), e.Size)
			}
			fmt.Fprintf(out, " %q", bytes.Trim(b, "\x00"))
		}
		out.WriteByte('\n')
		return nil
	}
}

const wantList = `2 -rwxr-xr-x 0 "d/"
1 -rw-r--r-- 5 "d/small" "small"
1 ugrwxr-xr-x 20000 "d/large" "xx"
3 -rw-r--r-- 0 "d/again" -> "d/small"
4 -rwxrwxrwx 0 "d/sym" -> "small"
0 -rw-r--r-- 0 "d/pipe"
1 -rw-r--r-- 0 "d/empty" ""
`

func sample(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	large := make([]byte, 20000)
	large[0], large[1] = 'x', 'x'
	for _, f := range []struct {
		h    tar.Header
		body []byte
	}{
		{tar.Header{Name: "d/", Typeflag: tar.TypeDir, Mode: 0o755}, nil},
		{tar.Header{Name: "d/small", Mode: 0o644, Size: 5}, []byte("small")},
		{tar.Header{Name: "d/large", Mode: 0o6755, Size: 20000}, large},
		{tar.Header{Name: "d/again", Typeflag: tar.TypeLink, Linkname: "d/small", Mode: 0o644}, nil},
		{tar.Header{Name: "d/sym", Typeflag: tar.TypeSymlink, Linkname: "small", Mode: 0o777}, nil},
		{tar.Header{Name: "d/pipe", Typeflag: tar.TypeFifo, Mode: 0o644}, nil},
		{tar.Header{Name: "d/empty", Mode: 0o644}, nil},
	} {
		if err := w.WriteHeader(&f.h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchiveAndStream(t *testing.T) {
	b := sample(t)
	var random, stream strings.Builder
	if err := Archive(bytes.NewReader(b), int64(len(b)), list(&random)); err != nil {
		t.Fatal(err)
	}
	if err := Stream(io.MultiReader(bytes.NewReader(b)), list(&stream)); err != nil {
		t.Fatal(err)
	}
	if got := random.String(); got != wantList {
		t.Errorf("Archive: got\n%s want\n%s", got, wantList)
	}
	if got := stream.String(); got != wantList {
		t.Errorf("Stream: got\n%s want\n%s", got, wantList)
	}
}

// testdata/*.tar were written by GNU tar in the format that the name says; sparse.* hold a file of 1 MiB with a hole.
func TestFormats(t *testing.T) {
	files, err := filepath.Glob("testdata/*.tar")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		want := `1 -rw-r--r-- 6 "tree/hello" "hello\n"` + "\n"
		if strings.Contains(f, "sparse") {
			want = `1 -rw-r--r-- 1048576 "sparse" "end"` + "\n"
		}
		for name, scan := range map[string]func(func(Entry) error) error{
			"Archive": func(each func(Entry) error) error { return Archive(bytes.NewReader(b), int64(len(b)), each) },
			"Stream":  func(each func(Entry) error) error { return Stream(io.MultiReader(bytes.NewReader(b)), each) },
		} {
			var out strings.Builder
			if err := scan(list(&out)); err != nil {
				t.Errorf("%s of %s: %v", name, f, err)
			}
			if got := out.String(); got != want {
				t.Errorf("%s of %s: got\n%s want\n%s", name, f, got, want)
			}
		}
	}
}

func TestTruncatedEverywhere(t *testing.T) {
	b := sample(t)
	for n := 1; n < len(b)-512; n += 7 {
		var random, stream strings.Builder
		errA := Archive(bytes.NewReader(b[:n]), int64(n), list(&random))
		errS := Stream(io.MultiReader(bytes.NewReader(b[:n])), list(&stream))
		if errA == nil || errS == nil {
			t.Errorf("cut at %d: got errors %v and %v", n, errA, errS)
		}
		if !strings.HasPrefix(wantList, random.String()) || !strings.HasPrefix(wantList, stream.String()) {
			t.Errorf("cut at %d: wrong entries\n%s%s", n, &random, &stream)
		}
	}
}

func TestTrailingBytes(t *testing.T) {
	b := sample(t)
	b = append(append(b, make([]byte, 100_000)...), "hidden"...)
	nothing := func(Entry) error { return nil }
	for _, err := range []error{Archive(bytes.NewReader(b), int64(len(b)), nothing), Stream(bytes.NewBuffer(b), nothing)} {
		var trailing *TrailingError
		if !errors.As(err, &trailing) || trailing.Offset != int64(len(b)-6) {
			t.Errorf("got %v, want bytes from %d on", err, len(b)-6)
		}
	}
}

func TestLyingSize(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "huge", Size: 1 << 40, Format: tar.FormatGNU}); err != nil {
		t.Fatal(err)
	}
	b.Write(make([]byte, 2048))
	err := Archive(bytes.NewReader(b.Bytes()), int64(b.Len()), func(Entry) error { t.Error("shown"); return nil })
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

func TestErrorOfEachIsReturned(t *testing.T) {
	b := sample(t)
	stop := errors.New("stop")
	if err := Archive(bytes.NewReader(b), int64(len(b)), func(Entry) error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
}

// reads counts what is read of an archive.
type reads struct {
	r     io.ReaderAt
	bytes int64
}

func (r *reads) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.r.ReadAt(p, off)
	r.bytes += int64(n)
	return n, err
}

func TestBodiesStayUnread(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for range 10 {
		w.WriteHeader(&tar.Header{Name: "big", Size: 1 << 20})
		w.Write(make([]byte, 1<<20))
	}
	w.Close()
	r := &reads{r: bytes.NewReader(b.Bytes())}
	if err := Archive(r, int64(b.Len()), func(Entry) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if r.bytes > 200<<10 {
		t.Errorf("read %d bytes of an archive of %d", r.bytes, b.Len())
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(sample(f))
	files, _ := filepath.Glob("testdata/*.tar")
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		read := func(e Entry) error {
			if e.Bytes != nil && e.Bytes.Size() != e.Size {
				t.Errorf("%q: %d bytes, size says %d", e.Name, e.Bytes.Size(), e.Size)
			}
			if e.Stream != nil {
				io.Copy(io.Discard, io.LimitReader(e.Stream, 1<<20))
			}
			return nil
		}
		Archive(bytes.NewReader(b), int64(len(b)), read)
		Stream(io.MultiReader(bytes.NewReader(b)), read)
	})
}

func BenchmarkArchive(b *testing.B) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i := range 1000 {
		w.WriteHeader(&tar.Header{Name: fmt.Sprintf("usr/share/doc/p%d/copyright", i), Size: 9000, Mode: 0o644})
		w.Write(make([]byte, 9000))
	}
	w.Close()
	b.ReportAllocs()
	for b.Loop() {
		if err := Archive(bytes.NewReader(buf.Bytes()), int64(buf.Len()), func(Entry) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
