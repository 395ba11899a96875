package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/feed"
	"github.com/biopsy-sca/biopsy/internal/filelock"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/refdb"
)

func dbCommand(s *streams) *cobra.Command {
	var db string
	c := &cobra.Command{
		Use:   "db",
		Short: "Keep the book of advisories",
		Long: `The book of advisories is one file, built from files or from the public feeds, read offline by every scan. A built-in book about what
devices are made of is always read beside it. A book never changes: an update writes another one, and keeps the last ones beside it,
so that a scan can be judged again by what was known then (--db sha256:...).`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q for %q; it has import, update, export, keygen, status and lookup", args[0], cmd.CommandPath())
			}
			return cmd.Help()
		},
	}
	c.PersistentFlags().StringVar(&db, "db", "", "the book: a file, or sha256:DIGEST of one that is kept (default "+defaultDB("$XDG_DATA_HOME")+")")
	c.AddCommand(dbImport(s, &db), dbUpdate(s, &db), dbExport(s, &db), dbKeygen(s), dbStatus(s, &db), dbLookup(s, &db))
	return c
}

func dbImport(s *streams, db *string) *cobra.Command {
	var o bundleImport
	c := &cobra.Command{
		Use:   "import SOURCE...",
		Short: "Read feeds' files, or a signed bundle, into the book",
		Long: `import reads files of feeds and folders of them: ` + feedList() + `.
Records that the book has already are replaced by later ones. The book changes only when all has been read; a file that cannot be
read to its end does not spoil the others, and the exit code is 1.

A bundle of biopsy db export takes the book's place, when --pubkey is the key that it was signed with.`,
		Example: "  biopsy db import feeds/ kev.json\n  biopsy db import monday.bundle --pubkey site.key.pub",
		Args:    atLeast(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := writtenPath(*db)
			if err != nil {
				return err
			}
			for _, a := range args {
				if !isBundle(a) {
					continue
				}
				if len(args) > 1 {
					return usagef("%s is a bundle, which is a whole book; import it alone", a)
				}
				o.from = a
				return s.importBundle(cmd.Context(), path, o)
			}
			return s.rebuild(cmd.Context(), rebuild{path: path, keep: o.keep, read: func(b *refdb.Builder, _ string, tell func(biopsy.Progress)) (*feed.Report, error) {
				return feed.Import(cmd.Context(), b, args, tell)
			}})
		},
	}
	c.Flags().StringVar(&o.key, "pubkey", "", "the public `KEY` that a bundle must be signed with: a file, or the key itself (RW...)")
	c.Flags().BoolVar(&o.force, "force", false, "take a bundle whose book is older than the one in use")
	keepFlag(c, &o.keep)
	return c
}

func keepFlag(c *cobra.Command, keep *int) {
	c.Flags().IntVar(keep, "keep", keepDefault, "old books to keep beside the one in use")
}

