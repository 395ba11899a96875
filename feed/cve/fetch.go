package cve

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// base is the CVE list's repository at GitHub's API, which tells what its newest release holds.
const base = "https://api.github.com/repos/CVEProject/cvelistV5"

// Names of the files below Dir: the newest release as it was described, the whole list as of a midnight, and what has changed since.
const (
	releaseFile = ".release.json"
	listFile    = "all_CVEs.zip"
	deltaFile   = "delta_CVEs.zip"
)

// Bounds of what comes.
const (
	maxRelease = 8 << 20
	maxList    = 8 << 30
)

// release is GitHub's description of a release.
type release struct {
	Assets []asset `json:"assets"`
}

type asset struct {
	Name string `json:"name"` // "2026-09-28_all_CVEs_at_midnight.zip.zip", "2026-09-28_delta_CVEs_at_1000Z.zip"
	URL  string `json:"browser_download_url"`
}

// fetch brings cve/all_CVEs.zip below Dir, and cve/delta_CVEs.zip with what has changed since that midnight. The list's name holds its
// day: the same day's is not fetched again.
func fetch(ctx context.Context, o biopsy.FetchOptions) error { return bring(ctx, o, download.Sleep) }

func bring(ctx context.Context, o biopsy.FetchOptions, sleep func(context.Context, time.Duration) error) error {
	b := list{FetchOptions: o, sleep: sleep, base: strings.TrimSuffix(o.Base, "/"), dir: filepath.Join(o.Dir, "cve")}
	if b.base == "" {
		b.base = base
	}
	err := b.bring(ctx)
	if err == nil {
		return nil
	}
	if age := download.Age(filepath.Join(b.dir, listFile)); age != "" {
		return fmt.Errorf("cve: %w; the list of %s stays in use", err, age)
	}
	return fmt.Errorf("cve: %w", err)
}

type list struct {
	biopsy.FetchOptions
	base, dir string
	sleep     func(context.Context, time.Duration) error
}

func (l *list) bring(ctx context.Context) error {
	r, err := l.release(ctx)
	if err != nil {
		return err
	}
	all, ok := r.find("_all_CVEs_at_midnight")
	if !ok {
		return errors.New("the newest release of the CVE list has no file of all records")
	}
	if err := l.asset(ctx, all, listFile); err != nil {
		return err
	}
	delta, ok := r.find("_delta_CVEs_at_")
	if !ok {
		return remove(filepath.Join(l.dir, deltaFile)) // nothing has changed since midnight
	}
	return l.asset(ctx, delta, deltaFile)
}

func (l *list) release(ctx context.Context) (r release, err error) {
	path := filepath.Join(l.dir, releaseFile)
	if _, err := l.client("release", maxRelease).Get(ctx, l.base+"/releases/latest", path, nil); err != nil {
		return r, err
	}
	doc, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(doc, &r); err != nil {
		return r, fmt.Errorf("newest release of the CVE list: %w", err)
	}
	return r, nil
}

func (r *release) find(mark string) (asset, bool) {
	for _, a := range r.Assets {
		if strings.Contains(a.Name, mark) && strings.Contains(a.Name, ".zip") {
			return a, true
		}
	}
	return asset{}, false
}

// asset brings one file unless it was brought before under the same name.
func (l *list) asset(ctx context.Context, a asset, to string) error {
	path := filepath.Join(l.dir, to)
	mark := filepath.Join(l.dir, "."+to+".name")
	if l.has(path, mark, a.Name) {
		return nil
	}
	if err := l.allowed(a.URL); err != nil {
		return err
	}
	// The address is another each time, so that what the old one's server said of the file tells nothing.
	if err := errors.Join(remove(mark), remove(filepath.Join(l.dir, "."+to+".state"))); err != nil {
		return err
	}
	if _, err := l.client(a.Name, maxList).Get(ctx, a.URL, path, check); err != nil {
		return err
	}
	return os.WriteFile(mark, []byte(a.Name), 0o644)
}

func (l *list) has(path, mark, name string) bool {
	had, err := os.ReadFile(mark)
	if err != nil || string(had) != name {
		return false // not fetched, or another one: fetched again in either case
	}
	_, err = os.Stat(path)
	return err == nil
}

// allowed holds that the list comes from where it is published, or from the mirror that the user named.
func (l *list) allowed(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("address of the CVE list: %w", err)
	}
	own, err := url.Parse(l.base)
	if err != nil {
		return fmt.Errorf("address of the mirror: %w", err)
	}
	if u.Scheme == own.Scheme && (u.Host == own.Host || l.base == base && u.Host == "github.com") {
		return nil
	}
	return fmt.Errorf("the newest release names %.100q, which is not where the CVE list is published", address)
}

func (l *list) client(item string, max int64) *download.Client {
	c := &download.Client{HTTP: &http.Client{}, Sleep: l.sleep, Max: max}
	if l.Events != nil {
		c.Progress = func(done, total int64) {
			l.Events(biopsy.Progress{Stage: "fetch cve", Item: item, Done: done, Total: total})
		}
	}
	return c
}

// check reads the central directory, which stands at the end: a zip that was cut has none.
func check(path string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	first := ""
	if len(z.File) > 0 {
		first = z.File[0].Name
	}
	if err := z.Close(); err != nil {
		return err
	}
	if !isList(first) {
		return fmt.Errorf("a zip that begins with %.60q is not the CVE list: %w", first, io.ErrUnexpectedEOF)
	}
	return nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
