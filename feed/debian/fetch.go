package debian

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// Addresses of the tracker's service, and of its data on Debian's GitLab.
const (
	trackerBase = "https://security-tracker.debian.org"
	listBase    = "https://salsa.debian.org/security-tracker-team/security-tracker/-/raw/master"
)

var parts = []download.Part{
	{Name: "tracker", Base: trackerBase, Path: "/tracker/data/json", File: "tracker.json", Max: maxTracker, Check: checkTracker},
	{Name: "DSA", Base: listBase, Path: "/data/DSA/list", File: "list", Max: maxList, Check: checkList},
	{Name: "DLA", Base: listBase, Path: "/data/DLA/list", File: "list", Max: maxList, Check: checkList},
}

// fetch brings debian/tracker/tracker.json, debian/DSA/list and debian/DLA/list below Dir, or those in Names.
func fetch(ctx context.Context, o biopsy.FetchOptions) error {
	return download.Parts(ctx, "debian", parts, &http.Client{}, o)
}

// checkTracker reads the JSON to its end: the tracker sends no checksum, and a document that was cut is none.
func checkTracker(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	records := 0
	err = parse(context.Background(), path, f, st.Size(), biopsy.Sink{
		Advisory: func(biopsy.Advisory) error { records++; return nil },
		Bad:      func(biopsy.Gap) {},
	})
	if err == nil && records == 0 {
		err = errors.New("not the tracker's JSON: no records")
	}
	return err
}

// checkList holds that the file begins as a list: servers answer with pages for people, too.
func checkList(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head := make([]byte, 256)
	n, err := f.Read(head)
	if err != nil {
		return err
	}
	if !isList(head[:n]) {
		return fmt.Errorf("not a list of advisories: begins with %.40q", head[:n])
	}
	return nil
}
