package dir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
)

// plant makes files (content), folders (ending in "/") and links ("-> target") below a new directory.
func plant(t testing.TB, tree map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, what := range tree {
		p := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(p), 0o755)
		target, link := strings.CutPrefix(what, "-> ")
		switch {
		case err != nil:
		case link:
			err = os.Symlink(target, p)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(p, 0o755)
		default:
			err = os.WriteFile(p, []byte(what), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// list walks a directory and writes what comes, one a line.
func list(t testing.TB, root string, exclude ...string) string {
	t.Helper()
	tree, err := open(context.Background(), root, biopsy.OpenOptions{Exclude: exclude})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	var out strings.Builder
	err = tree.Walk(context.Background(), func(f biopsy.File) error {
		c, err := f.Open()
		if err != nil {
			fmt.Fprintf(&out, "%s: %v\n", f.Path, err)
			return nil
		}
		defer c.Close()
		b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
		if int64(len(b)) != f.Size {
			t.Errorf("%s: read %d bytes, size says %d", f.Path, len(b), f.Size)
		}
		local := c.(biopsy.LocalPath).LocalPath()
		if same, _ := os.ReadFile(local); !bytes.Equal(same, b) {
			t.Errorf("%s: LocalPath %s is another file", f.Path, local)
		}
		fmt.Fprintf(&out, "%s %v %q\n", f.Path, f.Mode, b)
		return err
	}, func(g biopsy.Gap) { fmt.Fprintf(&out, "gap %s: %s\n", g.Place, g.Reason) })
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWalk(t *testing.T) {
	secret := plant(t, map[string]string{"secret": "outside"})
	root := plant(t, map[string]string{
		"b/z": "z", "b/a": "a", "a.txt": "1", "a-b": "2", "a/x": "", "empty/": "",
		"loop": "-> .", "b/up": "-> ..", "out": "-> " + secret, "file": "-> " + secret + "/secret", "dangling": "-> nowhere",
		".git/config": "[core]", ".git/objects/pack/p.pack": "PACK", ".git/modules/lib/objects/x": "o", ".git/modules/lib/HEAD": "h", "objects/keep": "k",
		"caf\xe9": "latin", "new\nline": "n", "!azure": "!",
	})
	if err := os.Chmod(filepath.Join(root, "b/z"), 0o755|fs.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(root, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	want := `%21azure -rw-r--r-- "!"
.git/config -rw-r--r-- "[core]"
.git/modules/lib/HEAD -rw-r--r-- "h"
a/x -rw-r--r-- ""
a-b -rw-r--r-- "2"
a.txt -rw-r--r-- "1"
b/a -rw-r--r-- "a"
b/z urwxr-xr-x "z"
caf%E9 -rw-r--r-- "latin"
new%0Aline -rw-r--r-- "n"
objects/keep -rw-r--r-- "k"
`
	got := list(t, root)
	if got != want {
		t.Errorf("got\n%s want\n%s", got, want)
	}
	if again := list(t, root); again != got {
		t.Errorf("second walk differs:\n%s", again)
	}
}

func TestExclude(t *testing.T) {
	root := plant(t, map[string]string{"a/test/x": "", "a/b.log": "", "a/b.c": "", "build/out": "", "src/build/in": ""})
	got := list(t, root, "*.log", "**/test/**", "/build")
	if want := "a/b.c -rw-r--r-- \"\"\nsrc/build/in -rw-r--r-- \"\"\n"; got != want {
		t.Errorf("got\n%s want\n%s", got, want)
	}
	_, err := open(context.Background(), root, biopsy.OpenOptions{Exclude: []string{"a/[b"}})
	if err == nil || hint.Of(err) == "" {
		t.Errorf("bad pattern: got %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	root := plant(t, map[string]string{"f": ""})
	for _, ref := range []string{filepath.Join(root, "f"), filepath.Join(root, "nothing")} {
		if _, err := open(context.Background(), ref, biopsy.OpenOptions{}); err == nil {
			t.Errorf("%s opens", ref)
		}
	}
}

// TestSwapped puts links where files and folders were between the walk and the opening.
func TestSwapped(t *testing.T) {
	secret := plant(t, map[string]string{"f": "secret", "d/f": "secret"})
	root := plant(t, map[string]string{"f": "mine", "d/f": "mine"})
	tree, err := open(context.Background(), root, biopsy.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	var files []biopsy.File
	err = tree.Walk(context.Background(), func(f biopsy.File) error { files = append(files, f); return nil }, func(biopsy.Gap) {})
	if err != nil || len(files) != 2 {
		t.Fatal(err, len(files))
	}
	for _, name := range []string{"f", "d"} {
		if err := errors.Join(os.RemoveAll(filepath.Join(root, name)), os.Symlink(filepath.Join(secret, name), filepath.Join(root, name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		if c, err := f.Open(); err == nil {
			t.Errorf("%s opens through a link, %d bytes", f.Path, c.Size())
		}
	}
}

func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	root := plant(t, map[string]string{"closed/x": "", "file": "x", "open/y": "y"})
	for _, name := range []string{"closed", "file"} {
		if err := os.Chmod(filepath.Join(root, name), 0); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(filepath.Join(root, name), 0o755)
	}
	want := "gap closed: directory not read: permission denied\nfile: open file: permission denied\nopen/y -rw-r--r-- \"y\"\n"
	if got := list(t, root); got != want {
		t.Errorf("got\n%s want\n%s", got, want)
	}
}

func TestCancelled(t *testing.T) {
	tree, err := open(context.Background(), plant(t, map[string]string{"f": ""}), biopsy.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := tree.Walk(ctx, func(biopsy.File) error { return nil }, func(biopsy.Gap) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestContent(t *testing.T) {
	root := plant(t, map[string]string{"f": "0123456789"})
	r, err := openRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	c, err := r.open("f")
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4)
	if n, err := c.ReadAt(b, 8); n != 2 || err != io.EOF {
		t.Errorf("ReadAt at the end: got %d, %v", n, err)
	}
	if n, err := c.ReadAt(b, 3); n != 4 || err != nil || string(b) != "3456" {
		t.Errorf("ReadAt: got %d, %v, %q", n, err, b)
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	if _, err := c.ReadAt(b, 0); err == nil {
		t.Error("a closed content reads")
	}
}

// BenchmarkWalk walks 2,000 files; with BIOPSY_CORPORA also a whole root file system.
func BenchmarkWalk(b *testing.B) {
	files := map[string]string{}
	for i := range 2000 {
		files[fmt.Sprintf("d%d/e%d/f%d", i%10, i%100, i)] = "x"
	}
	dirs := map[string]string{"planted": plant(b, files)}
	if c := os.Getenv("BIOPSY_CORPORA"); c != "" {
		dirs["rootfs"] = filepath.Join(c, "debian-amd64/rootfs")
		dirs["npm"] = filepath.Join(c, "npm-app")
	}
	for name, dir := range dirs {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				tree, err := open(context.Background(), dir, biopsy.OpenOptions{})
				if err != nil {
					b.Fatal(err)
				}
				n = 0
				if err := tree.Walk(context.Background(), func(biopsy.File) error { n++; return nil }, func(biopsy.Gap) {}); err != nil {
					b.Fatal(err)
				}
				tree.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/file")
		})
	}
}
