package table

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Sorter sorts more rows than fit in memory: it keeps up to Budget bytes and spills sorted runs to files in Dir.
type Sorter struct {
	Dir    string // where runs go; must exist once more than Budget bytes are added
	Budget int    // bytes of rows kept in memory

	arena []byte
	rows  []row
	runs  []*os.File
}

// row is where one row lies in the arena.
type row struct {
	at         int
	key, value uint32
}

// rowCost is what one row costs beside its bytes.
const rowCost = 16

// Add keeps a copy of the row. Rows of equal key and value are all kept.
func (s *Sorter) Add(key, value []byte) error {
	if len(key) > MaxKey || len(value) > MaxValue {
		return fmt.Errorf("row of %d and %d bytes is too large to sort", len(key), len(value))
	}
	if len(s.rows) > 0 && len(s.arena)+len(key)+len(value)+rowCost*len(s.rows) > s.Budget {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.rows = append(s.rows, row{len(s.arena), uint32(len(key)), uint32(len(value))})
	s.arena = append(append(s.arena, key...), value...)
	return nil
}

// Each yields all rows ordered by key, then value, and forgets them. key and value are valid until yield returns.
func (s *Sorter) Each(yield func(key, value []byte) error) error {
	defer s.Close()
	s.sort()
	if len(s.runs) == 0 {
		for _, r := range s.rows {
			if err := yield(s.key(r), s.value(r)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	s.arena, s.rows = nil, nil
	return merge(s.runs, yield)
}

// Close removes the runs. The sorter is empty afterwards.
func (s *Sorter) Close() error {
	var all []error
	for _, f := range s.runs {
		all = append(all, f.Close(), os.Remove(f.Name()))
	}
	s.runs, s.arena, s.rows = nil, nil, nil
	return errors.Join(all...)
}

func (s *Sorter) key(r row) []byte { return s.arena[r.at : r.at+int(r.key)] }
func (s *Sorter) value(r row) []byte {
	from := r.at + int(r.key)
	return s.arena[from : from+int(r.value)]
}

func (s *Sorter) sort() {
	slices.SortFunc(s.rows, func(a, b row) int {
		if c := bytes.Compare(s.key(a), s.key(b)); c != 0 {
			return c
		}
		return bytes.Compare(s.value(a), s.value(b))
	})
}

// spill writes the rows in memory as one sorted run.
func (s *Sorter) spill() error {
	if len(s.rows) == 0 {
		return nil
	}
	s.sort()
	f, err := os.CreateTemp(s.Dir, "run-*")
	if err != nil {
		return fmt.Errorf("spill rows: %w", err)
	}
	s.runs = append(s.runs, f)
	if err := s.writeRun(f); err != nil {
		return fmt.Errorf("spill rows: %w", err)
	}
	s.arena, s.rows = s.arena[:0], s.rows[:0]
	return nil
}

// runWindow bounds what reading one run back costs in memory: a merge reads all runs at once.
const runWindow = 256 << 10

func (s *Sorter) writeRun(f *os.File) error {
	z, err := zstd.NewWriter(f, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(runWindow))
	if err != nil {
		return err
	}
	var head []byte
	for _, r := range s.rows {
		head = binary.AppendUvarint(binary.AppendUvarint(head[:0], uint64(r.key)), uint64(r.value))
		if _, err := z.Write(head); err != nil {
			return err
		}
		if _, err := z.Write(s.arena[r.at : r.at+int(r.key)+int(r.value)]); err != nil {
			return err
		}
	}
	return z.Close()
}

// merge yields the rows of sorted runs in order.
func merge(runs []*os.File, yield func(key, value []byte) error) error {
	var h runHeap
	defer func() {
		for _, r := range h {
			r.z.Close()
		}
	}()
	for _, f := range runs {
		r, err := openRun(f)
		if err != nil {
			return err
		}
		h = append(h, r)
	}
	heap.Init(&h)
	for len(h) > 0 {
		r := h[0]
		if err := yield(r.key, r.value); err != nil {
			return err
		}
		switch err := r.next(); {
		case err == io.EOF:
			r.z.Close()
			heap.Pop(&h)
		case err != nil:
			return fmt.Errorf("read spilled rows: %w", err)
		default:
			heap.Fix(&h, 0)
		}
	}
	return nil
}

// run reads one spilled run; a run is never empty.
type run struct {
	z          *zstd.Decoder
	in         *bufio.Reader
	key, value []byte
}

func openRun(f *os.File) (*run, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(runWindow))
	if err != nil {
		return nil, err
	}
	r := &run{z: z, in: bufio.NewReaderSize(z, 32<<10)}
	if err := r.next(); err != nil {
		z.Close()
		return nil, fmt.Errorf("read spilled rows: %w", err)
	}
	return r, nil
}

// next reads one row; io.EOF is the clean end.
func (r *run) next() error {
	k, err := binary.ReadUvarint(r.in)
	if err != nil {
		return err
	}
	v, err := binary.ReadUvarint(r.in)
	if err != nil || k > MaxKey || v > MaxValue {
		return errors.Join(io.ErrUnexpectedEOF, err)
	}
	r.key, r.value = slices.Grow(r.key[:0], int(k))[:k], slices.Grow(r.value[:0], int(v))[:v]
	if _, err := io.ReadFull(r.in, r.key); err != nil {
		return errors.Join(io.ErrUnexpectedEOF, err)
	}
	if _, err := io.ReadFull(r.in, r.value); err != nil {
		return errors.Join(io.ErrUnexpectedEOF, err)
	}
	return nil
}

type runHeap []*run

func (h runHeap) Len() int { return len(h) }
func (h runHeap) Less(i, j int) bool {
	if c := bytes.Compare(h[i].key, h[j].key); c != 0 {
		return c < 0
	}
	return bytes.Compare(h[i].value, h[j].value) < 0
}
func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)   { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
