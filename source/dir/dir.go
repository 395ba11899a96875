// Package dir is the way in for directory trees.
//
// What comes in: a directory of the local file system. What goes out: its regular files, sorted by name folder by folder (a
// folder's own files and subfolders in one order of bytes). No symbolic link is ever followed, neither on the way nor as the
// last element, so nothing outside the directory is read and no loop is possible; links, devices and pipes are not yielded.
// It never writes.
//
// Size and mode come with the walk, one question to the system for each file: who walks must know programs, and whether a file is
// too large, before opening it. A content's size is asked for again when it is opened.
//
// Names that are no UTF-8 or would not print on one line are escaped as internal/treepath tells.
//
// Left out without a gap: the folder "objects" of a .git folder (packed history is not content), and /proc and /sys when the
// directory is the root of the running system. What cannot be opened is a gap.
package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// Opener is the way in.
var Opener = biopsy.Opener{Name: "dir", Detect: detect, Open: open}

func detect(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func open(_ context.Context, ref string, o biopsy.OpenOptions) (*biopsy.Tree, error) {
	info, err := os.Stat(ref)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, hint.Add(fmt.Errorf("%s: not a directory", ref), "write file:"+ref+", or the path alone, to scan one file")
	}
	exclude, err := treepath.ParseGlobs(o.Exclude)
	if err != nil {
		return nil, hint.Add(fmt.Errorf("exclude: %w", err), `write globs like "**/test/**" or "*.log"`)
	}
	root, err := openRoot(ref)
	if err != nil {
		return nil, err
	}
	w := walker{root: root, exclude: exclude, live: isLiveRoot(info)}
	return &biopsy.Tree{
		Artifact: biopsy.Artifact{Ref: "dir:" + ref, Name: name(ref), Kind: "directory"},
		Walk:     w.walk,
		Close:    root.close,
	}, nil
}

// name is the last element of the path, also for ".".
func name(ref string) string {
	if abs, err := filepath.Abs(ref); err == nil {
		ref = abs
	}
	return filepath.Base(ref)
}

// isLiveRoot tells whether the directory is the root of the running system.
func isLiveRoot(info fs.FileInfo) bool {
	live, err := os.Stat("/")
	return err == nil && os.SameFile(info, live)
}

// entry is one name in a directory. Only regular files have mode bits and a size; failed says why they are not known.
type entry struct {
	name   string
	mode   fs.FileMode
	size   int64
	failed error
}

// walker goes through one tree.
type walker struct {
	root    *root
	exclude treepath.Globs
	live    bool

	yield func(biopsy.File) error
	gap   func(biopsy.Gap)
}

func (w walker) walk(ctx context.Context, yield func(biopsy.File) error, gap func(biopsy.Gap)) error {
	w.yield, w.gap = yield, gap
	return w.folder(ctx, "", "")
}

// folder walks one directory. at is its path as the system holds it, shown the same path escaped.
func (w *walker) folder(ctx context.Context, at, shown string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := w.root.read(at)
	if err != nil {
		if shown == "" {
			return err
		}
		w.gap(biopsy.Gap{Place: biopsy.Place{Path: shown}, Reason: "directory not read: " + reason(err)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	for _, e := range entries {
		if err := w.entry(ctx, join(at, e.name), join(shown, treepath.Escape(e.name)), e); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) entry(ctx context.Context, at, shown string, e entry) error {
	dir := e.mode.IsDir()
	switch {
	case e.failed != nil:
		w.gap(biopsy.Gap{Place: biopsy.Place{Path: shown}, Reason: reason(e.failed)})
		return nil
	case !dir && !e.mode.IsRegular(), w.exclude.Fit(shown), dir && w.leftOut(at):
		return nil
	case dir:
		return w.folder(ctx, at, shown)
	}
	root := w.root
	return w.yield(biopsy.File{Path: shown, Size: e.size, Mode: e.mode, Open: func() (biopsy.Content, error) { return root.open(at) }})
}

// leftOut tells the folders that hold no content of the tree.
func (w *walker) leftOut(at string) bool {
	if w.live && (at == "proc" || at == "sys") {
		return true
	}
	git, objects := strings.CutSuffix(at, "/objects")
	return objects && (git == ".git" || strings.HasSuffix(git, "/.git") || strings.Contains("/"+git, "/.git/modules/"))
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// reason is an error of the system without the path, which the gap's place tells.
func reason(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number.Error()
	}
	return err.Error()
}
