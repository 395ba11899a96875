package disk

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy/imagetest"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

var kinds = []*biopsy.Unpacker{&QCOW2, &VMDK, &VDI, &VHD, &VHDX, &Sparse, &Closed, &Table}

// file is an image file as content.
type file struct {
	*os.File
	size int64
}

func (f file) Size() int64 { return f.size }

// found is what an image holds.
type found struct {
	names []string
	bytes map[string][]byte
	gaps  []string
	spans []biopsy.Span
	err   error
}

// look unpacks by the first unpacker that matches.
func look(t testing.TB, name string, c biopsy.Content) found {
	t.Helper()
	f := found{bytes: map[string][]byte{}}
	head := make([]byte, min(c.Size(), 4096))
	if n, err := c.ReadAt(head, 0); n < len(head) {
		t.Fatal(err)
	}
	for _, u := range kinds {
		in := biopsy.File{Path: name, Size: c.Size()}
		if !u.Match(in, head) {
			continue
		}
		f.err = u.Unpack(context.Background(), in, c, biopsy.UnpackOptions{
			Limits: biopsy.DefaultLimits, Budget: new(budget),
			Yield: func(m biopsy.File) error {
				f.names = append(f.names, m.Path)
				f.bytes[m.Path] = content(t, m)
				return nil
			},
			Gap:    func(g biopsy.Gap) { f.gaps = append(f.gaps, g.Place.String()+": "+g.Reason) },
			Ledger: func(s []biopsy.Span) { f.spans = s },
		})
		return f
	}
	f.err = errors.New("no unpacker")
	return f
}

// budget pays for 64 MiB.
type budget int64

func (b *budget) Spend(n int64) error {
	if *b += budget(n); *b > 64<<20 {
		return errors.New("the limit is reached")
	}
	return nil
}

// content reads a member; nil when that fails or it is too large for a test.
func content(t testing.TB, m biopsy.File) []byte {
	c, err := m.Open()
	if err != nil || c.Size() > 64<<20 {
		return nil
	}
	if m.Size >= 0 && m.Size != c.Size() {
		t.Errorf("%s: %d bytes instead of %d", m.Path, c.Size(), m.Size)
	}
	b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	if err != nil {
		return nil
	}
	return b
}

// run runs a program; one that is missing skips the test.
func run(t testing.TB, stdin, name string, args ...string) {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		program = "/sbin/" + name
		if _, err := os.Stat(program); err != nil {
			t.Skip("no " + name)
		}
	}
	c := exec.Command(program, args...)
	c.Stdin = strings.NewReader(stdin)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func open(t testing.TB, path string) file {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return file{f, info.Size()}
}

const mebi = 1 << 20

