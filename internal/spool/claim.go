package spool

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Directories are made under the first prefix and renamed to the second once they are locked, so that sweep, which looks at
// the second only, never takes one away between its making and its locking.
const (
	newPrefix    = "biopsy-new-"
	lockedPrefix = "biopsy-spool-"
)

// claim makes a private directory in parent and locks it for as long as the file stays open.
func claim(parent string) (dir string, lock *os.File, err error) {
	made, err := os.MkdirTemp(parent, newPrefix)
	if err != nil {
		return "", nil, err
	}
	lock, err = lockDir(made)
	if err != nil {
		return "", nil, errors.Join(err, os.Remove(made))
	}
	dir = filepath.Join(parent, lockedPrefix+strings.TrimPrefix(filepath.Base(made), newPrefix))
	if err := os.Rename(made, dir); err != nil {
		return "", nil, errors.Join(err, lock.Close(), os.Remove(made))
	}
	return dir, lock, nil
}

// sweep removes the directories in parent that nobody holds a lock on.
func sweep(parent string) error {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), lockedPrefix) {
			continue
		}
		if err := removeStale(filepath.Join(parent, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// removeStale removes dir unless it is locked, belongs to somebody else or is already gone.
func removeStale(dir string) error {
	lock, err := lockDir(dir)
	switch {
	case errors.Is(err, errInUse), errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	err = errors.Join(os.RemoveAll(dir), lock.Close())
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

var errInUse = errors.New("another run uses it")
