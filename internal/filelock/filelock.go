// Package filelock lets one process at a time change a file that several may want to change.
//
// What comes in: the path of the file. What goes out: a lock on an empty file beside it, which stays there: removing it would let two
// in at once. It never locks the file itself, so readers are not held up. Where the system knows no such locks, nobody waits.
package filelock

import (
	"context"
	"errors"
	"io"
	"time"
)

// errHeld says that another process has the lock.
var errHeld = errors.New("locked by another process")

// pause is how long Take sleeps between two tries.
const pause = 100 * time.Millisecond

// Take waits for the lock on path until ctx ends. waiting is called once when there is something to wait for. The lock ends with
// Close, or with the process.
func Take(ctx context.Context, path string, waiting func()) (io.Closer, error) {
	for told := false; ; told = true {
		lock, err := try(path + ".lock")
		if !errors.Is(err, errHeld) {
			return lock, err
		}
		if !told {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}
