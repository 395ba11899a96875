package feed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/refdb"
)

// UpdateOptions is what an update is told.
type UpdateOptions struct {
	Dir      string            // keeps the feeds' files from one update to the next
	Feeds    []string          // "kev", "osv", "osv/npm"; empty is all but those that are fetched only when asked for
	Base     map[string]string // by name of feed: addresses of mirrors instead of the public ones
	Keys     map[string]string // by name of feed: keys of its API
	Book     string            // digest of the book that the builder continues; files that it has already are not read. "" reads all
	Now      time.Time         // noted as the time at which feeds were read that could be reached; zero notes the age of their files
	Progress func(biopsy.Progress)
}

// ErrPartly is wrapped when some feeds could not be fetched or read. What they brought the last time, and all others, are in the builder: the
// book may be committed.
var ErrPartly = errors.New("not every feed could be read")

// Update fetches the feeds and imports what then is in Dir; Progress is called by one goroutine at a time. When nothing is there to
// import, the error tells why and is not ErrPartly. A builder made by refdb.NewBuilderFrom with the same feeds dropped gets a
// book that is new in these feeds and old in the others.
func Update(ctx context.Context, b *refdb.Builder, o UpdateOptions) (*Report, error) {
	wanted, err := wantedFeeds(o.Feeds)
	if err != nil {
		return &Report{}, err
	}
	failed := fetchAll(ctx, wanted, o)
	if ctx.Err() != nil {
		return &Report{}, errors.Join(failed...)
	}
	im := newImporter(b, o.Progress)
	im.now = o.Now
	var paths []string
	for i, w := range wanted {
		found, err := there(o.Dir, w)
		if err != nil {
			return &Report{}, err
		}
		paths = append(paths, found...)
		if failed[i] == nil {
			im.current = append(im.current, found...)
		}
	}
	failed = slices.DeleteFunc(failed, func(err error) bool { return err == nil })
	if im.old, err = readSeen(o.Dir, o.Book); err != nil {
		return im.report, err
	}
	report, err := im.run(ctx, paths)
	im.replace()
	switch {
	case err != nil:
		return report, errors.Join(append(failed, err)...)
	case len(failed) > 0 && len(report.Files)+len(report.Known) == 0:
		return report, errors.Join(failed...)
	case len(failed) > 0:
		return report, fmt.Errorf("%w: %w", ErrPartly, errors.Join(failed...))
	}
	return report, nil
}

// fetchAll fetches all feeds at the same time, for they come from different servers, and returns an error or nil for each.
func fetchAll(ctx context.Context, feeds []wanted, o UpdateOptions) []error {
	var one sync.Mutex
	tell := func(p biopsy.Progress) {
		if o.Progress != nil {
			one.Lock()
			defer one.Unlock()
			o.Progress(p)
		}
	}
	errs := make([]error, len(feeds))
	var wg sync.WaitGroup
	for i, w := range feeds {
		wg.Go(func() {
			errs[i] = w.Fetch(ctx, biopsy.FetchOptions{Dir: o.Dir, Base: o.Base[w.Name], Key: o.Keys[w.Name], Names: w.names, Events: tell})
		})
	}
	wg.Wait()
	return errs
}

// wanted is a feed and the parts of it; no names are all.
type wanted struct {
	biopsy.Feed
	names []string
}

func wantedFeeds(names []string) ([]wanted, error) {
	var out []wanted
	for _, f := range All {
		w := wanted{Feed: f}
		whole := len(names) == 0 && !f.OptIn || slices.Contains(names, f.Name)
		for _, n := range names {
			if part, ok := strings.CutPrefix(n, f.Name+"/"); ok && !whole {
				w.names = append(w.names, part)
			}
		}
		if whole || len(w.names) > 0 {
			out = append(out, w)
		}
	}
	for _, n := range names {
		base, _, _ := strings.Cut(n, "/")
		if !slices.ContainsFunc(All, func(f biopsy.Feed) bool { return f.Name == base }) {
			return nil, fmt.Errorf("no feed is called %q; the feeds are %s", n, feedNames())
		}
	}
	return out, nil
}

func feedNames() string {
	var names []string
	for _, f := range All {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// there returns those folders of a feed in dir that exist: a feed that was never fetched has none.
func there(dir string, w wanted) ([]string, error) {
	paths := []string{filepath.Join(dir, w.Name)}
	if len(w.names) > 0 {
		paths = nil
		for _, n := range w.names {
			paths = append(paths, filepath.Join(dir, w.Name, filepath.FromSlash(n)))
		}
	}
	var out []string
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			out = append(out, p)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return out, nil
}
