package main

import (
	"context"
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
	"github.com/biopsy-sca/biopsy/internal/atomicfile"
	"github.com/biopsy-sca/biopsy/internal/filelock"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/internal/spool"
	"github.com/biopsy-sca/biopsy/kb"
	"github.com/biopsy-sca/biopsy/kb/starter"
	"github.com/biopsy-sca/biopsy/learn"
)

// software are the books of software that one run reads.
type software struct {
	list []*kb.Book
	user *kb.Book // nil when there is none
}

// Close closes the user's book; the starter book needs none.
func (b *software) Close() error {
	if b.user == nil {
		return nil
	}
	return b.user.Close()
}

// defaultKB is where the user's book of software lies when --kb does not say.
func defaultKB(dataHome string) string {
	return filepath.Join(filepath.Dir(defaultDB(dataHome)), "software.kb")
}

func kbPath(flag string) (path string, named bool) {
	if flag != "" {
		return flag, true
	}
	return defaultKB(os.Getenv("XDG_DATA_HOME")), false
}

// openSoftware opens the starter book and the user's; a missing default one is no error.
func openSoftware(flag string) (*software, error) {
	own, err := starter.Book()
	if err != nil {
		return nil, fmt.Errorf("starter book: %w", err)
	}
	b := &software{list: []*kb.Book{own}}
	path, named := kbPath(flag)
	user, err := kb.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return b, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, hint.Add(err, "make one with biopsy kb learn NAME@VERSION PATH --kb "+path)
	case err != nil:
		return nil, err
	}
	b.user = user
	b.list = append(b.list, user)
	return b, nil
}

func kbCommand(s *streams) *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "kb",
		Short: "Keep the book of software",
		Long: `The book of software is one file of what known components look like: the texts, names and constants of their programs and libraries, and the
classes of Java archives. Every scan names stripped binaries and nameless jars from it, offline. A starter book about what devices are made of is always
read beside it.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q for %q; it has learn, import, export and status", args[0], cmd.CommandPath())
			}
			return cmd.Help()
		},
	}
	c.PersistentFlags().StringVar(&path, "kb", "", "the book (default "+defaultKB("$XDG_DATA_HOME")+")")
	c.AddCommand(kbLearn(s, &path), kbImport(s, &path), kbExport(s, &path), kbStatus(s, &path))
	return c
}

func kbLearn(s *streams, path *string) *cobra.Command {
	return &cobra.Command{
		Use:   "learn NAME@VERSION PATH...",
		Short: "Learn what a component looks like",
		Long: `learn reads source trees, archives, binary packages (deb, rpm, apk, tar), static archives and built products, and remembers what the files of the
