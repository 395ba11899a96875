package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/refdb"
)

// Books never change once they are written, so an old one is kept by a second name of its file, and costs nothing to make.

// keepDefault is how many old books stay beside the one in use.
const keepDefault = 3

// oldDir is where the books are kept that the one at path has replaced.
func oldDir(path string) string { return path + ".old" }

// stamp begins the names of old books, so that they sort by age.
const stamp = "20060102T150405Z"

// keepOld gives the book at path a name in the folder of old books, and returns that name; "" when there is no book yet. A book of the
// same contents is kept once.
func keepOld(path string) (string, error) {
	b, err := refdb.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	snap := b.Snapshot()
	if err := b.Close(); err != nil {
		return "", err
	}
	built, err := time.Parse(time.RFC3339, snap.Built)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(oldDir(path), 0o755); err != nil {
		return "", err
	}
	digest := strings.TrimPrefix(snap.Digest, "sha256:")
	same, err := filepath.Glob(filepath.Join(globQuote(oldDir(path)), "*-"+digest[:16]+".refdb"))
	if err != nil || len(same) > 0 {
		return "", err
	}
	to := filepath.Join(oldDir(path), built.UTC().Format(stamp)+"-"+digest[:16]+".refdb")
	return to, os.Link(path, to)
}

// globQuote keeps Glob from reading a folder's name as a pattern.
func globQuote(s string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(s)
}

// oldBooks lists the kept books of path, the newest first.
func oldBooks(path string) ([]string, error) {
	entries, err := os.ReadDir(oldDir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".refdb") {
			out = append(out, filepath.Join(oldDir(path), e.Name()))
		}
	}
	slices.Reverse(out)
	return out, nil
}

// prune removes all but the newest old books.
func prune(path string, keep int) error {
	old, err := oldBooks(path)
	if err != nil {
		return err
	}
	var wrong []error
	for _, p := range old[min(keep, len(old)):] {
		wrong = append(wrong, os.Remove(p))
	}
	return errors.Join(wrong...)
}

// byDigest finds the book that a scan file names ("sha256:...", or its beginning) among the one at path and the old ones.
func byDigest(path, digest string) (string, error) {
	if len(digest) < len("sha256:")+6 {
		return "", usagef("--db %s: give at least 6 digits of the digest", digest)
	}
	old, err := oldBooks(path)
	if err != nil {
		return "", err
	}
	var found []string
	for _, p := range append([]string{path}, old...) {
		b, err := refdb.Open(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(b.Snapshot().Digest, digest) && len(found) == 0 { // an old one of the same digest is the same
			found = append(found, p)
		}
		if err := b.Close(); err != nil {
			return "", err
		}
	}
	if len(found) == 0 {
		return "", hint.Add(fmt.Errorf("no book of digest %s is kept", digest), "biopsy db status lists those that are; books of other sites come as bundles: biopsy db import")
	}
	return found[0], nil
}
