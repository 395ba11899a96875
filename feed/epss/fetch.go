package epss

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// base is where FIRST's data partner publishes the scores of the day.
const base = "https://epss.empiricalsecurity.com"

const file = "epss_scores-current.csv.gz"

// Bounds of the file, packed and unpacked: 2.6 and 10 MB are in use.
const (
	maxPacked = 256 << 20
	maxPlain  = 1 << 30
)

// fetch brings the scores to epss/epss_scores-current.csv.gz below Dir.
func fetch(ctx context.Context, o biopsy.FetchOptions) error {
	return download.File{Feed: "epss", Base: base, Name: file, Max: maxPacked, Check: check, HTTP: &http.Client{}}.Fetch(ctx, o)
}

// check unpacks the file to its end: gzip's own checksum is there.
func check(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("not a gzip file: %w", err)
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, maxPlain))
	if err == nil && n == maxPlain {
		err = fmt.Errorf("unpacks to %d bytes and more", n)
	}
	return err
}
