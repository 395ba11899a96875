//go:build unix

package source

import (
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

// TestPipes opens what would wait for ever.
func TestPipes(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "layout/oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	for _, name := range []string{"pipe", "layout/index.json"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, ref := range []string{dir + "/pipe", "file:" + dir + "/pipe", "sbom:" + dir + "/pipe", "docker-archive:" + dir + "/pipe", "oci:" + dir + "/pipe", dir + "/layout"} {
		if _, err := Open(context.Background(), ref, biopsy.OpenOptions{}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: got %v", ref, err)
		}
	}
}
