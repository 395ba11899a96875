package table

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Writer writes one table to a file that may hold others. The same rows give the same bytes.
type Writer struct {
	out    *Counter
	target int // raw bytes after which a block is closed
	enc    *Encoder
	block  []byte
	packed []byte
	last   []byte
	first  []byte // first key of the open block
	index  []byte
	keys   []byte
	blocks uint32
	rows   uint64
}

// Counter counts what passes, so that a table knows its offsets.
type Counter struct {
	W io.Writer
	N uint64 // bytes written so far: the offset in the file of the next one
}

// Write implements io.Writer.
func (c *Counter) Write(p []byte) (int, error) {
	n, err := c.W.Write(p)
	c.N += uint64(n)
	return n, err
}

// Encoder packs blocks. Tables of one file share it, one after the other.
type Encoder struct{ zstd *zstd.Encoder }

// NewEncoder returns an encoder.
func NewEncoder() (*Encoder, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	return &Encoder{z}, err
}

// NewWriter returns a writer whose blocks hold about target bytes before compression.
func NewWriter(out *Counter, target int, enc *Encoder) *Writer {
	return &Writer{out: out, target: target, enc: enc}
}

// Add appends one row. Keys must come in ascending order and differ.
func (w *Writer) Add(key, value []byte) error {
	switch {
	case len(key) > MaxKey || len(value) > MaxValue:
		return fmt.Errorf("row of %d and %d bytes is too large for a table", len(key), len(value))
	case w.rows > 0 && bytes.Compare(key, w.last) <= 0:
		return fmt.Errorf("row %q comes after %q", key, w.last)
	}
	shared := 0
	if len(w.block) == 0 {
		w.first = append(w.first[:0], key...)
	} else {
		shared = sharedPrefix(w.last, key)
	}
	w.block = binary.AppendUvarint(w.block, uint64(shared))
	w.block = binary.AppendUvarint(w.block, uint64(len(key)-shared))
	w.block = append(w.block, key[shared:]...)
	w.block = binary.AppendUvarint(w.block, uint64(len(value)))
	w.block = append(w.block, value...)
	w.last = append(w.last[:0], key...)
	w.rows++
	if len(w.block) >= w.target {
		return w.flush()
	}
	return nil
}

// Close writes the rest and the index, and returns where the index is.
func (w *Writer) Close() (Span, error) {
	if err := w.flush(); err != nil {
		return Span{}, err
	}
	ix := binary.LittleEndian.AppendUint32(nil, w.blocks)
	ix = append(append(ix, w.index...), w.keys...)
	span := Span{Offset: w.out.N, Size: uint64(len(ix)), CRC: CRC(ix), Rows: w.rows}
	_, err := w.out.Write(ix)
	return span, err
}

func (w *Writer) flush() error {
	if len(w.block) == 0 {
		return nil
	}
	w.packed = w.enc.zstd.EncodeAll(w.block, w.packed[:0])
	w.keys = append(w.keys, w.first...)
	w.index = binary.LittleEndian.AppendUint64(w.index, w.out.N)
	w.index = binary.LittleEndian.AppendUint32(w.index, uint32(len(w.packed)))
	w.index = binary.LittleEndian.AppendUint32(w.index, uint32(len(w.block)))
	w.index = binary.LittleEndian.AppendUint32(w.index, CRC(w.packed))
	w.index = binary.LittleEndian.AppendUint32(w.index, uint32(len(w.keys)))
	w.blocks++
	w.block = w.block[:0]
	_, err := w.out.Write(w.packed)
	return err
}

func sharedPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
