package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
		Long: `The book of advisories is one file, built from files or from the public feeds (OSV, KEV, EPSS), read offline by every scan. A built-in
book about what devices are made of is always read beside it.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q for %q; it has import, update, status and lookup", args[0], cmd.CommandPath())
			}
			return cmd.Help()
		},
	}
	c.PersistentFlags().StringVar(&db, "db", "", "the book (default "+defaultDB("$XDG_DATA_HOME")+")")
	c.AddCommand(dbImport(s, &db), dbUpdate(s, &db), dbStatus(s, &db), dbLookup(s, &db))
	return c
}

func dbImport(s *streams, db *string) *cobra.Command {
	return &cobra.Command{
		Use:   "import SOURCE...",
		Short: "Read feeds' files into the book",
		Long: `import reads folders and files of feeds: OSV's bulk layout (ECOSYSTEM/all.zip, or single records), CISA's KEV catalogue (JSON), FIRST's EPSS
scores (CSV, also gzipped). Records that the book has already are replaced by later ones. The book changes only when all has been read.`,
		Args: atLeast(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, _ := dbPath(*db)
			return s.rebuild(cmd.Context(), path, func(b *refdb.Builder, tell func(biopsy.Progress)) (*feed.Report, error) {
				return feed.Import(cmd.Context(), b, args, tell)
			})
		},
	}
}

func dbUpdate(s *streams, db *string) *cobra.Command {
	var feeds, bases []string
	c := &cobra.Command{
		Use:   "update",
		Short: "Fetch the public feeds into the book",
		Long: `update fetches OSV (every ecosystem), KEV and EPSS, asking only for what has changed since the last time, continues a download that broke
off, and rebuilds the book. A feed that cannot be reached keeps its old part; the others are new, and the exit code is 1.`,
		Example: "  biopsy db update\n  biopsy db update --feed kev --feed osv/npm --feed osv/Debian",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, _ := dbPath(*db)
			mirrors, err := mirrors(bases)
			if err != nil {
				return err
			}
			return s.rebuild(cmd.Context(), path, func(b *refdb.Builder, tell func(biopsy.Progress)) (*feed.Report, error) {
				return feed.Update(cmd.Context(), b, feed.UpdateOptions{Dir: path + ".feeds", Feeds: feeds, Base: mirrors, Progress: tell})
			})
		},
	}
	c.Flags().StringArrayVar(&feeds, "feed", nil, "only `NAME`: osv, osv/ECOSYSTEM, kev or epss; may be repeated (default all)")
	c.Flags().StringArrayVar(&bases, "mirror", nil, "fetch a feed from a mirror: `FEED=URL`; may be repeated")
	return c
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

// rebuild makes a new book of the old one and what read brings, and puts it in the old one's place. Nothing is dropped first: a feed
// that cannot be reached must not cost its old part, and OSV marks records withdrawn rather than delete them.
func (s *streams) rebuild(ctx context.Context, path string, read func(*refdb.Builder, func(biopsy.Progress)) (*feed.Report, error)) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	lock, err := filelock.Take(ctx, path, func() { s.say("%s: another import is at work; waiting for its end", path) })
	if err != nil {
		return err
	}
	defer lock.Close()
	b, err := builderFrom(path)
	if err != nil {
		return err
	}
	defer b.Close()
	bar := s.progress()
	start := time.Now()
	rep, err := read(b, bar.tell)
	bar.done()
	s.tellImport(rep)
	if err != nil && !errors.Is(err, feed.ErrPartly) {
		return fmt.Errorf("%w (the book is as it was)", err)
	}
	partly := err
	if rep.Taken() == 0 {
		return hint.Add(errors.New("no feed knows any of these files; the book is as it was"), "import wants OSV's ECOSYSTEM/all.zip, KEV's JSON or EPSS's CSV, or folders of them")
	}
	snap, err := b.Commit(path, time.Now())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	s.say("%s: %d records, %d of KEV and EPSS read, in %.1f s", path, snap.Records, rep.Exploits, time.Since(start).Seconds())
	return partly
}

// builderFrom continues the book at path, or begins one.
func builderFrom(path string) (*refdb.Builder, error) {
	old, err := refdb.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return refdb.NewBuilder(filepath.Dir(path)), nil
	}
	if err != nil {
		return nil, err
	}
	b, err := refdb.NewBuilderFrom(old)
	return b, errors.Join(err, old.Close())
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
			s.say("and %d more bad records; -v shows all", len(rep.Bad)-i)
			break
		}
		s.say("bad record: %s: %s", g.Place, g.Reason)
	}
	if n := len(rep.Skipped); n > 0 {
		s.say("%d files are of no feed, the first of them %s", n, rep.Skipped[0])
	}
}

func dbStatus(s *streams, db *string) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say what the books hold and how old each part is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := openBooks(*db)
			if err != nil {
				return err
			}
			defer b.Close()
			for _, book := range b.list {
				printBook(s.out, book.Snapshot())
			}
			if path, _ := dbPath(*db); b.user == nil {
				s.say("no book at %s; biopsy db update or biopsy db import makes one", path)
			}
			return nil
		},
	}
}

func printBook(w io.Writer, b biopsy.Book) {
	fmt.Fprintf(w, "%s: %d records, %s", b.Name, b.Records, b.Digest)
	if b.Built != "" {
		fmt.Fprintf(w, ", built %s", b.Built)
	}
	fmt.Fprintln(w)
	for _, f := range b.Feeds {
		fmt.Fprintf(w, "  %-28s %8d  newest %s\n", f.Feed, f.Records, f.Newest)
	}
}

func dbLookup(s *streams, db *string) *cobra.Command {
	return &cobra.Command{
		Use:     "lookup ID|PURL",
		Short:   "Print all that the books know of a CVE, GHSA, other id, or package",
		Example: "  biopsy db lookup CVE-2017-5638\n  biopsy db lookup pkg:npm/lodash@4.17.15",
		Args:    atLeast(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := openBooks(*db)
			if err != nil {
				return err
			}
			defer b.Close()
			for _, arg := range args {
				if strings.HasPrefix(arg, "pkg:") {
					err = lookupPurl(cmd.Context(), s, b, arg)
				} else {
					err = lookupID(s.out, b, arg)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// known is what lookup prints of one id, as JSON.
type known struct {
	ID         string            `json:"id"`
	Exploit    *biopsy.Exploit   `json:"exploit,omitempty"`
	Advisories []biopsy.Advisory `json:"advisories"`
}

func lookupID(w io.Writer, b *books, id string) error {
	k := known{ID: id, Advisories: []biopsy.Advisory{}}
	for _, book := range b.all {
		found, err := book.Lookup(id)
		if err != nil {
			return err
		}
		k.Advisories = append(k.Advisories, found...)
		e, ok, err := book.Exploit(strings.ToUpper(id))
		if err != nil {
			return err
		}
		if ok {
			k.Exploit = &e
		}
	}
	if len(k.Advisories) == 0 && k.Exploit == nil {
		return hint.Add(fmt.Errorf("no book knows %s", id), "biopsy db status says what the books hold; biopsy db update brings them up to date")
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(k)
}
