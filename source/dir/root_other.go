//go:build !linux

package dir

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/holes"
)

// root is the directory everything is opened beneath; os.Root refuses every link that leads out of it.
type root struct {
	path string
	root *os.Root
}

func openRoot(path string) (*root, error) {
	r, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &root{path, r}, nil
}

func (r *root) close() error { return r.root.Close() }

// read lists a directory. Entries that came before an error are returned with it.
func (r *root) read(path string) ([]entry, error) {
	if path == "" {
		path = "."
	}
	d, err := r.root.Open(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	list, err := d.ReadDir(-1)
	var entries []entry
	for _, e := range list {
		switch {
		case e.IsDir():
			entries = append(entries, entry{name: e.Name(), mode: fs.ModeDir})
		case e.Type().IsRegular():
			entries = append(entries, stat(e))
		}
	}
	return entries, err
}

func stat(d fs.DirEntry) entry {
	info, err := d.Info()
	if err != nil {
		return entry{name: d.Name(), failed: err}
	}
	return entry{name: d.Name(), mode: info.Mode(), size: info.Size()}
}

// open opens a regular file below the root.
func (r *root) open(path string) (biopsy.Content, error) {
	f, err := r.root.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: no longer a regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return content{f, info.Size(), filepath.Join(r.path, path)}, nil
}

// content is an open file.
type content struct {
	*os.File
	size int64
	path string
}

func (c content) Size() int64 { return c.size }

// Data makes the content biopsy.Sparse.
func (c content) Data(off int64) int64 { return holes.Data(c.Fd(), off, c.size) }

// LocalPath makes the content a biopsy.LocalPath.
func (c content) LocalPath() string { return c.path }