// rawDisk writes a disk of 16 MiB with a partition table and something everywhere.
func rawDisk(t testing.TB, tool, script string) string {
	t.Helper()
	raw := filepath.Join(t.TempDir(), "disk.img")
	b := make([]byte, 16*mebi)
	r := rand.New(rand.NewSource(1))
	for at := mebi; at < len(b); at += 2 * mebi { // every other MiB is not empty, half of it does not pack
		r.Read(b[at : at+mebi/2])
		copy(b[at+mebi/2:], bytes.Repeat([]byte("firmware "), 50000))
	}
	copy(b[20480:], "a boot loader")
	copy(b[mebi:], "hsqs")
	if err := os.WriteFile(raw, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if tool == "sfdisk" {
		run(t, script, "sfdisk", "-q", raw)
	} else {
		run(t, "", tool, append(strings.Fields(script), raw)...)
	}
	return raw
}

const dosTable = "label: dos\nstart=2048, size=4096, type=83\nstart=8192, size=20000, type=5\nstart=10240, size=2048, type=83\nstart=14336, size=2048, type=c\n"

// TestTables writes tables by other programs and wants the partitions at their places.
func TestTables(t *testing.T) {
	for name, c := range map[string]struct {
		tool, script string
		want         map[string][2]int // offset and size in MiB
	}{
		"mbr":          {"sfdisk", dosTable, map[string][2]int{"part1.squashfs": {1, 2}, "part5.bin": {5, 1}, "part6.bin": {7, 1}}},
		"gpt":          {"sfdisk", "label: gpt\nstart=2048, size=4096, name=boot\nstart=8192, size=2048\n", map[string][2]int{"part1.squashfs": {1, 2}, "part2.bin": {4, 1}}},
		"gpt of gdisk": {"sgdisk", "-n 3:2048:+2M -n 1:8192:+1M -t 1:8300", map[string][2]int{"part3.squashfs": {1, 2}, "part1.bin": {4, 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			img := open(t, rawDisk(t, c.tool, c.script))
			raw, err := os.ReadFile(img.Name())
			if err != nil {
				t.Fatal(err)
			}
			got := look(t, "disk.img", img)
			if got.err != nil || len(got.gaps) > 0 {
				t.Errorf("error %v, gaps %q", got.err, got.gaps)
			}
			parts := 0
			for name, b := range got.bytes {
				if !strings.HasPrefix(name, "part") {
					continue
				}
				w, ok := c.want[name]
				if parts++; !ok || !bytes.Equal(b, raw[w[0]*mebi:(w[0]+w[1])*mebi]) {
					t.Errorf("%s: %d bytes, want %v", name, len(b), w)
				}
			}
			if parts != len(c.want) {
				t.Errorf("got %q", got.names)
			}
			for name, b := range got.bytes {
				var at int
				if n, _ := fmt.Sscanf(name, "unpartitioned-0x%x.bin", &at); n == 1 && !bytes.Equal(b, raw[at:at+len(b)]) {
					t.Errorf("%s: not what is there", name)
				}
			}
			if b := got.bytes["unpartitioned-0x5000.bin"]; !bytes.HasPrefix(b, []byte("a boot loader")) || len(b) != 512 {
				t.Errorf("boot loader: got %q", b)
			}
			imagetest.Spans(t, got.spans, img.size)
		})
	}
}

// TestDamagedGPT reads the copy when the first table is damaged.
func TestDamagedGPT(t *testing.T) {
	raw, err := os.ReadFile(rawDisk(t, "sfdisk", "label: gpt\nstart=2048, size=4096\nstart=8192, size=2048\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		at, from, to int
		gap          string
		parts        int
	}{
		"header":  {512 + 48, 512 + 48, 512 + 49, "copy at the end", 2},
		"entries": {1024 + 200, 1024 + 200, 1024 + 201, "checksum of the entries", 2},
		"both":    {512, 512, 520, "missing", 0},
	} {
		b := bytes.Clone(raw)
		for i := c.from; i < c.to; i++ {
			b[i] ^= 0x55
		}
		if name == "both" {
			clear(b[len(b)-512:])
		}
		got := look(t, "x", spool.Bytes(b))
		parts := strings.Count(strings.Join(got.names, " ")+" ", "part1.")/1 + strings.Count(strings.Join(got.names, " "), "part2.")
		if parts != c.parts || !strings.Contains(strings.Join(got.gaps, "\n"), c.gap) {
			t.Errorf("%s: got %q, gaps %q, error %v", name, got.names, got.gaps, got.err)
		}
	}
	got := look(t, "x", spool.Bytes(raw[:6*mebi]))
	if !strings.Contains(strings.Join(got.gaps, "\n"), "cut off") && len(got.bytes["part1.squashfs"]) != 2*mebi {
		t.Errorf("cut: got %q, gaps %q, error %v", got.names, got.gaps, got.err)
	}
	if n, ok := Table.Extent(bytes.NewReader(append(make([]byte, 100), raw...)), 100, int64(len(raw))); !ok || n != int64(len(raw)) {
		t.Errorf("extent: got %d, %v", n, ok)
	}
}

// opened opens the disk in an image.
func opened(t testing.TB, kind string, c biopsy.Content) reader {
	t.Helper()
	var d reader
	var err error
	switch kind {
	case "qcow2":
		d, err = openQCOW2(c)
	case "vmdk":
		d, err = openVMDK(c)
	case "vdi":
		d, err = openVDI(c)
	case "vpc":
		d, err = openVHD(c)
	case "vhdx":
		d, err = openVHDX(c)
	case "simg":
		d, _, err = openSparse(c, 0, c.Size())
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestVirtual has qemu-img and img2simg store a disk in their ways, and compares every byte.
func TestVirtual(t *testing.T) {
	path := rawDisk(t, "sfdisk", dosTable)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, options := range map[string]string{
		"qcow2": "", "qcow2 v2": "-o compat=0.10", "qcow2 packed": "-c", "qcow2 zstd": "-c -o compression_type=zstd", "qcow2 small": "-o cluster_size=512",
		"qcow2 large": "-o cluster_size=2M", "qcow2 full": "-o preallocation=full",
		"vmdk": "", "vmdk stream": "-o subformat=streamOptimized", "vdi": "", "vdi full": "-o static=on", "vpc": "-o force_size", "vpc fixed": "-o subformat=fixed,force_size",
		"vhdx": "", "vhdx fixed": "-o subformat=fixed", "simg": "",
	} {
		t.Run(name, func(t *testing.T) {
			kind, _, _ := strings.Cut(name, " ")
			img := filepath.Join(t.TempDir(), "machine."+strings.Replace(kind, "vpc", "vhd", 1))
			if kind == "simg" {
				run(t, "", "img2simg", path, img)
			} else {
				run(t, "", "qemu-img", append(append([]string{"convert", "-O", kind}, strings.Fields(options)...), path, img)...)
			}
			c := open(t, img)
			d := opened(t, kind, c)
			b := make([]byte, min(d.Size(), 20*mebi))
			if err := readAt(d, b, 0); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b[:len(raw)], raw) {
				i := 0
				for b[i] == raw[i] {
					i++
				}
				t.Errorf("differs from byte %d", i)
			}
			got := look(t, img, c)
			if got.err != nil || len(got.gaps) > 0 || !bytes.Equal(got.bytes["part5.bin"], raw[5*mebi:6*mebi]) || !bytes.Equal(got.bytes["part1.squashfs"], raw[mebi:3*mebi]) {
				t.Errorf("error %v, gaps %q, members %q", got.err, got.gaps, got.names)
			}
			imagetest.Spans(t, got.spans, c.size)
		})
	}
}

// TestRefused wants a reason for what cannot be read.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	base, over := filepath.Join(dir, "base.qcow2"), filepath.Join(dir, "over")
	run(t, "", "qemu-img", "create", "-f", "qcow2", base, "1M")
	for kind, args := range map[string][]string{
		"qcow2": {"-f", "qcow2", "-b", base, "-F", "qcow2"}, "vmdk": {"-f", "vmdk", "-b", base, "-F", "qcow2"},
	} {
		img := over + "." + kind
		if kind == "vmdk" {
			run(t, "", "qemu-img", "create", "-f", "vmdk", base+".vmdk", "1M")
			args = []string{"-f", "vmdk", "-b", base + ".vmdk", "-F", "vmdk"}
		}
		run(t, "", "qemu-img", append(append([]string{"create"}, args...), img)...)
		if got := look(t, img, open(t, img)); got.err == nil || !strings.Contains(got.err.Error(), "another file") || len(got.names) > 0 {
			t.Errorf("%s: got %v, %q", kind, got.err, got.names)
		}
	}
	for head, reason := range map[string]string{"LUKS\xba\xbe": "LUKS", "XFSB": "XFS"} {
		got := look(t, "x", spool.Bytes(append([]byte(head), make([]byte, 5000)...)))
		if !strings.Contains(strings.Join(got.gaps, ""), reason) || got.err != nil {
			t.Errorf("%q: got %v, %q", head, got.err, got.gaps)
		}
		imagetest.Spans(t, got.spans, int64(len(head)+5000))
	}
}

// TestLoop reads a chain of logical partitions that leads back to its beginning, and a partition that is the whole disk.
func TestLoop(t *testing.T) {
	b := make([]byte, 64<<10)
	entry := func(sector, n int, kind byte, start, size uint32) {
		e := b[sector*512+446+16*n:]
		e[4] = kind
		le.PutUint32(e[8:], start)
		le.PutUint32(e[12:], size)
		copy(b[sector*512+510:], "\x55\xaa")
	}
	entry(0, 0, 5, 10, 100)
	entry(0, 1, 0x83, 0, 128)
	entry(10, 0, 0x83, 1, 1)
	entry(10, 1, 5, 5, 10)
	entry(15, 0, 0x83, 1, 1)
	entry(15, 1, 5, 5, 10)
	got := look(t, "x", spool.Bytes(b))
	gaps := strings.Join(got.gaps, "\n")
	if !strings.Contains(gaps, "one too many") || !strings.Contains(gaps, "whole disk") || got.err != nil {
		t.Errorf("got %v, %q", got.err, got.gaps)
	}
	imagetest.Spans(t, got.spans, int64(len(b)))
}

// samples are committed images of a disk of 1 MiB with one partition, by the name of their format.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.gz")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, p := range files {
		f, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(p), ".gz")] = b
	}
	if len(out) < 5 {
		t.Fatalf("only %d files in testdata", len(out))
	}
	return out
}

