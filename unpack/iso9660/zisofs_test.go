package iso9660

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/lazy"
)

// TestZisofs has mkzftree pack files that genisoimage puts into an image.
func TestZisofs(t *testing.T) {
	if _, err := exec.LookPath("mkzftree"); err != nil {
		t.Skip(err)
	}
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "z")
	want := map[string]string{
		"zeros": strings.Repeat("\x00", 200_000), "text": strings.Repeat("pump valve alarm ", 20_000), "short": "x",
		"holes": strings.Repeat("a", 32<<10) + strings.Repeat("\x00", 64<<10) + strings.Repeat("battery ", 5000),
	}
	for name, s := range want {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	img := filepath.Join(t.TempDir(), "cd.iso")
	for _, args := range [][]string{{"mkzftree", dir, out}, {"genisoimage", "-quiet", "-R", "-z", "-o", img, out}} {
		if b, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, b)
		}
	}
	b, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(zisofsMagic)) {
		t.Fatal("nothing is packed")
	}
	got := look(t, b)
	for name, w := range want {
		if got.files[name] != w {
			t.Errorf("%s: got %d bytes, want %d", name, len(got.files[name]), len(w))
		}
	}
	if got.err != nil || len(got.gaps) > 0 {
		t.Errorf("gaps %q, %v", got.gaps, got.err)
	}
	packed := b[bytes.Index(b, []byte(zisofsMagic)):]
	size := int64(le.Uint32(packed[8:]))
	for at := range 200 {
		bad := bytes.Clone(packed)
		bad[at] ^= 0x55
		if c, err := openZisofs(lazy.Bytes(bad), size); err == nil {
			c.ReadAt(make([]byte, size), 0) // any bytes may be in error
		} else if at >= 16 {
			t.Errorf("byte %d: %v", at, err)
		}
	}
	for _, n := range []int{0, 15, 16, 20} {
		if _, err := openZisofs(lazy.Bytes(packed[:n]), size); err == nil {
			t.Errorf("cut to %d bytes: no error", n)
		}
	}
}
