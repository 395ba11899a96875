package scalibr

import (
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// tree is a file system that holds one file, and the folders above it.
type tree struct {
	path    string
	content biopsy.Content
	mode    fs.FileMode
}

func (t tree) info() info { return info{path: t.path, size: t.content.Size(), mode: t.mode.Perm()} }

// Open opens the one file. The result also implements io.ReaderAt and io.Seeker.
func (t tree) Open(name string) (fs.File, error) {
	switch {
	case !fs.ValidPath(name):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	case name == t.path:
		return file{io.NewSectionReader(t.content, 0, t.content.Size()), t.info()}, nil
	case t.above(name):
		return &folder{info: info{path: name, dir: true}, tree: t}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Stat knows the one file and the folders above it.
func (t tree) Stat(name string) (fs.FileInfo, error) {
	switch {
	case name == t.path:
		return t.info(), nil
	case t.above(name):
		return info{path: name, dir: true}, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

// ReadDir lists the one child a folder has.
func (t tree) ReadDir(name string) ([]fs.DirEntry, error) {
	if !t.above(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	rest := t.path
	if name != "." {
		rest = strings.TrimPrefix(t.path, name+"/")
	}
	child, _, deeper := strings.Cut(rest, "/")
	if deeper {
		return []fs.DirEntry{fs.FileInfoToDirEntry(info{path: path.Join(name, child), dir: true})}, nil
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(t.info())}, nil
}

func (t tree) above(name string) bool { return name == "." || strings.HasPrefix(t.path, name+"/") }

type file struct {
	*io.SectionReader
	i info
}

func (f file) Stat() (fs.FileInfo, error) { return f.i, nil }
func (f file) Close() error               { return nil }

type folder struct {
	info
	tree tree
	done bool
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *folder) Close() error               { return nil }
func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.path, Err: fs.ErrInvalid}
}

// ReadDir lists the one child once, then says io.EOF when asked for a number of entries.
func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if f.done {
		if n > 0 {
			return nil, io.EOF
		}
		return nil, nil
	}
	f.done = true
	return f.tree.ReadDir(f.path)
}

// info describes the file or a folder. There is no time of change: it would make the answer depend on more than the bytes.
type info struct {
	path string
	size int64
	mode fs.FileMode // permission bits; 0 stands for 0755
	dir  bool
}

func (i info) Name() string       { return path.Base(i.path) }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }

func (i info) Mode() fs.FileMode {
	m := i.mode
	if m == 0 {
		m = 0o755
	}
	if i.dir {
		m |= fs.ModeDir
	}
	return m
}
