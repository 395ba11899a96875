// Package spool keeps bytes that came as a stream until somebody has read them at any offset.
//
// What comes in: readers. What goes out: biopsy.Content, in memory up to 1 MiB, above that in a temporary file under one
// private directory per run. It never keeps more than its total, and it never leaves a directory behind: Close removes the
// own one, Open removes those of runs that crashed.
package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/biopsy-sca/biopsy"
)

// DefaultTotal bounds the temporary files of one run together: as much as DefaultLimits let one artifact unpack.
const DefaultTotal = 64 << 30

// inMemory is the size up to which contents stay in memory.
const inMemory = 1 << 20

// Spool is a biopsy.Spool. It may be used from several goroutines.
type Spool struct {
	parent string
	total  int64
	onDisk atomic.Int64 // bytes in temporary files not yet closed

	mu     sync.Mutex
	dir    string   // "" until the first content goes to disk
	lock   *os.File // held while dir is in use
	closed bool
}

// Open returns a spool whose directory will be made in parent ("" is the system's folder for temporary files) and removes
// directories of crashed runs there. total bounds the bytes on disk at any time; 0 is no bound.
func Open(parent string, total int64) (*Spool, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	if err := sweep(parent); err != nil {
		return nil, fmt.Errorf("remove stale spools in %s: %w", parent, err)
	}
	return &Spool{parent: parent, total: total}, nil
}

// Keep copies r, which may hold at most max bytes (0: only the spool's total bounds it).
func (s *Spool) Keep(r io.Reader, max int64) (biopsy.Content, error) {
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	n, err := readUpTo(r, *scratch)
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case max != 0 && int64(n) > max:
		return nil, tooLarge(max)
	case err == io.EOF:
		return memory(append([]byte(nil), (*scratch)[:n]...)), nil
	}
	return s.keepOnDisk(r, *scratch, max)
}

// readUpTo fills b as far as r goes. Unlike io.ReadFull it hands on r's own error: io.EOF is an end, and
// io.ErrUnexpectedEOF a stream that broke off.
func readUpTo(r io.Reader, b []byte) (n int, err error) {
	for idle := 0; n < len(b) && err == nil; {
		var k int
		k, err = r.Read(b[n:])
		n += k
		if idle++; k > 0 {
			idle = 0
		}
		if idle > 100 {
			err = io.ErrNoProgress
		}
	}
	return n, err
}

var scratches = sync.Pool{New: func() any { b := make([]byte, inMemory+1); return &b }}

// keepOnDisk writes start, and what r still holds, to a temporary file.
func (s *Spool) keepOnDisk(r io.Reader, start []byte, max int64) (biopsy.Content, error) {
	f, err := s.create()
	if err != nil {
		return nil, err
	}
	c := &disk{spool: s, f: f}
	if err := c.fill(r, start, max); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// create makes an empty file in the private directory, which it makes first when there is none.
func (s *Spool) create() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("spool: %w", os.ErrClosed)
	}
	if s.dir == "" {
		dir, lock, err := claim(s.parent)
		if err != nil {
			return nil, fmt.Errorf("make a spool in %s: %w", s.parent, err)
		}
		s.dir, s.lock = dir, lock
	}
	return os.CreateTemp(s.dir, "")
}

// Close removes the private directory. Contents on disk may not be used afterwards.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.dir == "" {
		return nil
	}
	err := os.RemoveAll(s.dir)
	s.dir = ""
	return errors.Join(err, s.lock.Close())
}

func tooLarge(max int64) error {
	return fmt.Errorf("content is larger than the limit of %d bytes", max)
}

// Bytes returns b as Content.
func Bytes(b []byte) biopsy.Content { return memory(b) }

type memory []byte

func (m memory) ReadAt(p []byte, off int64) (int, error) {
	switch {
	case off < 0:
		return 0, errors.New("negative offset")
	case off >= int64(len(m)):
		return 0, io.EOF
	}
	n := copy(p, m[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m memory) Size() int64  { return int64(len(m)) }
func (m memory) Close() error { return nil }

// disk is a content in a temporary file.
type disk struct {
	spool  *Spool
	f      *os.File
	size   int64
	closed atomic.Bool
}

// fill copies start and then r, a piece at a time, so that neither max nor the spool's total is passed by more than a piece.
func (d *disk) fill(r io.Reader, start []byte, max int64) error {
	piece, end := start, error(nil)
	for {
		d.size += int64(len(piece))
		used := d.spool.onDisk.Add(int64(len(piece)))
		switch {
		case end != nil && end != io.EOF:
			return end
		case max != 0 && d.size > max:
			return tooLarge(max)
		case d.spool.total != 0 && used > d.spool.total:
			return fmt.Errorf("temporary files are larger than the limit of %d bytes", d.spool.total)
		}
		if _, err := d.f.Write(piece); err != nil {
			return err
		}
		if end == io.EOF {
			return nil
		}
		var n int
		n, end = readUpTo(r, start)
		piece = start[:n]
	}
}

func (d *disk) ReadAt(p []byte, off int64) (int, error) { return d.f.ReadAt(p, off) }
func (d *disk) Size() int64                             { return d.size }

// LocalPath makes the content a biopsy.LocalPath.
func (d *disk) LocalPath() string { return filepath.Clean(d.f.Name()) }

// Close removes the file. A second Close does nothing.
func (d *disk) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	d.spool.onDisk.Add(-d.size)
	err := errors.Join(d.f.Close(), os.Remove(d.f.Name()))
	if errors.Is(err, os.ErrNotExist) {
		return nil // the spool was closed first
	}
	return err
}
