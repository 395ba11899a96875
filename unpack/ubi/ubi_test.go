package ubi

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/flash/flashtest"
)

func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("BIOPSY_CORPORA")
	if dir == "" {
		t.Skip("BIOPSY_CORPORA is not set")
	}
	return dir
}

func TestCorpus(t *testing.T) {
	r := flashtest.Unpack(Image, flashtest.File(t, filepath.Join(corpus(t), "firmware/ubi.img")))
	t.Logf("%+v %s", r, r.Reasons())
}
