package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sbom.json")
	put := func(text string, fail error) error {
		return Write(path, func(w io.Writer) error {
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
			return fail
		})
	}
	if err := put("one", nil); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	if err := put("two", full); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
	if got, _ := os.ReadFile(path); string(got) != "one" {
		t.Errorf("after a failed write the file holds %q, want the old %q", got, "one")
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%d files left, want 1", len(left))
	}
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// TestWriteNoFile writes to what must never be replaced. In a folder of its own a link stands for the device, so that a mistake
// costs the link.
func TestWriteNoFile(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ device, want string }{{"/dev/null", ""}, {"/dev/full", "no space left"}} {
		if _, err := os.Stat(c.device); err != nil {
			t.Skip("no devices here")
		}
		link := filepath.Join(dir, filepath.Base(c.device))
		if err := os.Symlink(c.device, link); err != nil {
			t.Fatal(err)
		}
		err := Write(link, text("x"))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.device, err, c.want)
		}
		if at, err := os.Readlink(link); err != nil || at != c.device {
			t.Errorf("%s: the link leads to %q, %v", c.device, at, err)
		}
	}
	if err := Write(dir, text("x")); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: got %v", err)
	}
}

func TestWriteKeepsLinkAndMode(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "f"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Symlink("f", link), Write(link, text("new"))); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || string(b) != "new" {
		t.Errorf("got %q, %v", b, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v; want that of the old file", info.Mode(), err)
	}
}

func TestWriteLongName(t *testing.T) {
	if err := Write(filepath.Join(t.TempDir(), strings.Repeat("n", 255)), text("x")); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{"f": "", "none/f": "no such file", ".": "is a directory"} {
		err := Check(filepath.Join(dir, path))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWriteNowhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "f")
	if err := Write(path, text("x")); err == nil || err.Error() != path+": no such file or directory" {
		t.Errorf("got %v", err)
	}
}
