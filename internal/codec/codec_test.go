package codec

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
)

var formats = []Format{Gzip, Bzip2, XZ, LZMA, Zstd, LZ4, Lzip, Lzop, Compress}

// packed reads testdata/words.FORMAT: testdata/words.txt packed by the program of that name.
func packed(t testing.TB, f Format) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "words."+string(f)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func words(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/words.txt")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unpack(f Format, b []byte) ([]byte, error) {
	r, err := NewReader(f, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(io.LimitReader(r, 1<<20))
	return got, errors.Join(err, r.Close())
}

func TestFormats(t *testing.T) {
	want := words(t)
	for _, f := range formats {
		b := packed(t, f)
		if got := Detect(b); got != f {
			t.Errorf("%s: detected as %q", f, got)
		}
		for range 2 { // the second time out of the pool
			if got, err := unpack(f, b); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: got %d bytes, %v, want %d", f, len(got), err, len(want))
			}
		}
	}
}

func TestTwoStreams(t *testing.T) {
	want := bytes.Repeat(words(t), 2)
	for _, f := range []Format{Gzip, Bzip2, XZ, Zstd, LZ4, Lzip} {
		b := bytes.Repeat(packed(t, f), 2)
		if got, err := unpack(f, b); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %d bytes, %v, want %d", f, len(got), err, len(want))
		}
	}
}

func TestTruncated(t *testing.T) {
	want := words(t)
	for _, f := range formats {
		b := packed(t, f)
		for n := 0; n < len(b); n++ {
			got, err := unpack(f, b[:n])
			if err == nil && n > 0 && f != Compress { // which has no end mark
				t.Errorf("%s cut to %d of %d bytes: no error, %d bytes out", f, n, len(b), len(got))
			}
			if !bytes.HasPrefix(want, got) {
				t.Errorf("%s cut to %d bytes: wrong bytes out", f, n)
			}
		}
	}
}

func TestDetectNothing(t *testing.T) {
	for _, head := range [][]byte{nil, []byte("BZhello, this is text"), []byte("#!/bin/sh and so on and on"), {0x1f, 0x8b}, {0x5d, 0, 0, 0x80, 0}, make([]byte, 64)} {
		if got := Detect(head); got != "" {
			t.Errorf("Detect(%q): got %q", head, got)
		}
	}
}

func TestHugeWindowIsRefused(t *testing.T) {
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, zstd.WithWindowSize(512<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	z.Write(make([]byte, 4096))
	z.Flush()
	z.Close()
	if _, err := unpack(Zstd, b.Bytes()); err == nil {
		t.Error("a zstd window of 512 MiB is accepted")
	}
	lz := bytes.Clone(packed(t, LZMA))
	lz[4] = 0x7f
	if _, err := unpack(LZMA, lz); err == nil {
		t.Error("an lzma dictionary of 2 GiB is accepted")
	}
}

func TestClosedReader(t *testing.T) {
	r, err := NewReader(Gzip, bytes.NewReader(packed(t, Gzip)))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	if _, err := r.Read(make([]byte, 1)); err == nil {
		t.Error("a closed reader reads")
	}
}

func FuzzNewReader(f *testing.F) {
	for i, format := range formats {
		f.Add(byte(i), packed(f, format))
	}
	f.Add(byte(len(formats)), []byte{3, 0})
	all := append(formats, Deflate)
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		format := all[int(which)%len(all)]
		got, err := unpack(format, b)
		if err == nil && len(got) > 0 && len(b) == 0 {
			t.Errorf("%s: bytes out of nothing", format)
		}
	})
}

func BenchmarkNewReader(b *testing.B) {
	r := rand.New(rand.NewSource(1))
	var text bytes.Buffer
	for text.Len() < 4<<20 {
		fmt.Fprintf(&text, "%d %s ", r.Intn(1000), []string{"pump", "valve", "alarm", "battery"}[r.Intn(4)])
	}
	var gz, zs bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write(text.Bytes())
	g.Close()
	z, _ := zstd.NewWriter(&zs)
	z.Write(text.Bytes())
	z.Close()
	for _, bm := range []struct {
		f Format
		b []byte
	}{{Gzip, gz.Bytes()}, {Zstd, zs.Bytes()}} {
		b.Run(string(bm.f), func(b *testing.B) {
			b.SetBytes(int64(text.Len()))
			b.ReportAllocs()
			for b.Loop() {
				r, err := NewReader(bm.f, bytes.NewReader(bm.b))
				if err != nil {
					b.Fatal(err)
				}
				io.Copy(io.Discard, r)
				r.Close()
			}
		})
	}
}
