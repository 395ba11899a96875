package flashtest

import (
	"context"
	"sync"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

// Together opens all members at the same time, and compares what is read with what one reader alone gets.
func Together(t testing.TB, u biopsy.Unpacker, c biopsy.Content) {
	t.Helper()
	want := Unpack(u, c)
	var wait sync.WaitGroup
	var mu sync.Mutex
	err := u.Unpack(context.Background(), biopsy.File{Path: "image.bin"}, c, biopsy.UnpackOptions{
		Gap: func(biopsy.Gap) {},
		Yield: func(f biopsy.File) error {
			for range 2 {
				wait.Go(func() {
					if got := digest(f, 1<<40); got != want.Files[f.Path] {
						mu.Lock()
						defer mu.Unlock()
						t.Errorf("%s: got %s, want %s", f.Path, got, want.Files[f.Path])
					}
				})
			}
			return nil
		},
	})
	wait.Wait()
	if err != nil {
		t.Error(err)
	}
}