// feedList names the feeds for help texts.
func feedList() string {
	var names []string
	for _, f := range feed.All {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// optIn names the feeds that an update leaves out unless they are asked for.
func optIn() string {
	var names []string
	for _, f := range feed.All {
		if f.OptIn {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

func dbUpdate(s *streams, db *string) *cobra.Command {
	var feeds, bases, keys []string
	var keep int
	c := &cobra.Command{
		Use:   "update",
		Short: "Fetch the public feeds into the book",
		Long: `update fetches the feeds, asking only for what has changed since the last time, continues a download that broke off, reads what is new,
and writes another book. A feed that cannot be reached or read keeps its old part; the others are new, and the exit code is 1.
Large feeds are fetched only when asked for by --feed: ` + optIn() + `.`,
		Example: "  biopsy db update\n  biopsy db update --feed kev --feed osv/npm --feed osv/Debian",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := writtenPath(*db)
			if err != nil {
				return err
			}
			mirrors, err := mirrors(bases)
			if err != nil {
				return err
			}
			apiKeys, err := apiKeys(keys)
			if err != nil {
				return err
			}
			dir := path + ".feeds"
			return s.rebuild(cmd.Context(), rebuild{path: path, keep: keep, feeds: dir, read: func(b *refdb.Builder, old string, tell func(biopsy.Progress)) (*feed.Report, error) {
				return feed.Update(cmd.Context(), b, feed.UpdateOptions{Dir: dir, Feeds: feeds, Base: mirrors, Keys: apiKeys, Book: old, Now: time.Now(), Progress: tell})
			}})
		},
	}
	c.Flags().StringArrayVar(&feeds, "feed", nil, "only `NAME`, or a part of it like osv/npm: "+feedList()+"; may be repeated")
	c.Flags().StringArrayVar(&bases, "mirror", nil, "fetch a feed from a mirror: `FEED=URL`; may be repeated")
	c.Flags().StringArrayVar(&keys, "api-key", nil, "the key of a feed's API: `FEED=KEY`; may be repeated")
	keepFlag(c, &keep)
	return c
}

// apiKeys reads FEED=KEY.
func apiKeys(values []string) (map[string]string, error) {
	out := map[string]string{}
	for _, v := range values {
		name, key, ok := strings.Cut(v, "=")
		if !ok || key == "" {
			return nil, usagef("--api-key: want FEED=KEY")
		}
		out[name] = key
	}
	return out, nil
}

// mirrors reads FEED=URL.
func mirrors(values []string) (map[string]string, error) {
	out := map[string]string{}
	for _, v := range values {
		name, url, ok := strings.Cut(v, "=")
		if !ok || !strings.Contains(url, "://") {
			return nil, usagef("--mirror %s: want FEED=URL", v)
		}
		out[name] = url
	}
	return out, nil
}

// rebuild is how a new book comes about.
type rebuild struct {
	path  string
	keep  int    // old books
	feeds string // folder of the feeds' files, where it is written down what the book has of them; "" for files of others
	read  func(b *refdb.Builder, old string, tell func(biopsy.Progress)) (*feed.Report, error)
}

// rebuild makes a new book of the old one and what is read, and puts it in the old one's place. Nothing is dropped first: a feed
// that cannot be reached must not cost its old part. Parts that an update reads whole forget what they say no more.
func (s *streams) rebuild(ctx context.Context, r rebuild) error {
	if err := os.MkdirAll(filepath.Dir(r.path), 0o755); err != nil {
		return err
	}
	lock, err := filelock.Take(ctx, r.path, func() { s.say("%s: another import is at work; waiting for its end", r.path) })
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := sweep(filepath.Dir(r.path), time.Now()); err != nil {
		return err
	}
	b, old, err := builderFrom(r.path)
	if err != nil {
		return err
	}
	defer b.Close()
	bar := s.progress()
	start := time.Now()
	rep, err := r.read(b, old, bar.tell)
	bar.done()
	s.tellImport(rep)
	if err != nil && !errors.Is(err, feed.ErrPartly) {
		return fmt.Errorf("%w (the book is as it was)", err)
	}
	partly := err
	if rep.Taken() == 0 && len(rep.Known) > 0 {
		s.say("%s: has all that the feeds say", r.path)
		return partly
	}
	if rep.Taken() == 0 {
		return hint.Add(errors.New("no feed knows any of these files; the book is as it was"), "import reads files of these feeds, or folders of them: "+feedList())
	}
	b.Stop = ctx.Err
	var snap biopsy.Book
	err = s.replace(r.path, r.keep, func() error { snap, err = b.Commit(r.path, time.Now()); return err })
	if err != nil {
		return fmt.Errorf("write %s: %w", r.path, err)
	}
	if r.feeds != "" {
		if err := rep.Remember(r.feeds, snap.Digest); err != nil {
			return err
		}
	}
	s.say("%s: %d records in the book, %d read, in %.1f s", r.path, snap.Records, rep.Taken(), time.Since(start).Seconds())
	return partly
}

// leftover is the age at which files of an import are those of one that was killed: none takes so long.
const leftover = 24 * time.Hour

// sweep removes what killed imports have left beside the books.
func sweep(dir string, now time.Time) error {
	var wrong []error
	for _, pattern := range []string{".refdb-build-*", ".refdb-*.tmp", ".bundle-*"} {
		found, err := filepath.Glob(filepath.Join(globQuote(dir), pattern))
		wrong = append(wrong, err)
		for _, p := range found {
			if st, err := os.Lstat(p); err == nil && now.Sub(st.ModTime()) > leftover {
				wrong = append(wrong, os.RemoveAll(p))
			}
		}
	}
	return errors.Join(wrong...)
}

// builderFrom continues the book at path, whose digest it returns, or begins one.
func builderFrom(path string) (b *refdb.Builder, digest string, err error) {
	old, err := refdb.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return refdb.NewBuilder(filepath.Dir(path)), "", nil
	}
	if err != nil {
		return nil, "", err
	}
	b, err = refdb.NewBuilderFrom(old)
	return b, old.Snapshot().Digest, errors.Join(err, old.Close())
}

// tellImport says what an import read, and what it could not.
func (s *streams) tellImport(rep *feed.Report) {
	if rep == nil {
		return
	}
	for _, f := range rep.Files {
		if s.verbose {
			s.say("%s: %s, %d records", f.Path, f.Feed, f.Records)
		}
	}
	for i, g := range rep.Bad {
		if i == 10 && !s.verbose {
			s.say("and %d more bad records; -v shows all", rep.BadCount-i)
			break
		}
		s.say("bad record: %s: %s", g.Place, g.Reason)
	}
	if n := len(rep.Skipped); n > 0 {
		s.say("%d files are of no feed, the first of them %s", n, rep.Skipped[0])
	}
}
