//go:build !unix

package spool

import "os"

// lockDir cannot lock here: a directory of the same process is taken, any other counts as in use and is never removed.
func lockDir(dir string) (*os.File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		return nil, errInUse
	}
	return os.Open(os.DevNull)
}
