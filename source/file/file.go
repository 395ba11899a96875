// Package file is the way in for one file: firmware, an archive, a program.
//
// What comes in: a regular file of the local file system. What goes out: a tree with that one file, under its base name. It
// never looks into it; the walk does.
package file

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/internal/holes"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// Opener is the way in.
var Opener = biopsy.Opener{Name: "file", Detect: detect, Open: open}

func detect(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func open(_ context.Context, ref string, _ biopsy.OpenOptions) (*biopsy.Tree, error) {
	info, err := os.Stat(ref)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, hint.Add(fmt.Errorf("%s: is a directory", ref), "write dir:"+ref+", or the path alone, to scan a directory")
	case !info.Mode().IsRegular():
		return nil, hint.Add(fmt.Errorf("%s: not a regular file", ref), "copy what it holds into a file first")
	}
	probe, err := os.Open(ref) // an unreadable target is an error, not a gap: nothing would be left to scan
	if err != nil {
		return nil, err
	}
	if err := probe.Close(); err != nil {
		return nil, err
	}
	name := treepath.Escape(filepath.Base(ref))
	only := biopsy.File{Path: name, Size: info.Size(), Mode: info.Mode(), Open: func() (biopsy.Content, error) { return content(ref) }}
	return &biopsy.Tree{
		Artifact: biopsy.Artifact{Ref: "file:" + ref, Name: name, Kind: "file"},
		Walk: func(ctx context.Context, yield func(biopsy.File) error, _ func(biopsy.Gap)) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return yield(only)
		},
		Close: func() error { return nil },
	}, nil
}

func content(path string) (biopsy.Content, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: path, Err: fs.ErrInvalid}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &opened{f, info.Size()}, nil
}

type opened struct {
	*os.File
	size int64
}

func (o *opened) Size() int64 { return o.size }

// Data makes the content biopsy.Sparse.
func (o *opened) Data(off int64) int64 { return holes.Data(o.Fd(), off, o.size) }

// LocalPath makes the content a biopsy.LocalPath.
func (o *opened) LocalPath() string { return o.Name() }
