package archive

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/spool"
)

func make7z(t testing.TB, dir string, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "x.7z")
	run(t, dir, append([]string{"7zz", "a", "-bd", "-snl", out, "."}, args...)...)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSevenZip(t *testing.T) {
	dir := plant(t)
	for _, args := range []string{
		"", "-mx=1", "-mx=9 -ms=off", "-mx=0", "-m0=LZMA:lc=8:lp=0:pb=2", "-m0=LZMA2:d=64k", "-mhc=off", "-m0=BZip2", "-m0=Deflate", "-m0=BCJ -m1=LZMA", "-m0=ARM -m1=LZMA2",
		"-m0=ARM64 -m1=LZMA", "-m0=ARMT -m1=LZMA", "-m0=PPC -m1=Deflate", "-m0=Delta:4 -m1=LZMA", "-m0=SPARC -m1=LZMA", "-m0=IA64 -m1=LZMA",
		"-m0=BCJ2 -m1=LZMA:d=1m -m2=LZMA:d=64k:lc=0:lp=2:pb=2 -m3=LZMA:d=64k:lc=0:lp=2:pb=2 -mb0:1 -mb0s1:2 -mb0s2:3",
	} {
		b := make7z(t, dir, strings.Fields(args)...)
		got := unpackAll(t, SevenZip, "x.7z", b)
		got.same(t, "7zz "+args, dir, false)
		got.covers(t, "7zz "+args, len(b))
	}
}

// TestSevenZipClosed has what cannot be read: each file is a gap that says why.
func TestSevenZipClosed(t *testing.T) {
	dir := plant(t)
	for args, want := range map[string]string{"-psecret": "encrypted", "-psecret -mhe=on": "encrypted", "-m0=PPMd": "packed by PPMd", "-m0=RISCV -m1=LZMA": "RISC-V filter"} {
		b := make7z(t, dir, strings.Fields(args)...)
		got := unpackAll(t, SevenZip, "x.7z", b)
		said := 0
		for _, g := range got.gaps {
			if strings.Contains(g.Reason, want) {
				said++
			}
		}
		if strings.Contains(args, "-mhe=on") {
			if got.err == nil || !strings.Contains(got.err.Error(), want) {
				t.Errorf("%s: got %v", args, got.err)
			}
		} else if said != 5 || len(got.files) != 1 || got.err != nil {
			t.Errorf("%s: %d files, %d gaps of %d, %v", args, len(got.files), said, len(got.gaps), got.err)
		}
		got.covers(t, args, len(b))
		if encrypted := strings.Contains(args, "-p"); encrypted != (sum(got, "encrypted") > 0) {
			t.Errorf("%s: spans %+v", args, got.spans)
		}
	}
}

// sum counts the bytes of a status.
func sum(got unpacked, status string) (n int64) {
	for _, s := range got.spans {
		if string(s.Status) == status {
			n += s.Size
		}
	}
	return n
}

// szOf packs a header that is as it is, without packed bytes.
func szOf(packed, header string) []byte {
	b := append([]byte(szMagic+"\x00\x04"), make([]byte, 24)...)
	binary.LittleEndian.PutUint64(b[12:], uint64(len(packed)))
	binary.LittleEndian.PutUint64(b[20:], uint64(len(header)))
	binary.LittleEndian.PutUint32(b[28:], crc32.ChecksumIEEE([]byte(header)))
	binary.LittleEndian.PutUint32(b[8:], crc32.ChecksumIEEE(b[12:32]))
	return append(append(b, packed...), header...)
}

