package codec

import (
	"bytes"
	"encoding/binary"
	"io"
	"os/exec"
	"testing"
	"testing/iotest"
)

// TestLZMAStreams unpacks what is larger than its dictionary, in small and in large steps.
func TestLZMAStreams(t *testing.T) {
	want := program(t, 900<<10)
	for _, dict := range []struct {
		name string
		size uint32
		code byte
	}{{"4KiB", 4 << 10, 0}, {"96KiB", 96 << 10, 9}, {"1MiB", 1 << 20, 16}} {
		for _, size := range []int64{int64(len(want)), -1} {
			packed := tool(t, want, "xz", "-c", "--format=raw", "--lzma2=dict="+dict.name+",lc=0,lp=3,pb=3")
			r, err := NewLZMA2(iotest.HalfReader(bytes.NewReader(packed)), dict.code, size)
			same(t, "lzma2 "+dict.name, r, err, want)

			packed = tool(t, want, "xz", "-c", "--format=raw", "--lzma1=dict="+dict.name+",lc=1,lp=2,pb=0")
			r, err = NewLZMA(iotest.HalfReader(bytes.NewReader(packed)), binary.LittleEndian.AppendUint32([]byte{1 + 9*2}, dict.size), size)
			same(t, "lzma "+dict.name, r, err, want)
		}
	}
}

func same(t *testing.T, what string, r io.Reader, err error, want []byte) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: got %d bytes, %v, want %d", what, len(got), err, len(want))
	}
}

// TestBranchStreams undoes filters as bytes go by, which must be what a whole block's filter makes.
func TestBranchStreams(t *testing.T) {
	for id := uint64(4); id <= 10; id++ {
		for i, packed := range [][]byte{program(t, 100<<10), calls(), calls()[:1001], {0xe8}, nil} {
			f, err := newBranchFilter(id, []byte{0, 16, 0, 0})
			if err != nil {
				t.Fatal(err)
			}
			want := bytes.Clone(packed)
			f.undo(want)
			r, err := NewBranch(iotest.OneByteReader(bytes.NewReader(packed)), id, []byte{0, 16, 0, 0})
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("filter %d of file %d: got %d bytes, %v, want %d", id, i, len(got), err, len(want))
			}
		}
	}
	if _, err := NewBranch(nil, 77, nil); err == nil {
		t.Error("filter 77 is known")
	}
}

func TestDelta(t *testing.T) {
	want := program(t, 100<<10)
	for distance, arg := range map[int]string{1: "dist=1", 4: "dist=4", 256: "dist=256"} {
		packed := tool(t, want, "xz", "-c", "--format=raw", "--delta="+arg, "--lzma2=preset=0")
		r, err := NewLZMA2(bytes.NewReader(packed), 12, -1)
		if err == nil {
			r, err = NewDelta(r, distance)
		}
		same(t, arg, r, err, want)
	}
	for _, n := range []int{0, 257, -1} {
		if _, err := NewDelta(nil, n); err == nil {
			t.Errorf("distance %d is accepted", n)
		}
	}
}

// TestCompressWidths goes through all widths of codes, with and without clearings of the table.
func TestCompressWidths(t *testing.T) {
	want := program(t, 400<<10)
	noise := append(bytes.Clone(want[:50<<10]), packed(t, XZ)...)
	for range 4 {
		noise = append(noise, noise[len(noise)/2:]...)
	}
	for _, bits := range []string{"10", "12", "14", "16"} {
		for i, plain := range [][]byte{want, noise, want[:257], {7}, nil} {
			r, err := newLZW(bytes.NewReader(compressed(t, plain, bits)))
			same(t, "compress -b"+bits+" of file "+string(rune('0'+i)), r, err, plain)
		}
	}
}

func compressed(t *testing.T, in []byte, bits string) []byte {
	t.Helper()
	if _, err := exec.LookPath("compress"); err != nil {
		t.Skip(err)
	}
	c := exec.Command("compress", "-c", "-f", "-b"+bits)
	c.Stdin = bytes.NewReader(in)
	out, err := c.Output()
	if e, ok := err.(*exec.ExitError); err != nil && (!ok || e.ExitCode() != 2) { // 2: it became larger
		t.Fatal(err)
	}
	return out
}

// TestHugeDictionary refuses what a header only claims.
func TestHugeDictionary(t *testing.T) {
	if _, err := NewLZMA2(nil, 40, -1); err == nil {
		t.Error("a dictionary of 4 GiB is accepted")
	}
	if _, err := NewLZMA2(nil, 41, 10); err == nil {
		t.Error("a property of 41 is accepted")
	}
	if _, err := NewLZMA(bytes.NewReader(make([]byte, 10)), []byte{0x5d, 0, 0, 0, 0x80}, 1<<40); err == nil {
		t.Error("a dictionary of 2 GiB is accepted")
	}
	if _, err := NewLZMA(bytes.NewReader(make([]byte, 10)), []byte{0x5d, 0, 0, 0, 0x80}, 100); err != nil {
		t.Errorf("a small file of a large dictionary: %v", err)
	}
}

// FuzzStreams looks for panics and for endless output in decoders that have no header of their own.
func FuzzStreams(f *testing.F) {
	f.Add(byte(0), []byte("\x01\x00\x03pump\x00"))
	f.Add(byte(1), packed(f, LZMA)[13:])
	f.Add(byte(2), calls()[:200])
	f.Add(byte(8), calls()[:200])
	f.Add(byte(12), append(make([]byte, 8), calls()[:200]...))
	f.Add(byte(14), []byte("\x00\x30\x10\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00pump"))
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		var r io.Reader
		var err error
		src := bytes.NewReader(b)
		switch which %= 15; which {
		case 0:
			r, err = NewLZMA2(src, 4, -1)
		case 1:
			r, err = NewLZMA(src, []byte{0x5d, 0, 16, 0, 0}, -1)
		case 12:
			r = NewBCJ2(bytes.NewReader(b), bytes.NewReader(b), bytes.NewReader(b), src)
		case 14:
			r, err = NewLZX(src, 15, 200_000)
		case 13:
			r, err = NewLZMA(src, []byte{0x5d, 0, 16, 0, 0}, 1000)
		case 3:
			r, err = NewDelta(src, 3)
		default:
			r, err = NewBranch(src, uint64(which), nil)
		}
		if err != nil {
			return
		}
		n, _ := io.Copy(io.Discard, io.LimitReader(r, 1<<20))
		if which > 1 && which < 12 && n != int64(len(b)) {
			t.Errorf("filter %d makes %d bytes of %d", which, n, len(b))
		}
	})
}

func BenchmarkLZMA2(b *testing.B) {
	plain := program(b, 1<<20)
	packed := tool(b, plain, "xz", "-c", "--format=raw", "--lzma2=dict=1MiB")
	b.SetBytes(int64(len(plain)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := NewLZMA2(bytes.NewReader(packed), 16, int64(len(plain)))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}
