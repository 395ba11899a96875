//go:build unix

package kb

import (
	"errors"
	"fmt"
	"syscall"
)

// mapFile maps the file read-only. The map outlives the file's name, so a book can be replaced while it is read.
func mapFile(path string) ([]byte, func() error, error) {
	f, size, err := regularFile(path)
	if err != nil {
		return nil, nil, err
	}
	if size < headerSize || size != int64(int(size)) {
		return nil, nil, errors.Join(rebuild(fmt.Errorf("%s: %w: %d bytes", path, ErrNotBook, size)), f.Close())
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", path, err)
	}
	return data, func() error { return syscall.Munmap(data) }, nil
}
