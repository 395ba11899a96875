// Package inorder does work on all processors and hands on what became of it in the order of the work.
//
// What comes in: a sequence of items. What goes out: one result for each, in order. It holds no more than a few items per worker at a
// time, and no goroutine of it outlives a call.
package inorder

import (
	"context"
	"iter"
	"sync"
)

// Do takes items in the calling goroutine's stead, works on them in workers goroutines and delivers in the caller's own. It ends at the
// first error of deliver, with ctx, or behind the last item; the sequence is then told to stop and may be read no more.
func Do[In, Out any](ctx context.Context, workers int, items iter.Seq[In], work func(In) Out, deliver func(Out) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	todo, order := make(chan *job[In, Out]), make(chan *job[In, Out], 2*workers)
	for range workers {
		all.Go(func() {
			for j := range todo {
				j.out = work(j.in)
				close(j.done)
			}
		})
	}
	all.Go(func() {
		defer close(order)
		defer close(todo)
		for in := range items {
			j := &job[In, Out]{in: in, done: make(chan struct{})}
			if !send(ctx, order, j) || !send(ctx, todo, j) {
				return
			}
		}
	})
	for j := range order {
		select {
		case <-j.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := deliver(j.out); err != nil {
			return err
		}
	}
	return ctx.Err()
}

type job[In, Out any] struct {
	in   In
	out  Out
	done chan struct{}
}

func send[T any](ctx context.Context, to chan<- T, v T) bool {
	select {
	case to <- v:
		return true
	case <-ctx.Done():
		return false
	}
}
