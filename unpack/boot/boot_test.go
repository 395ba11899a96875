package boot

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

var update = flag.Bool("update", false, "rewrite the wanted answers")

func newSpool(t testing.TB) *spool.Spool {
	t.Helper()
	s, err := spool.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// told lists what opening answers, in lines; it complains when the ledger does not account for every byte once.
func told(t testing.TB, s biopsy.Spool, name string, image []byte, depth int) string {
	t.Helper()
	var b strings.Builder
	u := unpackerOf(name, image)
	if u == nil {
		return "no unpacker\n"
	}
	fmt.Fprintf(&b, "by %s\n", u.Name)
	if u.Extent != nil {
		if n, ok := u.Extent(bytes.NewReader(image), 0, int64(len(image))); ok {
			fmt.Fprintf(&b, "extent %d of %d\n", n, len(image))
		}
	}
	err := u.Unpack(context.Background(), biopsy.File{Path: name}, spool.Bytes(image), biopsy.UnpackOptions{
		Limits: biopsy.DefaultLimits, Spool: s,
		Yield: func(f biopsy.File) error {
			c, err := f.Open()
			if err != nil {
				fmt.Fprintf(&b, "%s: %v\n", f.Path, err)
				return nil
			}
			defer c.Close()
			got, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
			if err != nil || f.Size >= 0 && f.Size != int64(len(got)) {
				t.Errorf("%s: %s: read %d of %d bytes: %v", name, f.Path, len(got), f.Size, err)
			}
			fmt.Fprintf(&b, "%s %d %s\n", f.Path, len(got), short(got))
			if depth > 0 {
				for line := range strings.Lines(told(t, s, f.Path, got, depth-1)) {
					b.WriteString("  " + line)
				}
			}
			return nil
		},
		Gap: func(g biopsy.Gap) { fmt.Fprintf(&b, "gap %s: %s (%d)\n", g.Place, g.Reason, g.Size) },
		Ledger: func(spans []biopsy.Span) {
			at := int64(0)
			for _, s := range spans {
				if s.Offset != at || s.Size <= 0 {
					t.Errorf("%s: span of %d bytes at %d follows byte %d", name, s.Size, s.Offset, at)
				}
				at += s.Size
				fmt.Fprintf(&b, "ledger 0x%x %d %s %s\n", s.Offset, s.Size, s.Status, s.What)
			}
			if at != int64(len(image)) {
				t.Errorf("%s: the ledger accounts for %d of %d bytes", name, at, len(image))
			}
		},
	})
	if err != nil {
		fmt.Fprintf(&b, "error %v\n", err)
	}
	return b.String()
}

func unpackerOf(name string, image []byte) *biopsy.Unpacker {
	for i := range All {
		if All[i].Match(biopsy.File{Path: name}, slices.Clip(image[:min(len(image), 4096)])) {
			return &All[i]
		}
	}
	return nil
}

func TestSamples(t *testing.T) {
	s := newSpool(t)
	for _, c := range samples() {
		got := told(t, s, c.name, c.bytes, 2)
		path := filepath.Join("testdata", c.name+".want")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s want\n%s", c.name, got, want)
		}
	}
}

// TestExtent finds every sample that has a magic behind other bytes, with others behind it, and takes no more than its own.
func TestExtent(t *testing.T) {
	for _, c := range samples() {
		u := unpackerOf(c.name, c.bytes)
		if u == nil || u.Extent == nil || strings.Contains(c.name, "cut") || c.name == "vmlinux.raw" {
			continue
		}
		image := join(code(64), c.bytes, bytes.Repeat([]byte{0xff}, 64))
		n, ok := u.Extent(bytes.NewReader(image), 64, int64(len(image)-64))
		if own := int64(len(c.bytes)); !ok || n > own || n != 0 && n < own-4096 {
			t.Errorf("%s: got extent %d, %v, want about %d", c.name, n, ok, own)
		}
		if n, ok := u.Extent(bytes.NewReader(code(4096)), 0, 4096); ok {
			t.Errorf("%s: got extent %d of bytes that are none", c.name, n)
		}
	}
}

