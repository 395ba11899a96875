package scan

import (
	"context"
	"fmt"

	"github.com/biopsy-sca/biopsy"
)

// watched is a content that can be read no longer than the walk goes on: who reads, unpacks or hashes terabytes stops with it.
type watched struct {
	biopsy.Content
	ctx context.Context
}

// watchedLocal is a watched file of the operating system.
type watchedLocal struct {
	watched
	biopsy.LocalPath
}

func watch(ctx context.Context, c biopsy.Content) biopsy.Content {
	if local, ok := c.(biopsy.LocalPath); ok {
		return watchedLocal{watched{c, ctx}, local}
	}
	return watched{c, ctx}
}

func (w watched) ReadAt(p []byte, off int64) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Content.ReadAt(p, off)
}

// Data makes it biopsy.Sparse where what is under it is.
func (w watched) Data(off int64) int64 {
	if s, ok := w.Content.(biopsy.Sparse); ok {
		return s.Data(off)
	}
	return off
}

// survive turns a panic into an error. Readers must not panic, and many stand on foreign modules: one that does all the same costs
// what it was reading, in a gap that says so, and not the scan.
func survive(read func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the reader broke down, please report it: %v", p)
		}
	}()
	return read()
}
