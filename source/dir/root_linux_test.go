package dir

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// asNobody runs the calling test again without root's right to read everything.
func asNobody(t *testing.T) {
	t.Helper()
	exe, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "biopsy-nobody-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	test := filepath.Join(dir, "test")
	if err := os.WriteFile(test, exe, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(test, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}

// TestStepwise walks and opens as systems without openat2 do.
func TestStepwise(t *testing.T) {
	secret := plant(t, map[string]string{"f": "secret"})
	root := plant(t, map[string]string{"a/b/c/f": "deep", "f": "flat", "out": "-> " + secret})
	r, err := openRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	r.oneCall.Store(false)
	if entries, err := r.read("a/b"); err != nil || len(entries) != 1 || entries[0].name != "c" {
		t.Errorf("read: got %v, %v", entries, err)
	}
	if entries, err := r.read(""); err != nil || len(entries) != 2 {
		t.Errorf("read the root: got %v, %v", entries, err)
	}
	for _, name := range []string{"a/b/c/f", "f"} {
		c, err := r.open(name)
		if err != nil {
			t.Errorf("open %s: %v", name, err)
			continue
		}
		c.Close()
	}
	for _, name := range []string{"out/f", "a/../f/..", "a/b/c/f/x", "out"} {
		if c, err := r.open(name); err == nil {
			t.Errorf("open %s: got %d bytes", name, c.Size())
		}
	}
}
