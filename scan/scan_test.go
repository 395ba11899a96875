package scan

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func options(t *testing.T) Options {
	t.Helper()
	sp, err := spool.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sp.Close() })
	return Options{Spool: sp}
}

func TestCancelled(t *testing.T) {
	dir := t.TempDir()
	for i := range 1500 {
		write(t, filepath.Join(dir, fmt.Sprint(i)), "x", 0o644)
	}
	o := options(t)
	ctx, cancel := context.WithCancel(context.Background())
	o.Progress = func(biopsy.Progress) { cancel() }
	if s, err := Run(ctx, []string{dir}, o); !errors.Is(err, context.Canceled) || s != nil {
		t.Errorf("got scan %v, error %v; want none and %v", s != nil, err, context.Canceled)
	}
}

func TestUnreadableIsAGapAndTheRestIsKept(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "package-lock.json"), `{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}`, 0o644)
	write(t, filepath.Join(dir, "shut", "x"), "x", 0o644)
	if err := os.Chmod(filepath.Join(dir, "shut"), 0); err != nil {
		t.Fatal(err)
	}
	s, err := Run(context.Background(), []string{dir}, options(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Gaps) != 1 || !strings.Contains(s.Gaps[0].Reason, "permission denied") || len(s.Components) != 1 {
		t.Errorf("gaps %v, %d components; want one gap and one component", s.Gaps, len(s.Components))
	}
}

func TestLimitOfFiles(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"a", "b", "c"} {
		write(t, filepath.Join(dir, n), n, 0o644)
	}
	o := options(t)
	o.Limits = biopsy.DefaultLimits
	o.Limits.Files = 2
	s, err := Run(context.Background(), []string{dir}, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Gaps) != 1 || s.Gaps[0].Place.Path != "c" {
		t.Errorf("gaps %v, want one at c", s.Gaps)
	}
}

func TestTreeDigestIsOfBytesAndNames(t *testing.T) {
	digest := func(files map[string]string, jobs int) string {
		dir := t.TempDir()
		for n, text := range files {
			write(t, filepath.Join(dir, n), text, 0o644)
		}
		o := options(t)
		o.Jobs = jobs
		s, err := Run(context.Background(), []string{dir}, o)
		if err != nil {
			t.Fatal(err)
		}
		return s.Artifacts[0].Digest
	}
	a := digest(map[string]string{"x": "1", "d/y": "2", "big": strings.Repeat("z", 1<<20)}, 1)
	if b := digest(map[string]string{"x": "1", "d/y": "2", "big": strings.Repeat("z", 1<<20)}, 4); a != b {
		t.Errorf("equal trees: %s and %s", a, b)
	}
	for _, other := range []map[string]string{
		{"x": "2", "d/y": "2", "big": strings.Repeat("z", 1<<20)}, {"w": "1", "d/y": "2", "big": strings.Repeat("z", 1<<20)}, {"x": "1", "d/y": "2"},
	} {
		if b := digest(other, 2); a == b {
			t.Error("another tree has the same digest")
		}
	}
}

// TestSparseDigest hashes a file with a hole in it, which no one reads, and wants the digest of its bytes.
func TestSparseDigest(t *testing.T) {
	const size = 8<<20 + 5
	path := filepath.Join(t.TempDir(), "sparse")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("pump"), 5<<20); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := Run(context.Background(), []string{path}, options(t))
	if err != nil {
		t.Fatal(err)
	}
	all := make([]byte, size)
	copy(all[5<<20:], "pump")
	if want := fmt.Sprintf("sha256:%x", sha256.Sum256(all)); s.Artifacts[0].Digest != want {
		t.Errorf("got %s, want %s", s.Artifacts[0].Digest, want)
	}
}

// TestLibraryOfAPart names a library once, where it is: not a second time in the image that its file is part of.
func TestLibraryOfAPart(t *testing.T) {
	banner := " inflate 1.2.11 Copyright 1995-2017 Mark Adler \x00"
	code := strings.Repeat("\x01\x17\x80\xd2", 4096)
	files, err := os.ReadFile("../unpack/romfs/testdata/tiny.romfs")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"an image of parts": {code + banner + code + string(files), "pump.bin!0x0.raw"},
		"an image without":  {code + banner + code, "pump.bin"},
	} {
		path := filepath.Join(t.TempDir(), "pump.bin")
		write(t, path, c.text, 0o644)
		s, err := Run(context.Background(), []string{path}, options(t))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range s.Components {
			for _, e := range x.Evidence {
				if x.Name == "zlib" {
					got = append(got, e.Place.Path)
				}
			}
		}
		if want := "[" + c.want + "]"; fmt.Sprint(got) != want {
			t.Errorf("%s: got %v, want %s", name, got, want)
		}
	}
}

func TestImageIsFirmware(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pump.bin")
	write(t, path, strings.Repeat("\xff", 4096)+strings.Repeat("\x00\x17\x80\xd2", 2048), 0o644)
	s, err := Run(context.Background(), []string{path}, options(t))
	if err != nil {
		t.Fatal(err)
	}
	if s.Subject.Kind != biopsy.Firmware || len(s.Ledgers) != 1 {
		t.Fatalf("kind %q, %d ledgers; want firmware with one", s.Subject.Kind, len(s.Ledgers))
	}
	total := int64(0)
	for _, x := range s.Ledgers[0].Spans {
		total += x.Size
	}
	if total != 4096+8192 {
		t.Errorf("the ledger accounts for %d bytes", total)
	}
}

// TestArchiveIsAccountedFor has a ledger of an archive that was handed to us, which is no firmware, and of one inside it only where bytes
// are not understood.
func TestArchiveIsAccountedFor(t *testing.T) {
	var inner, outer bytes.Buffer
	for _, x := range []struct {
		to    *bytes.Buffer
		names []string
	}{{&inner, []string{"a.txt"}}, {&outer, []string{"whole.zip", "junk.zip"}}} {
		z := zip.NewWriter(x.to)
		for _, name := range x.names {
			f, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			f.Write(inner.Bytes())
			if name == "junk.zip" {
				f.Write([]byte("junk"))
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "update.zip")
	write(t, path, outer.String(), 0o644)
	s, err := Run(context.Background(), []string{path}, options(t))
	if err != nil {
		t.Fatal(err)
	}
	if s.Subject.Kind == biopsy.Firmware || len(s.Ledgers) != 2 || s.Ledgers[0].Place.Path != "update.zip" || s.Ledgers[1].Place.Path != "update.zip!junk.zip" {
		t.Errorf("kind %q, ledgers %+v", s.Subject.Kind, s.Ledgers)
	}
}
