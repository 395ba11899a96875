package osv

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// base is osv.dev's public bucket: ecosystems.txt, and ECOSYSTEM/all.zip for each.
const base = "https://osv-vulnerabilities.storage.googleapis.com"

// Bounds of what the bucket is believed.
const (
	maxZip        = 8 << 30
	maxEcosystems = 10_000
)

// fetch brings osv/ECOSYSTEM/all.zip below Dir for the ecosystems in Names, or for all that the bucket lists. An ecosystem that fails
// does not keep the others from coming; all failures come back together.
func fetch(ctx context.Context, o biopsy.FetchOptions) error {
	b := bucket{FetchOptions: o, base: strings.TrimSuffix(o.Base, "/"), dir: filepath.Join(o.Dir, "osv")}
	if b.base == "" {
		b.base = base
	}
	names := o.Names
	if len(names) == 0 {
		var err error
		if names, err = b.list(ctx); err != nil {
			return fmt.Errorf("osv: list of ecosystems: %w", err)
		}
	}
	var failed []error
	for _, name := range names {
		if err := b.zip(ctx, name); err != nil {
			failed = append(failed, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

type bucket struct {
	biopsy.FetchOptions
	base, dir string
}

// list fetches and reads ecosystems.txt. The zip of "Debian" holds what that of "Debian:12" does, so suffixes are left out.
func (b *bucket) list(ctx context.Context) ([]string, error) {
	path := filepath.Join(b.dir, "ecosystems.txt")
	if _, err := b.client("ecosystems.txt").Get(ctx, b.base+"/ecosystems.txt", path, nil); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var names []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, _, _ := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		if !isEcosystem(name) {
			continue
		}
		if names = append(names, name); len(names) > maxEcosystems {
			return nil, fmt.Errorf("more than %d ecosystems", maxEcosystems)
		}
	}
	if len(names) == 0 {
		return nil, errors.New("no ecosystem in it")
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// isEcosystem holds that a name can be a folder of ours and nothing else: the list comes from outside.
func isEcosystem(name string) bool {
	if name == "" || len(name) > 64 || strings.Trim(name, ". ") != name {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r < ' ' || r > '~' || strings.ContainsRune(`/\:*?"<>|[]`, r)
	})
}

func (b *bucket) zip(ctx context.Context, name string) error {
	if !isEcosystem(name) {
		return fmt.Errorf("osv: %.80q is no name of an ecosystem", name)
	}
	path := filepath.Join(b.dir, name, "all.zip")
	_, err := b.client(name).Get(ctx, b.base+"/"+url.PathEscape(name)+"/all.zip", path, check)
	if err == nil {
		return nil
	}
	if age := download.Age(path); age != "" {
		return fmt.Errorf("osv/%s: %w; the records of %s stay in use", name, err, age)
	}
	return fmt.Errorf("osv/%s: %w", name, err)
}

func (b *bucket) client(item string) *download.Client {
	c := &download.Client{HTTP: &http.Client{}, Sleep: download.Sleep, Max: maxZip}
	if b.Events != nil {
		c.Progress = func(done, total int64) {
			b.Events(biopsy.Progress{Stage: "fetch osv/" + item, Item: "all.zip", Done: done, Total: total})
		}
	}
	return c
}

// check reads the central directory, which stands at the end: a zip that was cut has none. Members are checked when they are read.
func check(path string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	return z.Close()
}
