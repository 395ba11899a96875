// Package atomicfile writes files that are either whole or not there.
//
// What comes in: a path and bytes. What goes out: the file under its final name, once every byte is on disk. It will never leave a
// partial file under that name, nor touch the old one before the new one is whole. A link is followed, and an old file's permissions
// are kept. A device or pipe is written as it is: it cannot be replaced.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Write calls write with a buffered writer of a temporary file beside path, and renames it to path when all went well. On any error
// the temporary file is removed and a file already at path is as it was.
func Write(path string, write func(io.Writer) error) error {
	old, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return replace(path, nil, write)
	case err != nil:
		return err
	case old.IsDir():
		return fmt.Errorf("%s: is a directory", path)
	case !old.Mode().IsRegular():
		return into(path, write)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	return replace(real, old, write)
}

// Check tells, before long work, why Write could not begin. It leaves nothing behind.
func Check(path string) error {
	old, err := os.Stat(path)
	switch {
	case err == nil && old.IsDir():
		return fmt.Errorf("%s: is a directory", path)
	case err == nil && !old.Mode().IsRegular():
		return nil
	case err == nil:
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	f, err := beside(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// replace puts a new file at path; old is nil when there is none.
func replace(path string, old fs.FileInfo, write func(io.Writer) error) (err error) {
	f, err := beside(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreClosed(f.Close()), os.Remove(f.Name()))
		}
	}()
	if old != nil {
		if err := f.Chmod(old.Mode().Perm()); err != nil {
			return err
		}
	}
	if err := buffered(f, write); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// beside makes an empty file next to path, with the permissions that a new file of the user's has: os.CreateTemp's are private.
func beside(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	for range 100 {
		name := fmt.Sprintf("%s.%.100s.%08x.part", dir, base, rand.Uint32()) // a file name has up to 255 bytes
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		var pe *fs.PathError
		switch {
		case errors.Is(err, fs.ErrExist):
		case errors.As(err, &pe):
			return nil, fmt.Errorf("%s: %w", path, pe.Err)
		default:
			return f, err
		}
	}
	return nil, fmt.Errorf("%s: %w", path, fs.ErrExist)
}

// into writes to what is no file.
func into(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(buffered(f, write), f.Close())
}

func buffered(f *os.File, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(f, 256<<10)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
