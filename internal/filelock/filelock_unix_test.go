//go:build unix

package filelock

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func TestTake(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book")
	first, err := Take(context.Background(), path, func() { t.Error("the first waits") })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := Take(ctx, path, func() {}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second: got %v", err)
	}
	waits := 0
	third, err := Take(context.Background(), path, func() {
		waits++
		if err := first.Close(); err != nil {
			t.Error(err)
		}
	})
	if err != nil || waits != 1 {
		t.Fatalf("the third: got %v after being told %d times to wait", err, waits)
	}
	if err := third.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Take(context.Background(), filepath.Join(path, "none", "x"), func() {}); err == nil {
		t.Error("a lock in a folder that is none")
	}
}
