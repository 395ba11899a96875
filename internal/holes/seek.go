//go:build linux || freebsd

package holes

import (
	"errors"
	"syscall"
)

// seekData is SEEK_DATA of lseek(2), the same number on Linux and FreeBSD.
const seekData = 3

// Data returns the offset of the first byte at or behind off that is not in a hole; size when there is none, off when nobody knows.
func Data(fd uintptr, off, size int64) int64 {
	next, err := syscall.Seek(int(fd), off, seekData)
	switch {
	case errors.Is(err, syscall.ENXIO): // nothing but a hole up to the end
		return max(off, size)
	case err != nil:
		return off
	}
	return max(off, min(next, size))
}
