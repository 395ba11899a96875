package download

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// Part is one file of a feed that has several.
type Part struct {
	Name  string                  // by which FetchOptions.Names asks for it; also the folder below that of the feed
	Base  string                  // public address of the server or folder
	Path  string                  // of the file below Base, with a slash first; the same on a mirror
	File  string                  // of the file here, in the part's folder
	Max   int64                   // bytes
	Check func(path string) error // holds that what came is whole; may be nil
	Asked bool                    // only brought when Names asks for it
}

// Parts brings the parts of a feed that o asks for, conditionally. One that fails does not keep the others from coming; the error then
// says how old the copy is that stays in use.
func Parts(ctx context.Context, feed string, parts []Part, client *http.Client, o biopsy.FetchOptions) error {
	for _, n := range o.Names {
		if !slices.ContainsFunc(parts, func(p Part) bool { return p.Name == n }) {
			return fmt.Errorf("%s: no part is called %.40q; the parts are %s", feed, n, partNames(parts))
		}
	}
	var failed []error
	for _, p := range parts {
		if slices.Contains(o.Names, p.Name) || len(o.Names) == 0 && !p.Asked {
			failed = append(failed, p.fetch(ctx, feed, client, o))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

func (p Part) fetch(ctx context.Context, feed string, client *http.Client, o biopsy.FetchOptions) error {
	name := feed + "/" + p.Name
	base := strings.TrimSuffix(o.Base, "/")
	if base == "" {
		base = p.Base
	}
	c := &Client{HTTP: client, Sleep: Sleep, Max: p.Max}
	if o.Events != nil {
		c.Progress = func(done, total int64) {
			o.Events(biopsy.Progress{Stage: "fetch " + name, Item: p.File, Done: done, Total: total})
		}
	}
	path := filepath.Join(o.Dir, feed, p.Name, p.File)
	_, err := c.Get(ctx, base+p.Path, path, p.Check)
	if err == nil {
		return nil
	}
	if age := Age(path); age != "" {
		return fmt.Errorf("%s: %w; the copy of %s stays in use", name, err, age)
	}
	return fmt.Errorf("%s: %w", name, err)
}

func partNames(parts []Part) string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}

// Dated returns the date that the server gave the file at path; zero when the file did not come by Get, has changed since, or the server
// gave none. Formats without dates of their own are as old as their file.
func Dated(path string) time.Time {
	s, err := readState(path)
	if err != nil {
		return time.Time{}
	}
	t, err := http.ParseTime(s.Modified)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
