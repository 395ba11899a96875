//go:build !unix

package kb

import (
	"errors"
	"fmt"
	"io"
)

// mapFile reads the whole file: a mapped file cannot be replaced on this system.
func mapFile(path string) ([]byte, func() error, error) {
	f, size, err := regularFile(path)
	if err != nil {
		return nil, nil, err
	}
	if size < headerSize || size != int64(int(size)) {
		return nil, nil, errors.Join(rebuild(fmt.Errorf("%s: %w: %d bytes", path, ErrNotBook, size)), f.Close())
	}
	data := make([]byte, size)
	_, err = io.ReadFull(f, data)
	return data, func() error { return nil }, errors.Join(err, f.Close())
}
