// Package lazy unpacks the blocks of a file only when somebody reads them.
//
// What comes in: functions that make blocks. What goes out: the blocks, each made once however many ask for it at the same time
// and kept while there is room, and files put together from them. It never reads ahead by itself and starts no goroutine.
package lazy

import (
	"container/list"
	"sync"
)

// Cache keeps the blocks that were asked for last. It may be used from several goroutines.
type Cache struct {
	room int64 // bytes

	mu     sync.Mutex
	blocks map[int64]*list.Element
	recent *list.List // of *block, the last used first
	used   int64      // bytes of all that are done
}

// NewCache returns a cache that holds about room bytes.
func NewCache(room int64) *Cache {
	return &Cache{room: room, blocks: map[int64]*list.Element{}, recent: list.New()}
}

type block struct {
	key   int64
	ready chan struct{} // closed when bytes and err are set
	bytes []byte
	err   error
	size  int64 // what the cache counts; 0 while it is being made
}

// least is what every block counts at least, for keeping it costs something too.
const least = 128

// Block returns the block of a key; make is called when the cache does not hold it. While another goroutine makes it, meanwhile is
// called once instead of waiting at once (nil: wait). Errors are kept as blocks are. Nobody may change the bytes.
func (c *Cache) Block(key int64, make func() ([]byte, error), meanwhile func()) ([]byte, error) {
	b, mine := c.claim(key)
	if mine {
		c.fill(b, make)
	}
	if meanwhile != nil {
		select {
		case <-b.ready:
		default:
			meanwhile()
		}
	}
	<-b.ready
	return b.bytes, b.err
}

// Prepare makes a block unless it is there or being made.
func (c *Cache) Prepare(key int64, make func() ([]byte, error)) {
	c.mu.Lock()
	_, there := c.blocks[key]
	c.mu.Unlock()
	if there {
		return
	}
	if b, mine := c.claim(key); mine {
		c.fill(b, make)
	}
}

// claim returns the block of a key, and whether the caller has to make it.
func (c *Cache) claim(key int64) (b *block, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.blocks[key]; ok {
		c.recent.MoveToFront(e)
		return e.Value.(*block), false
	}
	b = &block{key: key, ready: make(chan struct{})}
	c.blocks[key] = c.recent.PushFront(b)
	return b, true
}

func (c *Cache) fill(b *block, make func() ([]byte, error)) {
	defer close(b.ready)
	b.bytes, b.err = make()
	c.mu.Lock()
	defer c.mu.Unlock()
	b.size = max(int64(cap(b.bytes)), least)
	c.used += b.size
	for e := c.recent.Back(); e != nil && c.used > c.room; {
		old, prev := e.Value.(*block), e.Prev()
		if old.size > 0 && old != b {
			c.used -= old.size
			c.recent.Remove(e)
			delete(c.blocks, old.key)
		}
		e = prev
	}
}
