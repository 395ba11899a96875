package epss

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

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
	from := strings.TrimSuffix(o.Base, "/")
	if from == "" {
		from = base
	}
	c := &download.Client{HTTP: &http.Client{}, Sleep: download.Sleep, Max: maxPacked}
	if o.Events != nil {
		c.Progress = func(done, total int64) {
			o.Events(biopsy.Progress{Stage: "fetch epss", Item: file, Done: done, Total: total})
		}
	}
	path := filepath.Join(o.Dir, "epss", file)
	if _, err := c.Get(ctx, from+"/"+file, path, check); err != nil {
		if age := download.Age(path); age != "" {
			return fmt.Errorf("epss: %w; the scores of %s stay in use", err, age)
		}
		return fmt.Errorf("epss: %w", err)
	}
	return nil
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
