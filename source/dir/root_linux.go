package dir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/holes"
)

// root is the directory everything is opened beneath. Linux opens a whole path below it with one call and refuses symbolic
// links on the way; where that call is missing (before Linux 5.6, or a sandbox forbids it), path elements are opened one by one.
type root struct {
	path    string
	file    *os.File
	oneCall atomic.Bool // openat2 works
	bufs    sync.Pool
}

func openRoot(path string) (*root, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	r := &root{path: path, file: f, bufs: sync.Pool{New: func() any { return new([64 << 10]byte) }}}
	r.oneCall.Store(true)
	return r, nil
}

func (r *root) close() error { return r.file.Close() }

// beneath opens a path below the root without following any symbolic link.
func (r *root) beneath(path string, flags int) (int, error) {
	flags |= unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY
	if path == "" {
		path = "."
	}
	dir := int(r.file.Fd())
	if !r.oneCall.Load() {
		return stepwise(dir, path, flags)
	}
	how := unix.OpenHow{Flags: uint64(flags), Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS}
	fd, err := retry(func() (int, error) { return unix.Openat2(dir, path, &how) })
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) && path == "." {
		r.oneCall.Store(false)
		return stepwise(dir, path, flags)
	}
	return fd, err
}

// stepwise opens one element after the other, each without following links.
func stepwise(dir int, path string, flags int) (int, error) {
	own := false
	for {
		first, rest, more := strings.Cut(path, "/")
		step := flags
		if more {
			step = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
		}
		fd, err := retry(func() (int, error) { return unix.Openat(dir, first, step, 0) })
		if own {
			unix.Close(dir)
		}
		if err != nil || !more {
			return fd, err
		}
		dir, path, own = fd, rest, true
	}
}

// retry repeats a call that a signal broke off, or that raced with a rename.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR && err != unix.EAGAIN {
			return n, err
		}
	}
}

// read lists a directory. Entries that came before an error are returned with it.
func (r *root) read(path string) ([]entry, error) {
	fd, err := r.beneath(path, unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	buf := r.bufs.Get().(*[64 << 10]byte)
	defer r.bufs.Put(buf)
	var entries []entry
	for {
		n, err := retry(func() (int, error) { return unix.ReadDirent(fd, buf[:]) })
		if err != nil || n <= 0 {
			return entries, err
		}
		entries = parse(fd, buf[:n], entries)
	}
}

// parse reads the records of getdents64(2): inode 8, offset 8, length 2, type 1, name up to a zero byte.
func parse(fd int, b []byte, entries []entry) []entry {
	const header = int(unsafe.Offsetof(unix.Dirent{}.Name))
	for len(b) > header {
		d := (*unix.Dirent)(unsafe.Pointer(&b[0]))
		size := int(d.Reclen)
		if size <= header || size > len(b) {
			return entries
		}
		raw := b[header:size]
		b = b[size:]
		name := string(raw[:max(0, strings.IndexByte(unsafe.String(&raw[0], len(raw)), 0))])
		if name == "" || name == "." || name == ".." {
			continue
		}
		switch d.Type {
		case unix.DT_DIR:
			entries = append(entries, entry{name: name, mode: fs.ModeDir})
		case unix.DT_REG, unix.DT_UNKNOWN:
			entries = append(entries, stat(fd, name))
		}
	}
	return entries
}

// stat asks for what the walk must know without opening: size, and whether it is a program.
func stat(dir int, name string) entry {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return entry{name: name, failed: err}
	}
	return entry{name: name, mode: mode(st.Mode), size: st.Size}
}

func mode(m uint32) fs.FileMode {
	f := fs.FileMode(m & 0o777)
	switch m & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		f |= fs.ModeDir
	default:
		f |= fs.ModeIrregular
	}
	for _, b := range []struct {
		bit uint32
		is  fs.FileMode
	}{{unix.S_ISUID, fs.ModeSetuid}, {unix.S_ISGID, fs.ModeSetgid}, {unix.S_ISVTX, fs.ModeSticky}} {
		if m&b.bit != 0 {
			f |= b.is
		}
	}
	return f
}

// open opens a regular file below the root.
func (r *root) open(path string) (biopsy.Content, error) {
	fd, err := r.beneath(path, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: no longer a regular file", path)
	}
	return &content{fd: fd, size: st.Size, path: filepath.Join(r.path, path)}, nil
}

// content is an open file. It works on the bare descriptor: os.File would ask the system twice more for each.
type content struct {
	fd     int
	size   int64
	path   string
	closed atomic.Bool
}

func (c *content) Size() int64 { return c.size }

// LocalPath makes the content a biopsy.LocalPath.
func (c *content) LocalPath() string { return c.path }

func (c *content) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	return unix.Close(c.fd)
}

// Data makes the content biopsy.Sparse.
func (c *content) Data(off int64) int64 { return holes.Data(uintptr(c.fd), off, c.size) }

func (c *content) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	if c.closed.Load() {
		return 0, os.ErrClosed
	}
	n := 0
	for n < len(p) {
		k, err := retry(func() (int, error) { return syscall.Pread(c.fd, p[n:], off+int64(n)) })
		if err != nil {
			return n, &fs.PathError{Op: "read", Path: c.path, Err: err}
		}
		if k == 0 {
			return n, io.EOF
		}
		n += k
	}
	return n, nil
}
