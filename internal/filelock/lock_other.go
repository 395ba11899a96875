//go:build !unix

package filelock

import (
	"io"
	"strings"
)

func try(string) (io.Closer, error) { return io.NopCloser(strings.NewReader("")), nil }
