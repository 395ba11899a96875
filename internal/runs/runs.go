// Package runs shows bytes that lie scattered in a larger content as one content.
//
// What comes in: runs of bytes, in the order of the file they make up. What goes out: biopsy.Content that reads them where they are.
// It never copies or keeps the bytes themselves, and holes cost nothing.
package runs

import (
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/biopsy-sca/biopsy"
)

// MaxRuns bounds the memory of one content to 32 bytes times this; a file of 4 GB whose 4 KiB blocks all lie apart has a million.
const MaxRuns = 4 << 20

// Hole is the source offset of bytes that are stored nowhere.
const Hole = -1

// run is one run of bytes.
type run struct {
	at   int64   // offset in the content
	size int64   // bytes
	from int64   // offset in the source, or Hole
	fill [4]byte // what a hole repeats, from the run's beginning
}

// Builder collects the runs of one content.
type Builder struct {
	src     io.ReaderAt
	srcSize int64
	runs    []run
}

// New returns a builder of content that lies in src, of srcSize bytes.
func New(src io.ReaderAt, srcSize int64) *Builder { return &Builder{src: src, srcSize: srcSize} }

// Add appends size bytes at offset at of the content, that stand at offset from of the source. What is left out between runs
// reads as zeros. Runs come in order and do not overlap.
func (b *Builder) Add(at, size, from int64) error {
	if from < 0 || size < 0 || from > b.srcSize || size > b.srcSize-from {
		return fmt.Errorf("%d bytes at offset %d lie beyond the end of %d", size, from, b.srcSize)
	}
	return b.add(run{at: at, size: size, from: from})
}

// Fill appends size bytes at offset at that repeat a pattern.
func (b *Builder) Fill(at, size int64, pattern [4]byte) error {
	if pattern == [4]byte{} {
		return nil
	}
	return b.add(run{at: at, size: size, from: Hole, fill: pattern})
}

func (b *Builder) add(r run) error {
	if r.size == 0 {
		return nil
	}
	if n := len(b.runs); n > 0 {
		last := &b.runs[n-1]
		switch end := last.at + last.size; {
		case r.at < end:
			return fmt.Errorf("two runs overlap at offset %d", r.at)
		case r.at == end && r.from >= 0 && last.from >= 0 && last.from+last.size == r.from:
			last.size += r.size
			return nil
		case n >= MaxRuns:
			return errors.New("in more pieces than we keep track of")
		}
	}
	if r.at < 0 || r.size < 0 || r.at+r.size < r.at {
		return fmt.Errorf("run of %d bytes at offset %d", r.size, r.at)
	}
	b.runs = append(b.runs, r)
	return nil
}

// Content returns the content, cut or filled up with zeros to size bytes. The source must stay open while it is read.
func (b *Builder) Content(size int64) *Content {
	return &Content{src: b.src, runs: b.runs, size: size}
}

// Each tells the runs that lie in the source, for a ledger.
func (b *Builder) Each(f func(from, size int64)) {
	for _, r := range b.runs {
		if r.from >= 0 {
			f(r.from, r.size)
		}
	}
}

// Content is a biopsy.Content. It may be read from several goroutines when its source may.
type Content struct {
	src  io.ReaderAt
	runs []run
	size int64
}

var _ biopsy.Content = (*Content)(nil)

// Size returns the content's size in bytes.
func (c *Content) Size() int64 { return c.size }

// Close closes nothing: the source belongs to whoever opened it.
func (c *Content) Close() error { return nil }

// ReadAt makes Content an io.ReaderAt: one read of the source for each run, zeros for holes.
func (c *Content) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	if off >= c.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > c.size-off {
		p, end = p[:c.size-off], io.EOF
	}
	n := 0
	i := sort.Search(len(c.runs), func(i int) bool { return c.runs[i].at+c.runs[i].size > off })
	for ; n < len(p); i++ {
		at := off + int64(n)
		if i == len(c.runs) || c.runs[i].at > at {
			hole := p[n:]
			if i < len(c.runs) {
				hole = hole[:min(int64(len(hole)), c.runs[i].at-at)]
			}
			clear(hole)
			if n += len(hole); n == len(p) {
				break
			}
			at = off + int64(n)
		}
		k, err := c.runs[i].read(c.src, p[n:], at)
		if n += k; err != nil {
			return n, err
		}
	}
	return n, end
}

// read fills the beginning of p with what the run holds at offset at of the content.
func (r *run) read(src io.ReaderAt, p []byte, at int64) (int, error) {
	skip := at - r.at
	p = p[:min(int64(len(p)), r.size-skip)]
	if r.from < 0 {
		for i := range p {
			p[i] = r.fill[(skip+int64(i))&3]
		}
		return len(p), nil
	}
	n, err := src.ReadAt(p, r.from+skip)
	if n == len(p) {
		return n, nil
	}
	if err == io.EOF || err == nil {
		err = io.ErrUnexpectedEOF
	}
	return n, fmt.Errorf("at offset %d: %w", r.from+skip+int64(n), err)
}

// Size returns how many bytes the runs so far make up.
func (b *Builder) Size() int64 {
	if len(b.runs) == 0 {
		return 0
	}
	last := b.runs[len(b.runs)-1]
	return last.at + last.size
}