// TestSamples lists the committed images, which need no program to make.
func TestSamples(t *testing.T) {
	want := bytes.Repeat([]byte("device firmware\n"), 1024)
	for name, b := range samples(t) {
		got := look(t, name, spool.Bytes(b))
		if p := got.bytes["part1.bin"]; got.err != nil || len(got.gaps) > 0 || !bytes.Equal(p, want) {
			t.Errorf("%s: error %v, gaps %q, members %q, %d bytes", name, got.err, got.gaps, got.names, len(p))
		}
		imagetest.Spans(t, got.spans, int64(len(b)))
	}
}

// TestHugeDisk says that a small image holds a disk of 256 TiB: what is not partitioned is looked at as far as the budget goes.
func TestHugeDisk(t *testing.T) {
	img := slices.Concat(sparseMagic, []byte("\x00\x00\x1c\x00\x0c\x00"), make([]byte, 16))
	for i, n := range []uint32{64 << 10, 1<<32 - 1, 2, 0} {
		le.PutUint32(img[12+4*i:], n)
	}
	chunk := func(kind uint32, blocks, size int) {
		for _, n := range []uint32{kind, uint32(blocks), uint32(size) + 12} {
			img = le.AppendUint32(img, n)
		}
	}
	chunk(0xcac1, 1, 64<<10)
	img = append(img, make([]byte, 64<<10)...)
	mbr := img[28+12:]
	copy(mbr[510:], "\x55\xaa")
	mbr[446+4], mbr[446+9], mbr[446+13] = 0x83, 1, 1
	chunk(0xcac3, 1<<32-2, 0)
	got := look(t, "x", spool.Bytes(img))
	if said := strings.Join(got.gaps, "\n"); !strings.Contains(said, "limit is reached") || got.err != nil || len(got.names) != 1 {
		t.Errorf("got %v, %q, %q", got.err, got.gaps, got.names)
	}
}

