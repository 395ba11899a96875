package scan

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

var buffers = sync.Pool{New: func() any { return new([smallFile]byte) }}

// memory is a small file read whole; the walk closes what is under it.
type memory struct{ *bytes.Reader }

func (m memory) Size() int64  { return m.Reader.Size() }
func (m memory) Close() error { return nil }

// localMemory is memory whose bytes are also a file of the operating system.
type localMemory struct {
	memory
	biopsy.LocalPath
}

// front returns the first bytes of c, and c itself or, when it is small, its bytes in memory. headOnly reads no more than the head.
// free gives the buffer back; neither content nor head may be used after it.
func front(ctx context.Context, c biopsy.Content, headOnly bool) (content biopsy.Content, head []byte, free func()) {
	buf := buffers.Get().(*[smallFile]byte)
	free = func() { buffers.Put(buf) }
	want := c.Size()
	whole := want <= smallFile && !headOnly
	if !whole {
		want = min(want, headSize)
	}
	n, err := c.ReadAt(buf[:want], 0)
	head = buf[:min(n, headSize)]
	if !whole || int64(n) < want || (err != nil && err != io.EOF) {
		return watch(ctx, c), head, free
	}
	m := memory{bytes.NewReader(buf[:n])}
	if local, ok := c.(biopsy.LocalPath); ok {
		return localMemory{m, local}, head, free
	}
	return m, head, free
}

// treeSum is the digest of a directory tree: SHA-256 over "path NUL digest NUL" of its files in the order of the walk. Files
// arrive in any order; those ahead of their turn wait.
type treeSum struct {
	mu   sync.Mutex
	next int
	wait map[int]string
	last string // digest of the file added last: that of a tree of one file
	h    interface {
		io.Writer
		Sum([]byte) []byte
	}
}

func newTreeSum() *treeSum { return &treeSum{wait: map[int]string{}, h: sha256.New()} }

// add takes the digest of the file of that number; one that was not read has neither path nor digest.
func (s *treeSum) add(seq int, path, digest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = digest
	s.wait[seq] = path + "\x00" + digest
	for {
		line, ok := s.wait[s.next]
		if !ok {
			return
		}
		delete(s.wait, s.next)
		s.next++
		io.WriteString(s.h, line+"\x00")
	}
}

func (s *treeSum) String() string { return "tree-sha256:" + hex.EncodeToString(s.h.Sum(nil)) }
