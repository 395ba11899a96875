// Package mapped opens files that are read where they lie.
//
// In: the path of a regular file. Out: its bytes, not to be changed, and how to let go of them. It never writes.
package mapped

import (
	"errors"
	"fmt"
	"os"
)

// ErrSize is wrapped by the error about a file that is too small to be what is looked for, or too large for this system.
var ErrSize = errors.New("wrong size")

// Open maps the file, or reads it whole where a mapped file could not be replaced by rename. The bytes outlive the file's name and stand
// until release is called. A file of fewer than least bytes, which is 1 at least, is an error.
func Open(path string, least int64) (data []byte, release func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, nil, err
	case !st.Mode().IsRegular():
		return nil, nil, fmt.Errorf("%s: not a regular file", path)
	case st.Size() < max(least, 1) || st.Size() != int64(int(st.Size())):
		return nil, nil, fmt.Errorf("%s: %w: %d bytes", path, ErrSize, st.Size())
	}
	data, release, err = bytesOf(f, int(st.Size()))
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", path, err)
	}
	return data, release, nil
}
