package archive

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// plant makes a folder with files of all sorts, half a megabyte of programs among them.
func plant(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Skip(err)
	}
	program = program[:min(len(program), 400_000)]
	for name, f := range map[string]struct {
		b    []byte
		mode fs.FileMode
	}{
		"empty": {nil, 0o644}, "usr/bin/pumpd": {program, 0o755}, "usr/lib/libpump.so": {program[:100_000], 0o644}, "one": {[]byte{7}, 0o600},
		"etc/größe.txt": {bytes.Repeat([]byte("pump valve alarm\n"), 5000), 0o644}, "etc/b.txt": {[]byte("battery"), 0o444},
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.b, f.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, f.mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "nothing"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("one", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs a program in a folder, and skips the test where it is not installed.
func run(t testing.TB, dir string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(args[0]); err != nil {
		t.Skip(err)
	}
	c := exec.Command(args[0], args[1:]...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// unpacked is what an archive turned out to hold.
type unpacked struct {
	files map[string][]byte
	modes map[string]fs.FileMode
	gaps  []biopsy.Gap
	spans []biopsy.Span
	err   error
}

func unpackAll(t testing.TB, u biopsy.Unpacker, name string, b []byte) unpacked {
	t.Helper()
	got := unpacked{files: map[string][]byte{}, modes: map[string]fs.FileMode{}}
	got.err = u.Unpack(context.Background(), biopsy.File{Path: name}, spool.Bytes(b), biopsy.UnpackOptions{
		Limits: biopsy.DefaultLimits, Spool: newSpool(t),
		Gap:    func(g biopsy.Gap) { got.gaps = append(got.gaps, g) },
		Ledger: func(s []biopsy.Span) { got.spans = append(got.spans, s...) },
		Yield: func(f biopsy.File) error {
			c, err := f.Open()
			if err != nil {
				got.gaps = append(got.gaps, biopsy.Gap{Place: f.Place(), Reason: err.Error()})
				return nil
			}
			defer c.Close()
			b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
			if err != nil || f.Size >= 0 && int64(len(b)) != f.Size {
				t.Errorf("%s: got %d of %d bytes, %v", f.Path, len(b), f.Size, err)
			}
			got.files[f.Path], got.modes[f.Path] = b, f.Mode
			return nil
		},
	})
	return got
}

// same compares with the folder that the archive was made of. noModes is for formats that know none.
func (got unpacked) same(t *testing.T, what, dir string, noModes bool) {
	t.Helper()
	if got.err != nil || len(got.gaps) > 0 {
		t.Errorf("%s: %v, gaps %v", what, got.err, got.gaps)
	}
	n := 0
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		n++
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		want, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if b, ok := got.files[rel]; !ok || !bytes.Equal(b, want) {
			t.Errorf("%s: %s: there %v, %d bytes, want %d", what, rel, ok, len(b), len(want))
		} else if !noModes && got.modes[rel] != info.Mode() {
			t.Errorf("%s: %s: mode %v, want %v", what, rel, got.modes[rel], info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n != len(got.files) {
		t.Errorf("%s: %d files, want %d", what, len(got.files), n)
	}
}

// covers looks at the ledger: spans touch, cover all bytes, and none is unknown.
func (got unpacked) covers(t *testing.T, what string, size int) {
	t.Helper()
	at := int64(0)
	for _, s := range got.spans {
		if s.Offset != at || s.Size <= 0 || s.Status == biopsy.BytesUnknown {
			t.Errorf("%s: span %+v at %d", what, s, at)
		}
		at = s.Offset + s.Size
	}
	if at != int64(size) {
		t.Errorf("%s: the ledger ends at %d, want %d", what, at, size)
	}
}
