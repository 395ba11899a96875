package codec

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// blocks are testdata/words.txt packed as blocks.
func blocks(t testing.TB) map[Format][]byte {
	m := map[Format][]byte{LZ4Block: make([]byte, 4096)}
	n, err := lz4.CompressBlock(words(t), m[LZ4Block], nil)
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	m[LZ4Block] = m[LZ4Block][:n]
	m[LZ4Fill] = m[LZ4Block]
	for _, f := range []Format{XZ, LZMA, MicroLZMA, Zstd, Zlib, LZO, Tiano} {
		m[f] = packed(t, f)
	}
	m[EFI] = packed(t, "efi")
	return m
}

func TestBlock(t *testing.T) {
	want := words(t)
	for f, b := range blocks(t) {
		for _, room := range []int{0, 1, 1000} {
			if (f == MicroLZMA || f == LZ4Fill) && room > 0 {
				continue
			}
			got := make([]byte, len(want)+room)
			if n, err := Block(f, got, b); err != nil || !bytes.Equal(got[:n], want) {
				t.Errorf("%s with room for %d more: got %d bytes, %v, want %d", f, room, n, err, len(want))
			}
		}
		got := make([]byte, len(want)-1)
		n, err := Block(f, got, b)
		if f == MicroLZMA || f == LZ4Fill {
			if err != nil || !bytes.Equal(got[:n], want[:len(want)-1]) {
				t.Errorf("%s cut short: got %d bytes, %v", f, n, err)
			}
		} else if err == nil {
			t.Errorf("%s: no error for a block that is too large", f)
		}
		for cut := range b {
			n, err := Block(f, make([]byte, len(want)), b[:cut])
			switch {
			case f == XZ && cut > len(b)-36: // index and footer are not read
			case f == LZ4Block && n < len(want): // has no end mark
			case (f == LZMA || f == MicroLZMA) && n == len(want) && cut > len(b)-8: // only the end mark is missing
			case err == nil:
				t.Errorf("%s cut to %d of %d bytes: no error, %d bytes out", f, cut, len(b), n)
			}
		}
	}
}

func TestBlockXZDamage(t *testing.T) {
	for _, name := range []string{"words.xz", "words-x86.xz"} { // CRC64, SHA-256
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		want := words(t)
		got := make([]byte, len(want))
		if n, err := Block(XZ, got, b); err != nil || !bytes.Equal(got[:n], want) {
			t.Errorf("%s: got %d bytes, %v", name, n, err)
		}
		for i := range len(b) - 40 { // index, footer and padding are not read
			bad := bytes.Clone(b)
			bad[i] ^= 0x10
			if n, err := Block(XZ, got, bad); err == nil {
				t.Errorf("%s: byte %d changed: no error, %d bytes", name, i, n)
			}
		}
	}
}

// calls holds bytes that the filter of each processor changes.
func calls() []byte {
	var b []byte
	for i := range 4096 {
		v := byte(i)
		b = append(b, v, v>>4, 0, 0xeb, 0x48|v&3, v, v>>3, 1, 0x40, 0, v, v>>2, v, 0xf0|v&7, v>>3, 0xf8)
		b = append(b, 0xe8, v, byte(i>>8), 0, 0, 0xe8, 0xe9, v, 0, 0xff, 0xff, 0xe8, 0x10, v>>4, v, 0x97, v, v>>2, v, 0x90)
		b = append(b, 0x10|v&15, v, v>>1, v>>2, 0x50, v, 0, 0, v, 0x50, 0x0a, v, 0, v>>4, 0, 0xa0)
	}
	return b
}

func TestBlockXZFilters(t *testing.T) {
	for _, filter := range []string{"", "--x86", "--arm", "--armthumb", "--powerpc", "--ia64", "--sparc", "--arm64", "--x86=start=4096"} {
		for i, want := range [][]byte{program(t, 512<<10), calls()} {
			args := []string{"xz", "-c", "--check=crc32"}
			if filter != "" {
				args = append(args, filter, "--lzma2=preset=1")
			}
			got := make([]byte, len(want)+1)
			if n, err := Block(XZ, got, tool(t, want, args...)); err != nil || !bytes.Equal(got[:n], want) {
				t.Errorf("xz %s of file %d: got %d bytes, %v, want %d", filter, i, n, err, len(want))
			}
		}
	}
}

// program returns up to n bytes of machine code: this test's own.
func program(t testing.TB, n int) []byte {
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Skip(err)
	}
	return b[:min(len(b), n)]
}

// tool runs a program on in, and skips the test where it is not installed.
func tool(t testing.TB, in []byte, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(args[0]); err != nil {
		t.Skip(err)
	}
	c := exec.Command(args[0], args[1:]...)
	c.Stdin = bytes.NewReader(in)
	out, err := c.Output()
	if err != nil {
		t.Fatal(args, err)
	}
	return out
}

func FuzzBlock(f *testing.F) {
	kinds := []Format{XZ, LZMA, MicroLZMA, Zstd, Zlib, LZO, LZ4Block, Deflate, LZ4Fill, Tiano, EFI}
	all := blocks(f)
	for i, k := range kinds {
		f.Add(byte(i), all[k])
	}
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		kind := kinds[int(which)%len(kinds)]
		dst := make([]byte, 8192)
		if n, _ := Block(kind, dst[:4096], b); n < 0 || n > 4096 {
			t.Errorf("%s: %d bytes in a room of 4096", kind, n)
		}
		if !bytes.Equal(dst[4096:], make([]byte, 4096)) {
			t.Errorf("%s: wrote behind the room", kind)
		}
	})
}

// FuzzBranch looks for panics: a filter's answer cannot be wrong for bytes that no packer made.
func FuzzBranch(f *testing.F) {
	f.Add(byte(4), calls()[:256])
	f.Fuzz(func(t *testing.T, id byte, b []byte) {
		if x, err := newBranchFilter(uint64(id), nil); err == nil {
			x.undo(b)
		}
	})
}

func BenchmarkBlock(b *testing.B) {
	plain := program(b, 1<<20)
	for _, bm := range []struct {
		f    Format
		args string
	}{{XZ, "xz -c"}, {LZMA, "xz -c --format=lzma"}, {Zstd, "zstd -c"}} {
		b.Run(string(bm.f), func(b *testing.B) {
			packed := tool(b, plain, strings.Fields(bm.args)...)
			dst := make([]byte, len(plain))
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Block(bm.f, dst, packed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
