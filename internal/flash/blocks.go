package flash

import (
	"cmp"
	"container/heap"
	"errors"
	"io"
	"slices"
	"sort"
	"sync"
)

// Block is a run of bytes of a file that is kept in one piece on flash.
type Block struct {
	Off  int64  // in the file
	Size int64  // bytes of the file it still holds
	Skip int64  // unpacked bytes before them, that newer blocks replace
	Full int64  // unpacked bytes of the whole piece
	Ref  uint64 // where it is on flash, in the file system's own words
	Age  uint64 // higher is newer
}

// Overlay returns what can be seen of blocks that lie over each other: sorted, apart from each other, cut at size.
func Overlay(blocks []Block, size int64) []Block {
	slices.SortFunc(blocks, func(a, b Block) int { return cmp.Or(cmp.Compare(a.Off, b.Off), cmp.Compare(a.Age, b.Age)) })
	blocks = slices.DeleteFunc(blocks, func(b Block) bool { return b.Size <= 0 || b.Off < 0 || b.Off >= size })
	if apart(blocks) {
		if n := len(blocks); n > 0 {
			blocks[n-1].Size = min(blocks[n-1].Size, size-blocks[n-1].Off)
		}
		return blocks
	}
	var seen []Block
	var alive newest
	for i, at := 0, int64(0); i < len(blocks) || len(alive) > 0; {
		if len(alive) == 0 {
			at = max(at, blocks[i].Off)
		}
		for ; i < len(blocks) && blocks[i].Off <= at; i++ {
			heap.Push(&alive, blocks[i])
		}
		top := alive[0]
		end := min(top.Off+top.Size, size)
		if end <= at {
			heap.Pop(&alive)
			continue
		}
		if i < len(blocks) {
			end = min(end, blocks[i].Off)
		}
		seen = appendCut(seen, top, at, end)
		at = end
	}
	return seen
}

// apart tells whether sorted blocks do not overlap.
func apart(blocks []Block) bool {
	for i := 1; i < len(blocks); i++ {
		if blocks[i].Off < blocks[i-1].Off+blocks[i-1].Size {
			return false
		}
	}
	return true
}

// appendCut adds the part of b between from and to, to its own last part when that ends there.
func appendCut(seen []Block, b Block, from, to int64) []Block {
	if n := len(seen); n > 0 && seen[n-1].Ref == b.Ref && seen[n-1].Age == b.Age && seen[n-1].Off+seen[n-1].Size == from {
		seen[n-1].Size += to - from
		return seen
	}
	b.Skip += from - b.Off
	b.Off, b.Size = from, to-from
	return append(seen, b)
}

// newest is a heap with the newest block on top.
type newest []Block

func (h newest) Len() int           { return len(h) }
func (h newest) Less(i, j int) bool { return h[i].Age > h[j].Age }
func (h newest) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *newest) Push(b any)        { *h = append(*h, b.(Block)) }
func (h *newest) Pop() any {
	old := *h
	b := old[len(old)-1]
	*h = old[:len(old)-1]
	return b
}

// recent is how many unpacked blocks an open file remembers.
const recent = 8

// Content is a file made of blocks, which are unpacked when they are read. What no block covers reads as zeros.
type Content struct {
	size   int64
	blocks []Block
	unpack func(b Block, dst []byte) error

	mu    sync.Mutex
	cache [recent]unpacked
	next  int
}

type unpacked struct {
	ref   uint64
	bytes []byte
}

// NewContent returns a file of size bytes. blocks are as Overlay returns them; unpack fills dst, which has b.Full bytes, and may
// be called from several goroutines.
func NewContent(size int64, blocks []Block, unpack func(b Block, dst []byte) error) *Content {
	return &Content{size: size, blocks: blocks, unpack: unpack}
}

// Size returns the file's bytes.
func (c *Content) Size() int64 { return c.size }

// Close does nothing: the image belongs to others.
func (c *Content) Close() error { return nil }

// ReadAt makes Content an io.ReaderAt.
func (c *Content) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	if off >= c.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > c.size-off
	if short {
		p = p[:c.size-off]
	}
	n, err := c.fill(p, off)
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

func (c *Content) fill(p []byte, off int64) (n int, err error) {
	i := sort.Search(len(c.blocks), func(i int) bool { return c.blocks[i].Off+c.blocks[i].Size > off })
	for n < len(p) {
		at := off + int64(n)
		rest := p[n:]
		if i == len(c.blocks) || c.blocks[i].Off > at {
			if i < len(c.blocks) {
				rest = rest[:min(int64(len(rest)), c.blocks[i].Off-at)]
			}
			clear(rest)
			n += len(rest)
			continue
		}
		b := c.blocks[i]
		rest = rest[:min(int64(len(rest)), b.Off+b.Size-at)]
		if err := c.read(b, rest, b.Skip+at-b.Off); err != nil {
			return n, err
		}
		n += len(rest)
		i++
	}
	return n, nil
}

// read copies unpacked bytes of a block from skip on. A block that is wanted whole goes straight to where it is wanted.
func (c *Content) read(b Block, p []byte, skip int64) error {
	if skip == 0 && int64(len(p)) == b.Full {
		return c.unpack(b, p)
	}
	c.mu.Lock()
	for _, u := range c.cache {
		if u.ref == b.Ref && int64(len(u.bytes)) == b.Full {
			c.mu.Unlock()
			copy(p, u.bytes[skip:])
			return nil
		}
	}
	c.mu.Unlock()
	u := unpacked{b.Ref, make([]byte, b.Full)}
	if err := c.unpack(b, u.bytes); err != nil {
		return err
	}
	c.mu.Lock()
	c.cache[c.next] = u
	c.next = (c.next + 1) % recent
	c.mu.Unlock()
	copy(p, u.bytes[skip:])
	return nil
}