// TestDamage cuts each sample and flips its bytes: no panic, and every byte is accounted for.
func TestDamage(t *testing.T) {
	s := newSpool(t)
	for _, c := range samples() {
		step := max(1, len(c.bytes)/40)
		for n := 0; n < len(c.bytes); n += step {
			told(t, s, c.name, bytes.Clone(c.bytes[:n]), 0)
			b := append([]byte(nil), c.bytes...)
			for at := n; at < min(n+8, len(b)); at++ {
				b[at] ^= 0xff
			}
			told(t, s, c.name, b, 0)
		}
	}
}

// TestStops hands back what Yield returns.
func TestStops(t *testing.T) {
	stop := errors.New("enough")
	for _, c := range samples() {
		u := unpackerOf(c.name, c.bytes)
		if u == nil {
			continue
		}
		yielded := false
		err := u.Unpack(context.Background(), biopsy.File{Path: c.name}, spool.Bytes(c.bytes), biopsy.UnpackOptions{
			Gap: func(biopsy.Gap) {}, Yield: func(biopsy.File) error { yielded = true; return stop }})
		if yielded && !errors.Is(err, stop) {
			t.Errorf("%s: got %v, want %v", c.name, err, stop)
		}
	}
}

// tool runs a program of the field, or skips.
func tool(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip(name + " is not here")
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// TestTools opens what the projects' own tools write.
func TestTools(t *testing.T) {
	const its = `/dts-v1/; / { description = "pump"; #address-cells = <1>; images {
 kernel-1 { description = "k"; data = /incbin/("kernel"); type = "kernel"; arch = "arm"; os = "linux"; compression = "none"; load = <0>; entry = <0>; hash-1 { algo = "sha256"; }; }; };
 configurations { default = "c"; c { kernel = "kernel-1"; }; }; };`
	for _, c := range []struct {
		name, tool string
		args       []string
		out, want  string // a line of the answer
	}{
		{"legacy", "mkimage", []string{"-A", "arm", "-O", "linux", "-T", "kernel", "-C", "none", "-n", "pump", "-d", "kernel", "out"}, "out", "kernel.raw 5000 "},
		{"multi", "mkimage", []string{"-A", "arm", "-T", "multi", "-C", "none", "-d", "kernel:env.txt", "out"}, "out", "multi-1.raw 34 "},
		{"fit", "mkimage", []string{"-f", "pump.its", "out"}, "out", "kernel-1.raw 5000 "},
		{"external", "mkimage", []string{"-E", "-f", "pump.its", "out"}, "out", "kernel-1.raw 5000 "},
		{"position", "mkimage", []string{"-E", "-p", "0x2000", "-f", "pump.its", "out"}, "out", "kernel-1.raw 5000 "},
		{"env", "mkenvimage", []string{"-s", "0x4000", "-o", "out", "env.txt"}, "out", "uboot.env 34 "},
		{"env redundant", "mkenvimage", []string{"-r", "-s", "0x20000", "-o", "out", "env.txt"}, "out", "uboot.env 34 "},
		{"intel", "srec_cat", []string{"kernel", "-binary", "-offset", "0x8000000", "-o", "out", "-intel"}, "out", "0x08000000.raw 5000 "},
		{"motorola", "srec_cat", []string{"kernel", "-binary", "-offset", "0x8000000", "-o", "out", "-motorola"}, "out", "0x08000000.raw 5000 "},
		{"suffix", "dfu-suffix", []string{"-v", "0x0483", "-p", "0xdf11", "-a", "kernel.dfu"}, "kernel.dfu", "firmware.raw 5000 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, b := range map[string][]byte{"kernel": code(5000), "kernel.dfu": code(5000), "pump.its": []byte(its), "env.txt": []byte("bootcmd=bootm\nbootdelay=2\nfoo=bar\n")} {
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			tool(t, dir, c.tool, c.args...)
			image, err := os.ReadFile(filepath.Join(dir, c.out))
			if err != nil {
				t.Fatal(err)
			}
			got := told(t, newSpool(t), c.out, image, 0)
			if !strings.Contains(got, "\n"+c.want) || strings.Contains(got, "gap ") {
				t.Errorf("got\n%s, want a line %q", got, c.want)
			}
			if c.name != "suffix" && c.tool != "srec_cat" && !strings.Contains(got, fmt.Sprintf("extent %d of %[1]d\n", len(image))) {
				t.Errorf("got\n%s, want an extent of %d bytes", got, len(image))
			}
		})
	}
}

