package main

import (
	"context"
	"crypto/rand"
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
	"github.com/biopsy-sca/biopsy/internal/bundle"
	"github.com/biopsy-sca/biopsy/internal/filelock"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/refdb"
)

// bookMember is the book's name in a bundle.
const bookMember = "advisories.refdb"

func dbExport(s *streams, db *string) *cobra.Command {
	var key, password string
	c := &cobra.Command{
		Use:     "export FILE",
		Short:   "Write the book as one signed bundle",
		Long:    "export writes the book of advisories into one file, signed with a minisign key, for sites without a network. There, biopsy db import reads it.",
		Example: "  biopsy db keygen site.key\n  biopsy db export monday.bundle --key site.key",
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if key == "" {
				return hint.Add(usagef("db export needs --key"), "biopsy db keygen FILE makes a pair of keys")
			}
			path, err := bookPath(*db)
			if err != nil {
				return err
			}
			return s.export(path, args[0], key, password)
		},
	}
	c.Flags().StringVar(&key, "key", "", "the private `FILE` to sign with, of biopsy db keygen or minisign -G")
	c.Flags().StringVar(&password, "password-file", "", "`FILE` whose first line is the key's password")
	return c
}

func (s *streams) export(path, to, keyFile, passwordFile string) error {
	password, err := firstLine(passwordFile)
	if err != nil {
		return err
	}
	key, err := bundle.PrivateKey(keyFile, password)
	if errors.Is(err, bundle.ErrPassword) {
		return hint.Add(err, "give its password with --password-file FILE")
	}
	if err != nil {
		return err
	}
	b, err := refdb.Open(path)
	if err != nil {
		return hint.Add(err, "biopsy db update or biopsy db import makes a book")
	}
	snap := b.Snapshot()
	if err := errors.Join(b.Verify(), b.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	created, err := time.Parse(time.RFC3339, snap.Built) // of the book, so that the same book gives the same bundle
	if err != nil {
		return err
	}
	err = atomicfile.Write(to, func(w io.Writer) error {
		return bundle.Write(w, []bundle.File{{Name: bookMember, Path: path}}, key, created)
	})
	if err != nil {
		return err
	}
	s.say("%s: %d records, %s, signed with key %016X", to, snap.Records, snap.Digest, key.ID())
	return nil
}

func dbKeygen(s *streams) *cobra.Command {
	var password string
	c := &cobra.Command{
		Use:   "keygen FILE",
		Short: "Make a pair of keys for bundles",
		Long: `keygen writes a private key to FILE, for who exports bundles, and the public one to FILE.pub, for who imports them. Both are minisign's. Files
that are there are not overwritten.`,
		Args: exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			word, err := firstLine(password)
			if err != nil {
				return err
			}
			public, private, err := bundle.GenerateKey(rand.Reader, word)
			if err != nil {
				return err
			}
			if err := newFile(args[0], private, 0o600); err != nil {
				return err
			}
			if err := newFile(args[0]+".pub", public, 0o644); err != nil {
				return errors.Join(err, os.Remove(args[0]))
			}
			s.say("%s: keep it secret; hand out %s.pub", args[0], args[0])
			return nil
		},
	}
	c.Flags().StringVar(&password, "password-file", "", "lock the private key with the first line of `FILE`")
	return c
}

// newFile writes a file that must not exist yet.
func newFile(path string, content []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// firstLine reads a password; "" when no file is named.
func firstLine(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return "", fmt.Errorf("%s: its first line is empty", path)
	}
	return line, nil
}

// isBundle looks at a file's first bytes; folders and what cannot be read are none, and the import says so itself.
func isBundle(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 64)
	n, err := io.ReadFull(f, head)
	return (err == nil || errors.Is(err, io.ErrUnexpectedEOF)) && bundle.Is(head[:n])
}

// bundleImport is what an import of a bundle is told.
type bundleImport struct {
	from  string
	key   string // "" is an error that says so
	force bool   // also a book older than the one in use
	keep  int    // old books
}

