package iso9660

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
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy/imagetest"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

type found struct {
	files map[string]string // content, or what failed
	modes map[string]string
	gaps  []string
	spans []biopsy.Span
	err   error
}

func look(t testing.TB, b []byte) found {
	t.Helper()
	f := found{files: map[string]string{}, modes: map[string]string{}}
	f.err = Image.Unpack(context.Background(), biopsy.File{}, spool.Bytes(b), biopsy.UnpackOptions{
		Limits: biopsy.DefaultLimits,
		Yield: func(m biopsy.File) error {
			f.files[m.Path], f.modes[m.Path] = content(m), m.Mode.String()
			return nil
		},
		Gap:    func(g biopsy.Gap) { f.gaps = append(f.gaps, g.Place.String()+": "+g.Reason) },
		Ledger: func(s []biopsy.Span) { f.spans = s },
	})
	return f
}

func content(m biopsy.File) string {
	c, err := m.Open()
	if err != nil {
		return err.Error()
	}
	if c.Size() > 64<<20 {
		return "too large for a test"
	}
	b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	if err != nil || int64(len(b)) != m.Size {
		return fmt.Sprintf("%d of %d bytes: %v", len(b), m.Size, err)
	}
	return string(b)
}

// tree writes files, deeper than eight directories too, and returns what it wrote.
func tree(t testing.TB) (string, map[string]string) {
	t.Helper()
	dir, r, files := t.TempDir(), rand.New(rand.NewSource(1)), map[string]string{}
	write := func(name string, size int) {
		b := make([]byte, size)
		r.Read(b)
		files[name] = string(b)
		p := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int{0, 1, 2047, 2048, 2049, 300000} {
		write(fmt.Sprintf("sizes/%d.bin", size), size)
	}
	write("noending", 10)
	write("1/2/3/4/5/6/7/8/9/10/deep", 15)
	write("a name with blanks.and.points", 20)
	write(strings.Repeat("long", 50)+".txt", 5)
	write("sensor-überlang", 6)
	for i := range 120 {
		write(fmt.Sprintf("many/file with a long name %03d", i), i)
	}
	if err := os.Symlink("noending", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	return dir, files
}

// TestPrograms has genisoimage and xorriso write images.
func TestPrograms(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	dir, want := tree(t)
	for name, c := range map[string]struct {
		args  string
		plain bool // names are those of ISO 9660 or Joliet, cut or without links
	}{
		"rock ridge":        {"genisoimage -quiet -R -o IMG DIR", false},
		"rock ridge, deep":  {"genisoimage -quiet -R -D -o IMG DIR", false},
		"both":              {"genisoimage -quiet -R -J -joliet-long -o IMG DIR", false},
		"joliet":            {"genisoimage -quiet -J -D -joliet-long -o IMG DIR", true},
		"plain":             {"genisoimage -quiet -D -o IMG DIR", true},
		"xorriso":           {"xorriso -as mkisofs -quiet -R -J -o IMG DIR", false},
		"xorriso, rational": {"xorriso -as mkisofs -quiet -r -iso-level 3 -o IMG DIR", false},
		"udf":               {"genisoimage -quiet -R -udf -o IMG DIR", false},
	} {
		t.Run(name, func(t *testing.T) {
			args := strings.Fields(c.args)
			if _, err := exec.LookPath(args[0]); err != nil {
				t.Skip("no " + args[0])
			}
			img := filepath.Join(t.TempDir(), "cd.iso")
			for i, a := range args {
				args[i] = strings.ReplaceAll(strings.ReplaceAll(a, "IMG", img), "DIR", dir)
			}
			if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			b, err := os.ReadFile(img)
			if err != nil {
				t.Fatal(err)
			}
			got := look(t, b)
			if name == "udf" {
				withoutLink(t, got)
			}
			if said := strings.Join(got.gaps, "\n"); got.err != nil || said != "" {
				t.Errorf("error %v, gaps %q", got.err, got.gaps)
			}
			contents := map[string]bool{}
			for _, g := range got.files {
				contents[g] = true
			}
			for p, w := range want {
				if c.plain && !contents[w] || !c.plain && got.files[p] != w {
					t.Errorf("%s: not found", p)
				}
			}
			if len(got.files) != len(want) {
				t.Errorf("%d files, want %d", len(got.files), len(want))
				for p := range got.files {
					if _, ok := want[p]; !ok {
						t.Errorf("%q is no file", p)
					}
				}
			}
			if name == "joliet" && got.files["a name with blanks.and.points"] != want["a name with blanks.and.points"] {
				t.Error("joliet: long name is lost")
			}
			imagetest.Spans(t, got.spans, int64(len(b)))
			if n, ok := Image.Extent(bytes.NewReader(append(make([]byte, 777), b...)), 777, int64(len(b))); !ok || n > int64(len(b)) {
				t.Errorf("extent: got %d, %v, want %d", n, ok, len(b))
			}
		})
	}
}

// small returns a committed image, with Rock Ridge or without.
func small(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open("testdata/small." + name + ".gz")
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
	return b
}

// TestSmall lists the committed images, which need no program to make.
func TestSmall(t *testing.T) {
	for name, want := range map[string]map[string]string{
		"rr":    {"etc/motd.txt": "-r-xr-xr-x hello\n", "Firmware of the device": "-r--r--r-- " + strings.Repeat("device firmware\n", 300)},
		"udf":   {"valve.txt": "-r--r--r-- pump\n", "d/größe": "-r--r--r-- alarm\n"},
		"plain": {"ETC/MOTD.TXT": "-rw-r--r-- hello\n", "FIRMWARE": "-rw-r--r-- " + strings.Repeat("device firmware\n", 300)},
	} {
		b := small(t, name)
		got := look(t, b)
		for p, w := range want {
			if g := got.modes[p] + " " + got.files[p]; g != w {
				t.Errorf("%s: %s: got %.60q want %.60q", name, p, g, w)
			}
		}
		if got.err != nil || len(got.gaps) > 0 || len(got.files) != len(want) {
			t.Errorf("%s: error %v, gaps %q, %d files", name, got.err, got.gaps, len(got.files))
		}
		imagetest.Spans(t, got.spans, int64(len(b)))
	}
}

// recordOf finds the record of a name in a plain image.
func recordOf(t testing.TB, b []byte, name string) int {
	t.Helper()
	i := bytes.Index(b[18*sector:], append([]byte{byte(len(name))}, name...))
	if i < 0 {
		t.Fatalf("no %s", name)
	}
	return 18*sector + i - 32
}

// TestRecords changes records of a plain image.
func TestRecords(t *testing.T) {
	b := small(t, "plain")
	etc, firmware, motd := recordOf(t, b, "ETC"), recordOf(t, b, "FIRMWARE.;1"), recordOf(t, b, "MOTD.TXT;1")
	root := 156 + firstDescriptor
	for name, c := range map[string]struct {
		at   int
		with string
		want string
	}{
		"circle":      {etc + 2, string(b[root+2 : root+6]), "twice"},
		"far away":    {firmware + 2, "\xff\xff\xff\x7f", "beyond the end"},
		"too large":   {firmware + 10, "\xff\xff\xff\x7f", "beyond the end"},
		"interleaved": {firmware + 26, "\x01", "interleaved"},
		"record":      {etc + 32, "\xf0", "with a name of 240"},
		"name":        {motd + 33, "a/b", "cannot be"},
		"cut off":     {firstDescriptor + 80, "\x00\x00\x01\x00\x00\x01\x00\x00", "cut off"},
	} {
		d := bytes.Clone(b)
		copy(d[c.at:], c.with)
		got := look(t, d)
		if said := strings.Join(got.gaps, "\n") + got.files["FIRMWARE"]; !strings.Contains(said, c.want) || got.err != nil {
			t.Errorf("%s: got %v, %.300q, want %q", name, got.err, said, c.want)
		}
	}
	d := bytes.Clone(b) // the next record goes on where the one before ends
	d[etc+25] = flagMore
	got := look(t, d)
	if g := got.files["FIRMWARE"]; !strings.HasSuffix(g, "device firmware\n") || len(g) != 4800+2048 {
		t.Errorf("several extents: got %d bytes, %v, %q", len(g), got.err, got.gaps)
	}
	if got := look(t, make([]byte, 40<<10)); got.err == nil {
		t.Error("zeros: no error")
	}
}

// TestHostile changes bytes and cuts: no panic, an end.
func TestHostile(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	for _, name := range []string{"rr", "plain"} {
		b := small(t, name)
		var used []int
		for i, c := range b {
			if c != 0 && len(used) < 6000 {
				used = append(used, i)
			}
		}
		for range 500 {
			c := bytes.Clone(b)
			for range 1 + r.Intn(4) {
				c[used[r.Intn(len(used))]] = byte(r.Intn(256))
			}
			if got := look(t, c); got.err == nil {
				imagetest.Spans(t, got.spans, int64(len(c)))
			}
		}
		for i := range 30 {
			look(t, b[:len(b)*i/30])
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
	var images [2][]byte
	for i, name := range [...]string{"rr", "plain"} {
		images[i] = small(f, name)
		f.Add(i == 0, []byte{0, 0, 11, 2, 0, 0x80, 80, 1}, len(images[i]))
	}
	f.Fuzz(func(t *testing.T, first bool, edits []byte, size int) {
		b := images[1]
		if first {
			b = images[0]
		}
		b = apply(b, edits)
		b = b[:max(min(size, len(b)), 0)]
		if got := look(t, b); got.err == nil {
			imagetest.Spans(t, got.spans, int64(len(b)))
		}
		if n, ok := Image.Extent(bytes.NewReader(b), 0, int64(len(b))); ok && n > int64(len(b)) {
			t.Errorf("extent of %d bytes in %d", n, len(b))
		}
	})
}
