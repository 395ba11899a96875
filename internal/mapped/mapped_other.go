//go:build !unix

package mapped

import (
	"io"
	"os"
)

func bytesOf(f *os.File, size int) ([]byte, func() error, error) {
	data := make([]byte, size)
	_, err := io.ReadFull(f, data)
	return data, func() error { return nil }, err
}