// TestLargePartition says no size beforehand of what is larger than a file may be: it is not unpacked.
func TestLargePartition(t *testing.T) {
	b := samples(t)["mbr.img"]
	var sizes []int64
	err := Table.Unpack(context.Background(), biopsy.File{}, spool.Bytes(b), biopsy.UnpackOptions{
		Limits: biopsy.Limits{FileSize: 16<<10 - 1}, Yield: func(f biopsy.File) error { sizes = append(sizes, f.Size); return nil },
		Gap: func(g biopsy.Gap) { t.Error(g) },
	})
	if err != nil || !slices.Equal(sizes, []int64{-1}) {
		t.Errorf("got %v, %v", sizes, err)
	}
}

// TestHostile changes bytes of tables and cuts: no panic, an end.
func TestHostile(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for name, b := range samples(t) {
		var used []int
		for i, c := range b {
			if c != 0 && len(used) < 4096 {
				used = append(used, i)
			}
		}
		for range 150 {
			c := bytes.Clone(b)
			for range 1 + r.Intn(3) {
				c[used[r.Intn(len(used))]] = byte(r.Intn(256))
			}
			look(t, name, spool.Bytes(c))
		}
		for i := range 40 {
			look(t, name, spool.Bytes(b[:len(b)*i/40]))
		}
	}
}

// apply changes an image: each edit is an offset of three bytes and a byte.
func apply(b, edits []byte) []byte {
	b = bytes.Clone(b)
	for ; len(edits) >= 4 && len(b) > 0; edits = edits[4:] {
		at := int(edits[0])<<16 | int(edits[1])<<8 | int(edits[2])
		b[at%len(b)] = edits[3]
	}
	return b
}

func FuzzUnpack(f *testing.F) {
	images := samples(f)
	for name, b := range images {
		if len(b) > 2<<20 { // too slow
			delete(images, name)
			continue
		}
		f.Add(name, []byte{0, 0, 20, 2, 0, 2, 72, 1}, len(b))
	}
	f.Fuzz(func(t *testing.T, name string, edits []byte, size int) {
		b := apply(images[name], edits)
		b = b[:max(min(size, len(b)), 0)]
		if got := look(t, name, spool.Bytes(b)); got.err == nil && got.spans != nil {
			imagetest.Spans(t, got.spans, int64(len(b)))
		}
		for _, u := range kinds {
			if u.Extent == nil {
				continue
			}
			if n, ok := u.Extent(bytes.NewReader(b), 0, int64(len(b))); ok && n > int64(len(b)) {
				t.Errorf("%s: extent of %d bytes in %d", u.Name, n, len(b))
			}
		}
	})
}

func BenchmarkQCOW2(b *testing.B) {
	path := rawDisk(b, "sfdisk", dosTable)
	for _, options := range []string{"", "-c"} {
		b.Run("convert"+options, func(b *testing.B) {
			img := filepath.Join(b.TempDir(), "x.qcow2")
			run(b, "", "qemu-img", append(append([]string{"convert", "-O", "qcow2"}, strings.Fields(options)...), path, img)...)
			d := opened(b, "qcow2", open(b, img))
			buf := make([]byte, 64<<10)
			b.SetBytes(d.Size())
			b.ReportAllocs()
			for b.Loop() {
				for at := int64(0); at < d.Size(); at += int64(len(buf)) {
					if _, err := d.ReadAt(buf, at); err != nil && err != io.EOF {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
