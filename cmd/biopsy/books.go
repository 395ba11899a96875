package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/refdb"
	"github.com/biopsy-sca/biopsy/refdb/builtin"
	"github.com/biopsy-sca/biopsy/scan"
)

// books are the books of advisories that one run reads.
type books struct {
	list  []scan.Book
	all   []*refdb.Book                      // the same books
	names func(purlType, name string) string // upstream name of a package
	user  *refdb.Book                        // nil when there is none
}

// defaultDB is where the book lies when --db does not say: below XDG_DATA_HOME, else ~/.local/share.
func defaultDB(dataHome string) string {
	if dataHome == "" {
		if home, err := os.UserHomeDir(); err == nil {
			dataHome = filepath.Join(home, ".local", "share")
		}
	}
	return filepath.Join(dataHome, "biopsy", "advisories.refdb")
}

// dbPath is the book that a command means, and whether the user named it.
func dbPath(flag string) (path string, named bool) {
	if flag != "" {
		return flag, true
	}
	return defaultDB(os.Getenv("XDG_DATA_HOME")), false
}

// bookPath is the file of the book that a command means; one that is named by its digest is looked for among those kept.
func bookPath(flag string) (string, error) {
	if strings.HasPrefix(flag, "sha256:") {
		path, _ := dbPath("")
		return byDigest(path, flag)
	}
	path, _ := dbPath(flag)
	return path, nil
}

// writtenPath is the same for a command that writes a book, which a digest cannot name.
func writtenPath(flag string) (string, error) {
	if strings.HasPrefix(flag, "sha256:") {
		return "", usagef("--db %s: books that are kept never change; name a file", flag)
	}
	path, _ := dbPath(flag)
	return path, nil
}

// openBooks opens the built-in book and the user's; a missing default one is no error.
func openBooks(flag string) (*books, error) {
	own, err := builtin.Book()
	if err != nil {
		return nil, fmt.Errorf("built-in book: %w", err)
	}
	b := &books{list: []scan.Book{own}, all: []*refdb.Book{own}, names: builtin.Upstream}
	_, named := dbPath(flag)
	path, err := bookPath(flag)
	if err != nil {
		return nil, err
	}
	user, err := refdb.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return b, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, hint.Add(err, "make one with biopsy db import --db "+path+" FOLDER, or biopsy db update --db "+path)
	case err != nil:
		return nil, err
	}
	b.user = user
	b.list, b.all = append(b.list, user), append(b.all, user)
	return b, nil
}

// Close closes the user's book; the built-in one needs none.
func (b *books) Close() error {
	if b.user == nil {
		return nil
	}
	return b.user.Close()
}
