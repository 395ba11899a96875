package csaf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/csaf"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// Bounds of what servers are believed.
const (
	maxList     = 512 << 20 // a list of all documents: Red Hat's ROLIE feed has some 200 MB
	maxSmall    = 4 << 20   // metadata, keys, hashes, signatures
	maxArchive  = 8 << 30
	maxListed   = 2_000_000 // documents of one provider
	atOnce      = 4         // documents fetched side by side
	maxFailures = 20        // documents that may fail before a provider is given up
)

// fetch brings the documents of providers to csaf/PROVIDER below Dir: those of byDefault when none is named. The first time a provider's
// archive comes where it has one; afterwards only documents that are new in its list since. A cut fetch goes on where it stopped.
// Documents are held against the hash and, where the provider names keys, the OpenPGP signature beside them; one that fails is not kept.
// One without either is kept: it came over TLS from the provider.
func fetch(ctx context.Context, o biopsy.FetchOptions) error {
	return fetchPatiently(ctx, o, download.Sleep)
}

func fetchPatiently(ctx context.Context, o biopsy.FetchOptions, sleep func(context.Context, time.Duration) error) error {
	names := o.Names
	if len(names) == 0 {
		names = byDefault
	}
	var failed []error
	for _, name := range names {
		p, err := find(name)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if o.Base != "" {
			p = p.moved(o.Base)
		}
		f := &fetcher{FetchOptions: o, provider: p, dir: filepath.Join(o.Dir, "csaf", p.name), http: &http.Client{}, sleep: sleep}
		if err := f.run(ctx); err != nil {
			failed = append(failed, fmt.Errorf("csaf/%s: %w", p.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

// fetcher fetches one provider.
type fetcher struct {
	biopsy.FetchOptions
	provider
	dir   string
	http  *http.Client
	sleep func(context.Context, time.Duration) error
	keys  keyring
	have  *state
}

func (f *fetcher) run(ctx context.Context) (err error) {
	if f.have, err = openState(f.dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.have.close()) }()
	m, err := f.find(ctx)
	if err != nil {
		return err
	}
	if f.keys, err = f.fetchKeys(ctx, m); err != nil {
		return err
	}
	listed, err := f.list(ctx, m)
	if err != nil {
		return err
	}
	if f.archive != "" && f.have.empty() {
		if err := f.fetchArchive(ctx, listed); err != nil {
			return err
		}
		listed = slices.DeleteFunc(listed, f.have.has) // a list without times would ask for all of them again
	}
	return f.documents(ctx, f.have.missing(listed))
}

func (f *fetcher) client(item string, limit int64) *download.Client {
	c := &download.Client{HTTP: f.http, Sleep: f.sleep, Max: limit}
	if item != "" && f.Events != nil {
		c.Progress = func(done, total int64) {
			f.Events(biopsy.Progress{Stage: "fetch csaf/" + f.name, Item: item, Done: done, Total: total})
		}
	}
	return c
}

// file brings a small file and returns its bytes. It is kept under a hidden name, for the next time.
func (f *fetcher) file(ctx context.Context, address, name string, limit int64) ([]byte, error) {
	path := filepath.Join(f.dir, "."+name)
	if _, err := f.client("", limit).Get(ctx, address, path, nil); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// fetchArchive brings all documents in one file, and notes those that were listed before as being in it.
func (f *fetcher) fetchArchive(ctx context.Context, listed []entry) error {
	address, day := f.archive, time.Time{}
	if strings.HasSuffix(address, ".txt") {
		b, err := f.file(ctx, address, "archive.txt", maxSmall)
		if err != nil {
			return err
		}
		name := strings.TrimSpace(string(b))
		if !isFileName(name) {
			return fmt.Errorf("%s names no archive: %.80q", address, name)
		}
		address = address[:strings.LastIndexByte(address, '/')+1] + name
		day = dayIn(name)
	}
	name := address[strings.LastIndexByte(address, '/')+1:]
	if archiveKind(name) == "" {
		return fmt.Errorf("%s is no archive", address)
	}
	if !saysCSAF(name) {
		name = "csaf-" + name
	}
	if _, err := f.client(name, maxArchive).Get(ctx, address, filepath.Join(f.dir, name), nil); err != nil {
		return err
	}
	return f.have.contains(listed, day)
}

// dayIn reads the day in "csaf_vex_2026-08-20.tar.zst"; zero when there is none.
func dayIn(name string) time.Time {
	for i := 0; i+len(time.DateOnly) <= len(name); i++ {
		if t, err := time.Parse(time.DateOnly, name[i:i+len(time.DateOnly)]); err == nil {
			return t
		}
	}
	return time.Time{}
}

// documents brings documents side by side. The error tells the first few that failed; all others are kept.
func (f *fetcher) documents(ctx context.Context, wanted []entry) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan entry)
	go func() {
		defer close(work)
		for _, e := range wanted {
			select {
			case work <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	var mu sync.Mutex
	var failed []error
	done := 0
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for e := range work {
				err := f.document(ctx, e)
				mu.Lock()
				if err == nil {
					err = f.have.done(e)
				}
				if done++; f.Events != nil {
					f.Events(biopsy.Progress{Stage: "fetch csaf/" + f.name, Item: e.file, Done: int64(done), Total: int64(len(wanted))})
				}
				if err != nil {
					if failed = append(failed, err); len(failed) >= maxFailures {
						cancel()
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}

// document brings one document and holds it against what stands beside it.
func (f *fetcher) document(ctx context.Context, e entry) error {
	check := func(path string) error {
		doc, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if _, err := csaf.Parse(doc); err != nil {
			return err
		}
		return f.verify(ctx, e, doc)
	}
	path := filepath.Join(f.dir, filepath.FromSlash(e.file))
	client := f.client("", csaf.MaxDocument)
	client.Tries = 3
	_, err := client.Get(ctx, e.url, path, check)
	return err
}

// get reads a small file that may not be there; nil then.
func (f *fetcher) get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "biopsy")
	resp, err := f.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusForbidden, resp.StatusCode == http.StatusGone:
		return nil, nil
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("fetch %s: the server answers %q", address, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxSmall+1))
	if err == nil && len(b) > maxSmall {
		err = fmt.Errorf("fetch %s: more than the %d bytes allowed", address, maxSmall)
	}
	return b, err
}
