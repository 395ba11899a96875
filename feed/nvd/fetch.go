package nvd

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// site is where NVD publishes its yearly files, each with a file of what changed in the last eight days.
const site = "https://nvd.nist.gov"

// firstYear is that of the first file; it holds all CVEs before it too.
const firstYear = 2002

// maxPacked bounds one file; the largest year takes 30 MB.
const maxPacked = 2 << 30

// fetch brings the yearly files, and what has changed since they were made, to nvd/YEAR and nvd/modified below Dir; or what Names asks
// for of these. "api" among the names brings the API's pages instead.
func fetch(ctx context.Context, o biopsy.FetchOptions) error {
	now := time.Now().UTC()
	var failed []error
	names := slices.Clone(o.Names)
	if slices.Contains(names, "api") {
		failed = append(failed, newAPI(o).bring(ctx, now))
		if names = slices.DeleteFunc(names, func(n string) bool { return n == "api" }); len(names) == 0 {
			return errors.Join(failed...)
		}
	}
	o.Names = names
	return errors.Join(append(failed, download.Parts(ctx, "nvd", files(now.AddDate(0, 0, -7).Year()), &http.Client{}, o))...)
}

// files are the yearly files up to a year (the current one, once it is a week old: a file that is not there yet is no failure), and the file of changes, which is read last.
func files(last int) []download.Part {
	var out []download.Part
	for year := firstYear; year <= last; year++ {
		out = append(out, file(strconv.Itoa(year)))
	}
	return append(out, file("modified"))
}

func file(name string) download.Part {
	return download.Part{Name: name, Base: site, Path: "/feeds/json/cve/2.0/nvdcve-2.0-" + name + ".json.gz", File: "nvdcve-2.0-" + name + ".json.gz",
		Max: maxPacked, Check: check}
}

// check unpacks a file to its end: gzip's own checksum is there.
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
	n, err := io.Copy(io.Discard, io.LimitReader(z, maxPage))
	if err == nil && n == maxPage {
		err = fmt.Errorf("unpacks to %d bytes and more", n)
	}
	return err
}

func inAPI(dir string, elements ...string) string {
	return filepath.Join(append([]string{dir, "nvd", "api"}, elements...)...)
}