component look like. NAME is the upstream name, or a purl without version such as pkg:maven/org.example/lib.`,
		Example: "  biopsy kb learn zlib@1.3.1 zlib-1.3.1.tar.gz\n  biopsy kb learn acme-hal@4.2 build/libacmehal.a src/hal",
		Args:    atLeast(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := entry(args[0])
			if err != nil {
				return err
			}
			return s.relearn(cmd.Context(), *path, func(ctx context.Context, b *kb.Builder) error {
				return s.learn(ctx, b, e, args[1:])
			})
		},
	}
}

// entry reads NAME@VERSION.
func entry(arg string) (kb.Entry, error) {
	i := strings.LastIndexByte(arg, '@')
	if i <= 0 || i == len(arg)-1 {
		return kb.Entry{}, usagef("%s: want NAME@VERSION", arg)
	}
	e := kb.Entry{Component: kb.Component{Eco: "generic", Name: arg[:i]}, Version: arg[i+1:]}
	if rest, ok := strings.CutPrefix(e.Name, "pkg:"); ok {
		parts := strings.Split(rest, "/")
		if len(parts) < 2 || parts[len(parts)-1] == "" {
			return kb.Entry{}, usagef("%s: want pkg:TYPE/NAME@VERSION", arg)
		}
		n := len(parts)
		e.Component = kb.Component{Eco: parts[0], Namespace: strings.Join(parts[1:n-1], "/"), Name: parts[n-1]}
	}
	return e, nil
}

func (s *streams) learn(ctx context.Context, b *kb.Builder, e kb.Entry, paths []string) error {
	sp, err := spool.Open("", 0)
	if err != nil {
		return err
	}
	defer sp.Close()
	l := learn.New(b, sp, func(g biopsy.Gap) { s.say("not learned: %s: %s", g.Place, g.Reason) })
	for _, p := range paths {
		if err := l.Path(ctx, e, p); err != nil {
			return err
		}
	}
	if l.Files() == 0 {
		return hint.Add(fmt.Errorf("nothing to learn in %s", strings.Join(paths, ", ")), "learn reads programs, libraries, static archives, jars and C or C++ source")
	}
	s.say("%s@%s: %d files learned", e.Name, e.Version, l.Files())
	return nil
}

// relearn makes a new book of the old one and what add brings, and puts it in the old one's place.
func (s *streams) relearn(ctx context.Context, flag string, add func(context.Context, *kb.Builder) error) error {
	path, _ := kbPath(flag)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	lock, err := filelock.Take(ctx, path, func() { s.say("%s: somebody else is writing it; waiting for the end", path) })
	if err != nil {
		return err
	}
	defer lock.Close()
	b := kb.NewBuilder(filepath.Dir(path))
	if err := importBook(b, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, b.Close())
	}
	if err := add(ctx, b); err != nil {
		return errors.Join(fmt.Errorf("%w (the book is as it was)", err), b.Close())
	}
	snap, err := b.Commit(path, time.Now())
	if err != nil {
		return err
	}
	s.say("%s: %d versions of components, %s", path, snap.Records, snap.Digest)
	return nil
}

func importBook(b *kb.Builder, path string) error {
	old, err := kb.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(old.Verify(), b.Import(old), old.Close())
}

func kbImport(s *streams, path *string) *cobra.Command {
	return &cobra.Command{
		Use:   "import BOOK...",
		Short: "Add what other books know",
		Args:  atLeast(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.relearn(cmd.Context(), *path, func(_ context.Context, b *kb.Builder) error {
				for _, a := range args {
					if err := importBook(b, a); err != nil {
						return fmt.Errorf("%s: %w", a, err)
					}
				}
				return nil
			})
		},
	}
}

func kbExport(s *streams, path *string) *cobra.Command {
	return &cobra.Command{
		Use:   "export FILE",
		Short: "Copy the book for another site",
		Long:  "export copies the book to FILE (- is stdout) after checking it against its digest, which it prints.",
		Args:  oneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			from, _ := kbPath(*path)
			b, err := kb.Open(from)
			if err != nil {
				return err
			}
			defer b.Close()
			if err := b.Verify(); err != nil {
				return err
			}
			if args[0] == "-" {
				return copyFile(s.out, from)
			}
			if err := exportTo(args[0], from); err != nil {
				return err
			}
			s.say("%s: %s", args[0], b.Snapshot().Digest)
			return nil
		},
	}
}

func kbStatus(s *streams, path *string) *cobra.Command {
	var list bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Say what the books of software know",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := openSoftware(*path)
			if err != nil {
				return err
			}
			defer b.Close()
			for _, book := range b.list {
				if err := tellSoftware(s.out, book, list || s.verbose); err != nil {
					return err
				}
			}
			if p, _ := kbPath(*path); b.user == nil {
				s.say("no book at %s; biopsy kb learn makes one", p)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&list, "list", false, "also list every component with its versions")
	return c
}

func tellSoftware(w io.Writer, b *kb.Book, list bool) error {
	snap, n := b.Snapshot(), b.Size()
	fmt.Fprintf(w, "%s: %d components in %d versions, %d files, %d traits, %d tables, %d classes, %d bytes, %s, built %s\n", snap.Name, n.Components, n.Entries,
		n.Units-n.Entries, n.Traits[kb.Traits], n.Traits[kb.Tables], n.Traits[kb.Classes], n.Bytes, snap.Digest, snap.Built)
	if !list {
		return nil
	}
	return b.Reading(func() error {
		for c := range uint32(n.Components) {
			k := b.Component(c)
			var versions []string
			for i, end := b.EntriesOf(c); i < end; i++ {
				e, err := b.Entry(i)
				if err != nil {
					return err
				}
				versions = append(versions, e.Version)
			}
			fmt.Fprintf(w, "  %s %s\n", strings.TrimPrefix(strings.Join([]string{k.Namespace, k.Name}, "/"), "/"), strings.Join(versions, " "))
		}
		return nil
	})
}

func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

func exportTo(to, from string) error {
	return atomicfile.Write(to, func(w io.Writer) error { return copyFile(w, from) })
}

// oneFile takes exactly one argument.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s needs one FILE; its form is: %s", cmd.CommandPath(), cmd.UseLine())
	}
	return nil
}
