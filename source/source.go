// Package source turns what a user names into an opened artifact.
//
// What comes in: a reference, either a scheme ("dir:", "registry:", ...) or a path whose content tells the way in. What goes
// out: a biopsy.Tree. It never reaches the network for a reference without "registry:" or "git:", and never at all when told
// to stay offline.
package source

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/source/dir"
	"github.com/biopsy-sca/biopsy/source/file"
	"github.com/biopsy-sca/biopsy/source/git"
	"github.com/biopsy-sca/biopsy/source/image"
	"github.com/biopsy-sca/biopsy/source/sbom"
)

// All is every way in. A path without scheme takes the first whose Detect knows it: the special ones stand before "dir" and "file".
var All = []biopsy.Opener{
	image.OCI,
	image.DockerArchive,
	image.Registry,
	git.Opener,
	sbom.Opener,
	dir.Opener,
	file.Opener,
}

// Open opens a reference by its scheme or, for a path, by its content. A path that exists is never taken for a scheme unless
// the scheme is one of ours.
func Open(ctx context.Context, ref string, o biopsy.OpenOptions) (*biopsy.Tree, error) {
	if scheme, rest, ok := strings.Cut(ref, ":"); ok {
		if opener := byName(scheme); opener != nil {
			if rest == "" {
				return nil, hint.Add(fmt.Errorf("%s: names nothing", ref), "write what to open behind the colon: "+scheme+":PATH")
			}
			if info, err := os.Stat(rest); err == nil && special(info) {
				return nil, notRegular(rest)
			}
			tree, err := opener.Open(ctx, rest, o)
			return tree, plain(err)
		}
	}
	info, err := os.Stat(ref)
	switch {
	case err != nil:
		return nil, hint.Add(plain(err), "a target is a path, or one of "+schemes())
	case special(info):
		return nil, notRegular(ref)
	}
	for _, opener := range All {
		if opener.Detect != nil && opener.Detect(ref) {
			tree, err := opener.Open(ctx, ref, o)
			return tree, plain(err)
		}
	}
	return nil, notRegular(ref)
}

// special tells what must not be opened to look at: a pipe waits for ever, and a device may have no end.
func special(info fs.FileInfo) bool { return !info.IsDir() && !info.Mode().IsRegular() }

func notRegular(path string) error {
	return hint.Add(fmt.Errorf("%s: not a regular file", path), "a target is a file, a directory, or one of "+schemes()+"; copy what a pipe or device holds into a file first")
}

// plain words an error of the system as "path: reason".
func plain(err error) error {
	if pe, ok := err.(*fs.PathError); ok {
		return fmt.Errorf("%s: %w", pe.Path, pe.Err)
	}
	return err
}

func byName(scheme string) *biopsy.Opener {
	for i := range All {
		if All[i].Name == scheme {
			return &All[i]
		}
	}
	return nil
}

func schemes() string {
	var b strings.Builder
	for i, opener := range All {
		if i > 0 {
			b.WriteString(" ")
		}
		b.WriteString(opener.Name + ":")
	}
	return b.String()
}
