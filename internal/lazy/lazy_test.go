package lazy

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
)

func TestCacheMakesOnce(t *testing.T) {
	c := NewCache(1 << 20)
	var made atomic.Int64
	started, finish := make(chan bool), make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		b, err := c.Block(7, func() ([]byte, error) {
			made.Add(1)
			close(started)
			<-finish
			return []byte("seven"), nil
		}, nil)
		if string(b) != "seven" || err != nil {
			t.Errorf("got %q, %v", b, err)
		}
	})
	<-started
	again := func() ([]byte, error) { made.Add(1); return nil, nil }
	b, err := c.Block(7, again, func() { close(finish) })
	if string(b) != "seven" || err != nil {
		t.Errorf("who waits: got %q, %v", b, err)
	}
	wg.Wait()
	c.Prepare(7, again)
	if b, err := c.Block(7, again, func() { t.Error("meanwhile was called for a block that is there") }); string(b) != "seven" || err != nil {
		t.Errorf("later: got %q, %v", b, err)
	}
	if made.Load() != 1 {
		t.Errorf("made %d times, want 1", made.Load())
	}
}

func TestCachePrepare(t *testing.T) {
	c := NewCache(1 << 20)
	c.Prepare(1, func() ([]byte, error) { return []byte("one"), nil })
	b, err := c.Block(1, func() ([]byte, error) { return nil, errors.New("made again") }, nil)
	if string(b) != "one" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestCacheForgetsTheOldest(t *testing.T) {
	c := NewCache(1000)
	made := map[int64]int{}
	get := func(key int64) {
		c.Block(key, func() ([]byte, error) { made[key]++; return make([]byte, 400), nil }, nil)
	}
	for _, key := range []int64{1, 2, 1, 3, 1, 2} { // 3 drives 2 out, for 1 was used behind it
		get(key)
	}
	if made[1] != 1 || made[2] != 2 || made[3] != 1 {
		t.Errorf("made %v, want 1 once, 2 twice, 3 once", made)
	}
	c.Block(4, func() ([]byte, error) { return make([]byte, 5000), nil }, nil)
	if c.recent.Len() != 1 || c.used != 5000 || len(c.blocks) != 1 {
		t.Errorf("a block larger than the room: %d blocks of %d bytes, want it alone", c.recent.Len(), c.used)
	}
}

func TestCacheKeepsErrors(t *testing.T) {
	c, n, want := NewCache(1000), 0, errors.New("damaged")
	for range 2 {
		if _, err := c.Block(1, func() ([]byte, error) { n++; return nil, want }, nil); err != want {
			t.Errorf("got %v", err)
		}
	}
	if n != 1 {
		t.Errorf("made %d times, want 1", n)
	}
}

func TestContent(t *testing.T) {
	want := append(append([]byte("abcdefghij"), make([]byte, 10)...), "klmnopqrst"...)
	c := &Content{Length: 25, At: func(off int64) ([]byte, int64, error) {
		if off/10 == 1 {
			return nil, 20 - off, nil
		}
		return want[off : off/10*10+10], 0, nil
	}}
	got, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	if err != nil || !bytes.Equal(got, want[:25]) {
		t.Errorf("got %q, %v", got, err)
	}
	for off := range int64(26) {
		for n := range 27 {
			b := make([]byte, n)
			k, err := c.ReadAt(b, off)
			if right := min(int64(n), 25-off); int64(k) != right || !bytes.Equal(b[:k], want[off:off+right]) || (k < n) != (err == io.EOF) {
				t.Fatalf("%d bytes at %d: got %d, %v", n, off, k, err)
			}
		}
	}
	if _, err := c.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("a negative offset is read")
	}
	stuck := &Content{Length: 5, At: func(int64) ([]byte, int64, error) { return nil, 0, nil }}
	if _, err := stuck.ReadAt(make([]byte, 1), 0); err != io.ErrNoProgress {
		t.Errorf("no bytes and no hole: got %v", err)
	}
}

func TestBytes(t *testing.T) {
	b := Bytes("abcde")
	got, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
	if err != nil || string(got) != "abcde" {
		t.Errorf("got %q, %v", got, err)
	}
	if n, err := b.ReadAt(make([]byte, 3), 3); n != 2 || err != io.EOF {
		t.Errorf("over the end: got %d, %v", n, err)
	}
	if _, err := b.ReadAt(nil, -1); err == nil {
		t.Error("a negative offset is read")
	}
}
