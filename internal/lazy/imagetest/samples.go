package imagetest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

// Samples reads the small images that stand in testdata, by file name.
func Samples(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	images := map[string][]byte{}
	for _, name := range names {
		if images[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return images
}

// Member is one file that a sample holds: path, mode and text.
type Member [3]string

// Sums is what Open finds of the members.
func Sums(members ...Member) map[string]string {
	sums := map[string]string{}
	for _, m := range members {
		sum := sha256.Sum256([]byte(m[2]))
		sums[m[0]] = m[1] + " " + hex.EncodeToString(sum[:])
	}
	return sums
}

// Spans makes sure that the spans cover size bytes, one after the other.
func Spans(t testing.TB, spans []biopsy.Span, size int64) {
	t.Helper()
	at := int64(0)
	for _, s := range spans {
		if s.Offset != at || s.Size <= 0 {
			t.Errorf("ledger: span at %d of %d bytes, want one at %d", s.Offset, s.Size, at)
		}
		at = s.Offset + s.Size
	}
	if at != size {
		t.Errorf("ledger ends at %d of %d", at, size)
	}
}

// Program runs a program that makes images. The test is skipped where it is not installed; ./check installs all of them.
func Program(t testing.TB, name string, args ...string) {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		program = "/sbin/" + name
		if _, err := os.Stat(program); err != nil {
			t.Skip("no " + name)
		}
	}
	cmd := exec.Command(program, args...)
	out, err := cmd.CombinedOutput()
	changed := name == "e2fsck" && cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 1 // its word for "done, and written"
	if err != nil && !changed {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