func TestHostileSevenZip(t *testing.T) {
	const (
		streams = "\x04\x06\x00\x01\x09\x05\x00\x07\x0b\x01\x00" // pack info: one stream of 5 bytes; one folder
		copied  = "\x01\x01\x00"                                 // one coder: copy
		sizes   = "\x0c\x05\x00"
		names   = "\x05\x01\x11\x05\x00a\x00\x00\x00\x00"
	)
	for name, c := range map[string]struct{ packed, header, want string }{
		"good":              {"valve", "\x01" + streams + copied + sizes + "\x00" + names + "\x00", "by 7z\na -rwxr-xr-x \"valve\"\n"},
		"no header":         {"", "", "by 7z\n"},
		"cut header":        {"valve", "\x01" + streams, "damaged"},
		"many files":        {"valve", "\x01" + streams + copied + sizes + "\x00\x05\xe0\xff\xff\xff", "damaged"},
		"absurd numbers":    {"valve", "\x01\x04\x06\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "damaged"},
		"more files":        {"valve", "\x01" + streams + copied + sizes + "\x00\x05\x02\x11\x09\x00a\x00\x00\x00b\x00\x00\x00\x00\x00", "fewer than its list says"},
		"size lies":         {"valve", "\x01" + streams + copied + "\x0c\x09\x00\x00" + names + "\x00", "unexpected EOF"},
		"bytes lie outside": {"", "\x01" + strings.Replace(streams, "\x05", "\x7f", 1) + copied + sizes + "\x00" + names + "\x00", "a -rwxr-xr-x: packed bytes"},
		"unknown method":    {"valve", "\x01" + streams + "\x01\x01\x7f" + sizes + "\x00" + names + "\x00", "packed by method 7f"},
		"no coder":          {"valve", "\x01" + streams + "\x00" + sizes + "\x00" + names + "\x00", "damaged"},
		"dictionary":        {"valve", "\x01" + streams + "\x01\x21\x21\x01\x28\x0c\xff\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00" + names + "\x00", "more than the limit"},
		"other start":       {"valve", "\x77", "begins with 119"},
	} {
		got := list(newSpool(t), &SevenZip, "x.7z", szOf(c.packed, c.header))
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got\n%s want %q", name, got, c.want)
		}
	}
	good := szOf("valve", "\x01"+streams+copied+sizes+"\x00"+names+"\x00")
	if n, ok := SevenZip.Extent(bytes.NewReader(good), 0, int64(len(good))); !ok || n != int64(len(good)) {
		t.Errorf("extent: %d, %v, want %d", n, ok, len(good))
	}
	for i := range szHead {
		bad := bytes.Clone(good)
		bad[i] ^= 4
		if got := list(newSpool(t), &SevenZip, "x.7z", bad); i != 7 && !strings.Contains(got, "error") {
			t.Errorf("byte %d changed: got\n%s", i, got)
		}
	}
}

// FuzzSevenZipHeader fuzzes what stands behind the check sums.
func FuzzSevenZipHeader(f *testing.F) {
	f.Add("valve", "\x01\x04\x06\x00\x01\x09\x05\x00\x07\x0b\x01\x00\x01\x01\x00\x0c\x05\x00\x00\x05\x01\x11\x05\x00a\x00\x00\x00\x00\x00")
	f.Add("\x01\x00\x04valve\x00", "\x01\x04\x06\x00\x01\x09\x09\x00\x07\x0b\x01\x00\x01\x21\x21\x01\x00\x0c\x05\x00\x08\x0d\x02\x09\x02\x00\x00\x05\x02\x11\x09\x00a\x00\x00\x00b\x00\x00\x00\x00\x00")
	f.Add("\x01\x00\x04valve\x00", "\x17\x06\x00\x01\x09\x09\x00\x07\x0b\x01\x00\x01\x21\x21\x01\x00\x0c\x05\x00\x00")
	f.Add("0123456789abcdefghij", "\x01\x04\x06\x00\x04\x09\x05\x05\x05\x05\x00\x07\x0b\x01\x00\x01\x14\x03\x03\x01\x1b\x04\x01\x00\x01\x02\x03\x0c\x05\x00\x00\x05\x01\x11\x05\x00a\x00\x00\x00\x00\x00")
	s, err := spool.Open(f.TempDir(), 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, packed, header string) { hold(t, s, SevenZip, szOf(packed, header)) })
}
