package sbom

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/bom/bomtest"
)

func TestWritersWrite(t *testing.T) {
	for _, w := range Writers {
		for _, version := range w.Versions {
			var b bytes.Buffer
			if err := w.Write(&b, bomtest.Scan(), version); err != nil {
				t.Errorf("%s@%s: %v", w.Name, version, err)
			}
			number, without := strings.CutSuffix(version, bsi)
			if !bytes.Contains(b.Bytes(), []byte("pkg:deb/debian/libssl3")) || !bytes.Contains(b.Bytes(), []byte(number)) {
				t.Errorf("%s@%s: neither component nor version in %d bytes", w.Name, version, b.Len())
			}
			if got := bytes.Contains(b.Bytes(), []byte("CVE-2024-0727")); got == (without || w.Name == "spdx3-json") {
				t.Errorf("%s@%s: holds vulnerabilities: %v", w.Name, version, got)
			}
		}
	}
}

// full is a disk without room.
type full struct{ left int }

var errFull = errors.New("disk full")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestErrorsOfTheDiskArePassedOn(t *testing.T) {
	for _, w := range Writers {
		for _, room := range []int{0, 70_000} {
			if err := w.Write(&full{room}, bomtest.Large(2000), w.Versions[0]); !errors.Is(err, errFull) {
				t.Errorf("%s: got %v, want %v", w.Name, err, errFull)
			}
		}
	}
}
