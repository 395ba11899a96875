// Command gen builds the starter book of software.
//
// In: components.txt, what devices are made of, and packages.tsv, the Debian packages it is learned from, each with its digest. Out:
// starter.kb, the same bytes for the same packages. "gen pin SUITE..." resolves components.txt into packages.tsv anew from the mirror's
// indexes; "gen" downloads what the cache does not hold, and learns.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
	"github.com/biopsy-sca/biopsy/kb"
	"github.com/biopsy-sca/biopsy/learn"
)

// options are the flags.
type options struct {
	dir, cache, mirror, out string
	jobs                    int
	built                   string
}

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", "kb/starter", "folder of components.txt and packages.tsv")
	flag.StringVar(&o.cache, "cache", filepath.Join(os.TempDir(), "biopsy-kb-cache"), "folder that keeps downloads, by digest")
	flag.StringVar(&o.mirror, "mirror", "http://deb.debian.org/debian", "Debian mirror")
	flag.StringVar(&o.out, "out", "", "the book (default starter.kb in dir)")
	flag.StringVar(&o.built, "built", "2026-01-01", "date the book bears")
	flag.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "packages read side by side")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if flag.Arg(0) == "pin" {
		err = pin(ctx, o, flag.Args()[1:])
	} else {
		err = build(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// pinned is one line of packages.tsv.
type pinned struct{ component, sum, path string }

// build learns every pinned package.
func build(ctx context.Context, o options) error {
	built, err := time.Parse(time.DateOnly, o.built)
	if err != nil {
		return err
	}
	list, err := readPins(filepath.Join(o.dir, "packages.tsv"))
	if err != nil {
		return err
	}
	sp, err := spool.Open("", 0)
	if err != nil {
		return err
	}
	defer sp.Close()
	shards, err := learnAll(ctx, o, sp, list)
	if err != nil {
		return err
	}
	b := kb.NewBuilder(os.TempDir())
	b.Name = "starter"
	for _, file := range shards {
		if err := merge(b, file); err != nil {
			return errors.Join(err, b.Close())
		}
	}
	if o.out == "" {
		o.out = filepath.Join(o.dir, "starter.kb")
	}
	snap, err := b.Commit(o.out, built)
	if err == nil {
		fmt.Printf("%s: %d packages, %d entries, %s\n", o.out, len(list), snap.Records, snap.Digest)
	}
	return err
}

// learnAll makes a book of each component's packages, or finds it in the cache, and returns the books' files in the order of names.
func learnAll(ctx context.Context, o options, sp biopsy.Spool, list []pinned) ([]string, error) {
	groups := map[string][]pinned{}
	for _, p := range list {
		groups[p.component] = append(groups[p.component], p)
	}
	names := slices.Sorted(maps.Keys(groups))
	files := make([]string, len(names))
	work := make(chan int)
	var all sync.WaitGroup
	var mu sync.Mutex
	var bad error
	for range o.jobs {
		all.Go(func() {
			for i := range work {
				file, err := shard(ctx, o, sp, groups[names[i]])
				mu.Lock()
				files[i], bad = file, errors.Join(bad, err)
				mu.Unlock()
			}
		})
	}
	for i := range names {
		work <- i
	}
	close(work)
	all.Wait()
	return files, bad
}

// shard returns the book of one component's packages. Its name in the cache is the digest of what it was made of.
func shard(ctx context.Context, o options, sp biopsy.Spool, list []pinned) (string, error) {
	key := sha256.New()
	fmt.Fprintln(key, kb.Version, round)
	for _, p := range list {
		fmt.Fprintln(key, p.component, p.sum)
	}
	file := filepath.Join(o.cache, hex.EncodeToString(key.Sum(nil))+".kb")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	b := kb.NewBuilder(os.TempDir())
	l := learn.New(b, sp, func(g biopsy.Gap) { fmt.Fprintln(os.Stderr, g.Place, g.Reason) })
	for _, p := range list {
		deb, err := fetch(ctx, o, p)
		if err == nil {
			err = l.Deb(ctx, deb, func(string) string { return p.component })
		}
		if err != nil {
			return "", errors.Join(err, b.Close())
		}
	}
	_, err := b.Commit(file, time.Unix(0, 0))
	return file, err
}

// round counts the changes of what is learned from a file: books of older rounds in the cache are of no use.
const round = 2

func merge(b *kb.Builder, file string) error {
	book, err := kb.Open(file)
	if err != nil {
		return err
	}
	return errors.Join(b.Import(book), book.Close())
}

func readPins(file string) ([]pinned, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []pinned
	s := bufio.NewScanner(f)
	for s.Scan() {
		parts := strings.Split(s.Text(), "\t")
		if len(parts) != 3 {
			return nil, fmt.Errorf("%s:%d: want component, SHA-256 and path", file, len(list)+1)
		}
		list = append(list, pinned{parts[0], parts[1], parts[2]})
	}
	return list, s.Err()
}

// fetch returns the package's file in the cache, downloading it when it is not there.
func fetch(ctx context.Context, o options, p pinned) (string, error) {
	file := filepath.Join(o.cache, p.sum+".deb")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := os.MkdirAll(o.cache, 0o755); err != nil {
		return "", err
	}
	body, err := get(ctx, o.mirror+"/"+p.path)
	if err != nil {
		return "", err
	}
	defer body.Close()
	part, err := os.CreateTemp(o.cache, "*.part")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(part, h), body)
	if err = errors.Join(err, part.Close()); err == nil {
		if got := hex.EncodeToString(h.Sum(nil)); got != p.sum {
			err = fmt.Errorf("%s: digest %s, want %s", p.path, got, p.sum)
		} else {
			err = os.Rename(part.Name(), file)
		}
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(part.Name()))
	}
	return file, nil
}

func get(ctx context.Context, url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("%s: %s", url, resp.Status), resp.Body.Close())
	}
	return resp.Body, nil
}