// TestPacked unpacks a kernel by every compression that its build offers.
func TestPacked(t *testing.T) {
	for _, c := range []struct{ name, args string }{
		{"gzip", "-9nk"}, {"xz", "--check=crc32 --lzma2=dict=1MiB -k"}, {"xz", "--check=crc32 --arm --lzma2=dict=1MiB -k"}, {"lzma", "-9k"}, {"bzip2", "-9k"},
		{"xz", "--format=lzma --lzma1=lc=1,lp=2,pb=2 -k"}, {"lzop", "-9k"}, {"lz4", "-l -9 -q vmlinux vmlinux.lz4"}, {"zstd", "-19 -q"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			plain := vmlinux()
			if err := os.WriteFile(filepath.Join(dir, "vmlinux"), plain, 0o644); err != nil {
				t.Fatal(err)
			}
			args := strings.Fields(c.args)
			if c.name != "lz4" {
				args = append(args, "vmlinux")
			}
			tool(t, dir, c.name, args...)
			packed := ""
			if m, _ := filepath.Glob(filepath.Join(dir, "vmlinux.*")); len(m) == 1 {
				packed = m[0]
			}
			payload, err := os.ReadFile(packed)
			if err != nil {
				t.Fatal(err)
			}
			image := join(make([]byte, 0x100), payload, words(le, uint32(len(plain))), make([]byte, 64))
			copy(image[0x24:], words(le, 0x016f2818, 0, uint32(len(image)), 0x04030201))
			switch { // what a zImage has not, or what only a header can tell
			case c.name == "bzip2":
				image = uimage(2, 2, payload)
			case strings.Contains(c.args, "lc=1"):
				image = uimage(2, 3, payload)
			}
			got := told(t, newSpool(t), "zImage", image, 0)
			if want := fmt.Sprintf(".raw %d %s\n", len(plain), short(plain)); !strings.Contains(got, want) {
				t.Errorf("got\n%s, want %q", got, want)
			}
		})
	}
}

func FuzzUnpack(f *testing.F) {
	for _, c := range samples() {
		if len(c.bytes) < 16<<10 {
			f.Add(c.name, c.bytes)
		}
	}
	s := newSpool(f)
	f.Fuzz(func(t *testing.T, name string, image []byte) {
		if len(image) < 1<<20 {
			told(t, s, name, image, 1)
		}
		for _, u := range All {
			if u.Extent != nil {
				if n, ok := u.Extent(bytes.NewReader(image), 0, int64(len(image))); ok && (n < 0 || n > int64(len(image))) {
					t.Errorf("%s: extent of %d bytes in %d", u.Name, n, len(image))
				}
			}
		}
	})
}

// TestManyStarts opens a kernel that looks like a stream everywhere.
func TestManyStarts(t *testing.T) {
	for _, start := range []string{"\x5d\x00\x00\x00\x08\xff\xff\xff\xff\xff\xff\xff\xff\x00AAAA", "\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46AAAAAA", "\x28\xb5\x2f\xfd\x84\x00\x80AAAAAAAAAAA", "\x1f\x8b\x08\x00AAAAAAAAAAAAAA"} {
		image := bytes.Repeat([]byte(start), 1<<20/len(start))
		allocations := testing.AllocsPerRun(1, func() { told(t, newSpool(t), "vmlinux.raw", image, 0) })
		if allocations > 1e6 {
			t.Errorf("%q: %v allocations", start, allocations)
		}
	}
}
