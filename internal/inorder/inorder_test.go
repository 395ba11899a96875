package inorder

import (
	"context"
	"errors"
	"runtime"
	"testing"
)

func count(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func TestDo(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		next := 0
		err := Do(context.Background(), workers, count(1000), func(i int) int {
			if i%3 == 0 {
				runtime.Gosched()
			}
			return i * i
		}, func(got int) error {
			if want := next * next; got != want {
				t.Fatalf("%d workers: got %d, want %d", workers, got, want)
			}
			next++
			return nil
		})
		if err != nil || next != 1000 {
			t.Fatalf("%d workers: got %d items and %v, want 1000 and nil", workers, next, err)
		}
	}
}

// TestDoEnds: an error and a cancelled context end the work, and nothing runs on.
func TestDoEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	full := errors.New("full")
	got := 0
	err := Do(context.Background(), 3, count(1<<30), func(i int) int { return i }, func(int) error {
		if got++; got == 10 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || got != 10 {
		t.Errorf("got %v behind %d items, want %v behind 10", err, got, full)
	}
	ctx, cancel := context.WithCancel(context.Background())
	err = Do(ctx, 3, count(1<<30), func(i int) int { return i }, func(i int) error {
		if i == 10 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("got %d goroutines, want %d", after, before)
	}
}