// importBundle puts the book of a bundle in the place of the one at path, when all of it is what somebody signed.
func (s *streams) importBundle(ctx context.Context, path string, o bundleImport) error {
	if o.key == "" {
		return hint.Add(usagef("%s is a signed bundle; say whose with --pubkey", o.from), "--pubkey takes the public key's file, or the key itself (RW...)")
	}
	key, err := bundle.PublicKey(o.key)
	if err != nil {
		return usage(err)
	}
	b, err := bundle.Open(o.from, key)
	if err != nil {
		return fmt.Errorf("%w (nothing of it was used)", err)
	}
	defer b.Close()
	if !b.Has(bookMember) {
		return fmt.Errorf("%s holds no book of advisories", o.from)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	lock, err := filelock.Take(ctx, path, func() { s.say("%s: another import is at work; waiting for its end", path) })
	if err != nil {
		return err
	}
	defer lock.Close()
	temp, err := os.MkdirTemp(filepath.Dir(path), ".bundle-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	book := filepath.Join(temp, bookMember)
	if err := b.Extract(bookMember, book); err != nil {
		return fmt.Errorf("%s: %w (nothing of it was used)", o.from, err)
	}
	snap, err := checkedBook(book)
	if err != nil {
		return fmt.Errorf("%s: %w", o.from, err)
	}
	if err := notOlder(path, snap); err != nil && !o.force {
		return hint.Add(fmt.Errorf("%s: %w", o.from, err), "--force takes it nevertheless; the book in use is kept and biopsy db status names it")
	}
	if err := s.replace(path, o.keep, func() error { return os.Rename(book, path) }); err != nil {
		return err
	}
	s.say("%s: %d records, %s, built %s, signed with key %016X", path, snap.Records, snap.Digest, snap.Built, key.ID())
	for _, f := range b.Files {
		if f.Name != bookMember {
			s.say("%s: %s is of a kind that this biopsy does not use", o.from, f.Name)
		}
	}
	return nil
}

// checkedBook reads a whole book and says what it is.
func checkedBook(path string) (biopsy.Book, error) {
	b, err := refdb.Open(path)
	if err != nil {
		return biopsy.Book{}, err
	}
	return b.Snapshot(), errors.Join(b.Verify(), b.Close())
}

// notOlder compares with the book in use, if there is one that can be read.
func notOlder(path string, next biopsy.Book) error {
	b, err := refdb.Open(path)
	if err != nil {
		return nil // nothing is lost that could be used
	}
	now := b.Snapshot()
	if err := b.Close(); err != nil {
		return err
	}
	if next.Built < now.Built {
		return fmt.Errorf("its book was built %s, and the one in use %s", next.Built, now.Built)
	}
	return nil
}

// replace keeps the book at path among the old ones while put puts another in its place.
func (s *streams) replace(path string, keep int, put func() error) error {
	kept := ""
	if keep > 0 {
		var err error
		if kept, err = keepOld(path); err != nil {
			s.say("the book in use cannot be kept beside the new one: %v", err)
		}
	}
	if err := put(); err != nil {
		if kept != "" {
			err = errors.Join(err, os.Remove(kept))
		}
		return err
	}
	if kept != "" {
		if err := dropSame(path, kept); err != nil {
			return err
		}
	}
	return prune(path, keep)
}

// dropSame removes the kept book when the new one says the same: it differs in nothing but the time it was built at.
func dropSame(path, kept string) error {
	snap, err := snapshotOf(path)
	if err != nil {
		return err
	}
	old, err := snapshotOf(kept)
	if err != nil || old.Digest != snap.Digest {
		return err
	}
	return os.Remove(kept)
}

func snapshotOf(path string) (biopsy.Book, error) {
	b, err := refdb.Open(path)
	if err != nil {
		return biopsy.Book{}, err
	}
	return b.Snapshot(), b.Close()
}
