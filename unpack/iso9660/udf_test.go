package iso9660

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/lazy/imagetest"
)

// bridge returns an image of UDF and ISO 9660, and what is in it.
func bridge(t testing.TB) ([]byte, map[string]string) {
	t.Helper()
	if _, err := exec.LookPath("genisoimage"); err != nil {
		t.Skip(err)
	}
	dir, want := tree(t)
	img := filepath.Join(t.TempDir(), "cd.iso")
	c := exec.Command("genisoimage", "-quiet", "-R", "-udf", "-o", img, dir)
	c.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	return b, want
}

// plain takes ISO 9660 away and leaves UDF.
func plain(b []byte) []byte {
	b = bytes.Clone(b)
	at := int64(firstDescriptor)
	for i := int64(firstDescriptor); i < 32*sector; i += sector {
		s := bytes.Clone(b[i : i+sector])
		switch id := string(s[1:6]); id {
		case "BEA01", "NSR02", "TEA01":
			clear(b[i : i+sector])
			copy(b[at:], s)
			at += sector
		case "CD001":
			clear(b[i : i+sector])
		}
	}
	return b
}

// withoutLink forgets what genisoimage makes of a link in UDF: an empty file.
func withoutLink(t testing.TB, got found) {
	t.Helper()
	if got.files["link"] != "" {
		t.Errorf("link: %q", got.files["link"])
	}
	delete(got.files, "link")
}

func TestPlainUDF(t *testing.T) {
	b, want := bridge(t)
	b = plain(b)
	got := look(t, b)
	withoutLink(t, got)
	if got.err != nil || len(got.gaps) > 0 || len(got.files) != len(want) {
		t.Errorf("%d files, want %d, gaps %q, %v", len(got.files), len(want), got.gaps, got.err)
	}
	for p, w := range want {
		if got.files[p] != w {
			t.Errorf("%s: got %d bytes, want %d", p, len(got.files[p]), len(w))
		}
	}
	if m := got.modes["noending"]; m != "-r--r--r--" && m != "-rw-r--r--" && m != "-r-xr-xr-x" {
		t.Errorf("mode %s", m)
	}
	imagetest.Spans(t, got.spans, int64(len(b)))
	if n, ok := Image.Extent(bytes.NewReader(b), 0, int64(len(b))); !ok || n > int64(len(b)) || n < int64(len(b))/2 {
		t.Errorf("extent %d, %v, of %d", n, ok, len(b))
	}
	if f := look(t, b[:len(b)/2]); f.err == nil && len(f.gaps) == 0 {
		broken := 0
		for p, w := range want {
			if f.files[p] != w {
				broken++
			}
		}
		if broken == 0 {
			t.Error("half an image is whole")
		}
	}
}

// TestISOShowsWhatUDFLacks has a file that only ISO 9660 knows.
func TestISOShowsWhatUDFLacks(t *testing.T) {
	b, want := bridge(t)
	udfName := bytes.Index(b, []byte("\x08noending"))
	if udfName < 0 {
		t.Fatal("no identifier")
	}
	b[udfName-38+18] |= 4 // deleted
	if _, ok := look(t, plain(b)).files["noending"]; ok {
		t.Fatal("UDF still has the file")
	}
	got := look(t, b)
	withoutLink(t, got)
	if got.files["noending"] != want["noending"] || len(got.files) != len(want) {
		t.Errorf("%d files, want %d; noending has %d bytes", len(got.files), len(want), len(got.files["noending"]))
	}
}

// TestEmptyUDF reads what mkudffs makes, in sectors of all sizes.
func TestEmptyUDF(t *testing.T) {
	if _, err := exec.LookPath("mkudffs"); err != nil {
		t.Skip(err)
	}
	for _, args := range []string{"-b 512", "-b 2048", "-b 4096", "-b 512 -r 0x0102", "-b 2048 -m cdr -r 0x0150"} {
		img := filepath.Join(t.TempDir(), "x.udf")
		if err := os.WriteFile(img, make([]byte, 8<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("mkudffs", append(strings.Fields(args), img)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args, err, out)
		}
		b, err := os.ReadFile(img)
		if err != nil {
			t.Fatal(err)
		}
		got := look(t, b)
		if strings.Contains(args, "cdr") {
			if got.err == nil || !strings.Contains(got.err.Error(), "Virtual Partition") {
				t.Errorf("%s: got %v", args, got.err)
			}
			continue
		}
		if got.err != nil || len(got.gaps) > 0 || len(got.files) > 0 {
			t.Errorf("%s: %d files, gaps %q, %v", args, len(got.files), got.gaps, got.err)
		}
	}
}

// TestHostileUDF changes bytes all over the descriptors, and cuts the image.
func TestHostileUDF(t *testing.T) {
	b, want := bridge(t)
	b = plain(b)
	for at := udfAnchor * sector; at < 290*sector && at < len(b); at += 97 {
		bad := bytes.Clone(b)
		bad[at] ^= 0xff
		bad[at+1] ^= 0x81
		if got := look(t, bad); len(got.files) > 2*len(want) {
			t.Errorf("byte %d: %d files", at, len(got.files))
		}
	}
	for n := len(b); n > 0; n -= len(b)/37 + 1 {
		look(t, b[:n])
	}
}

// FuzzUDF changes bytes of the sectors that hold anything: each edit is a sector, an offset of two bytes, and a byte.
func FuzzUDF(f *testing.F) {
	image := plain(small(f, "udf"))
	var used []int
	for at := 0; at < len(image); at += sector {
		if len(bytes.Trim(image[at:at+sector], "\x00")) > 0 {
			used = append(used, at)
		}
	}
	f.Add([]byte{9, 0, 56, 1, 12, 0, 176, 3}, len(image))
	f.Fuzz(func(t *testing.T, edits []byte, size int) {
		b := bytes.Clone(image)
		for ; len(edits) >= 4; edits = edits[4:] {
			b[used[int(edits[0])%len(used)]+(int(edits[1])<<8|int(edits[2]))%sector] = edits[3]
		}
		b = b[:max(min(size, len(b)), 0)]
		if got := look(t, b); got.err == nil {
			imagetest.Spans(t, got.spans, int64(len(b)))
		}
		if n, ok := Image.Extent(bytes.NewReader(b), 0, int64(len(b))); ok && n > int64(len(b)) {
			t.Errorf("extent of %d bytes in %d", n, len(b))
		}
	})
}
