// Package table keeps sorted rows in compressed blocks, made to be read from a memory map.
//
// In: rows of key and value in ascending order of key. Out: a run of blocks and an index of them, looked up by key in microseconds.
// It knows nothing of what the rows mean, holds no state between look-ups, and never trusts a length it reads: damaged bytes give
// errors, never panics or large allocations. The layout is in doc/refdb.md.
package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Bounds of what a table may hold. The writer keeps them, so a reader may refuse what breaks them.
const (
	MaxKey   = 4 << 10  // bytes of one key
	MaxValue = 16 << 20 // bytes of one value
	maxBlock = MaxValue + MaxKey + 64<<10
)

// Sizes between which a buffer for blocks is used again.
const (
	minBuffer  = 32 << 10
	keepBuffer = 1 << 20
)

// castagnoli is the polynomial of CRC-32C, which processors compute by themselves.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// CRC returns the CRC-32C of b.
func CRC(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// ErrDamaged is wrapped by every error that means the bytes are not what was written.
var ErrDamaged = errors.New("damaged table")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// Index entries are fixed: offset u64, packed u32, raw u32, crc u32, end of first key in the key heap u32.
const indexEntry = 24

// Table reads what a Writer wrote. It is safe for concurrent use.
type Table struct {
	data   []byte // the whole file; block offsets count from its start
	index  []byte // blocks x indexEntry
	keys   []byte // first keys of the blocks, one behind the other
	blocks int
	rows   uint64
	dec    *Decoder
	pages  chan *page // blocks that nobody reads any more: a pool that the collector leaves alone
}

// Span says where a table's index is, how long and of what checksum. It is all that a file header has to keep of a table.
type Span struct {
	Offset, Size uint64
	CRC          uint32
	Rows         uint64
}

// Open checks the index at span and returns the table. data must stay as it is while the table is in use.
func Open(data []byte, span Span, dec *Decoder) (*Table, error) {
	if span.Size < 4 || span.Offset > uint64(len(data)) || span.Size > uint64(len(data))-span.Offset {
		return nil, damaged("index at 0x%x does not fit in the file", span.Offset)
	}
	ix := data[span.Offset : span.Offset+span.Size]
	if got := CRC(ix); got != span.CRC {
		return nil, damaged("index at 0x%x has checksum %08x, not %08x", span.Offset, got, span.CRC)
	}
	n := uint64(binary.LittleEndian.Uint32(ix))
	if n > uint64(len(ix)-4)/indexEntry {
		return nil, damaged("index at 0x%x counts %d blocks", span.Offset, n)
	}
	return &Table{data: data, index: ix[4 : 4+n*indexEntry], keys: ix[4+n*indexEntry:], blocks: int(n), rows: span.Rows, dec: dec, pages: make(chan *page, maxPages)}, nil
}

// Decoder unpacks blocks. Tables of one file share it, from any number of goroutines.
type Decoder struct {
	zstd *zstd.Decoder
}

// maxPages are kept for each table: as many as read it side by side.
const maxPages = 8

// page is an unpacked block. Its number is kept: who looks keys up in order finds the next one in the same block.
type page struct {
	block int // -1 when bytes are of none
	bytes []byte
}

// NewDecoder returns a decoder that uses as many processors as there are.
func NewDecoder() (*Decoder, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxBlock), zstd.WithDecodeAllCapLimit(true))
	return &Decoder{zstd: z}, err
}

// Close frees what the decoder keeps. No table may use it afterwards.
func (d *Decoder) Close() { d.zstd.Close() }

// Rows returns how many rows the writer counted.
func (t *Table) Rows() int { return int(t.rows) }

// Prefix yields every row whose key begins with prefix, in order of key. key and value are valid until yield returns. An error of
// yield ends the walk and comes back.
func (t *Table) Prefix(prefix string, yield func(key, value []byte) error) error {
	start, err := t.find(prefix)
	if err != nil {
		return err
	}
	p := t.page()
	defer t.free(p)
	for i := start; i < t.blocks; i++ {
		if i > start {
			first, err := t.firstKey(i)
			if err != nil {
				return err
			}
			if !strings.HasPrefix(string(first), prefix) {
				return nil
			}
		}
		if err := t.turn(p, i); err != nil {
			return err
		}
		if past, err := eachRow(p.bytes, prefix, yield); past || err != nil {
			return err
		}
	}
	return nil
}

// page takes a page that is free, or makes one.
func (t *Table) page() *page {
	select {
	case p := <-t.pages:
		return p
	default:
		return &page{block: -1}
	}
}

// free keeps a page for the next reader; more than maxPages are left to the collector.
func (t *Table) free(p *page) {
	select {
	case t.pages <- p:
	default:
	}
}

// turn makes p the i-th block.
func (t *Table) turn(p *page, i int) (err error) {
	if p.block == i {
		return nil
	}
	p.block = -1
	if p.bytes, err = t.block(i, p.bytes); err == nil {
		p.block = i
	}
	return err
}

// find returns the last block whose first key is not after key: the only one where key can begin.
func (t *Table) find(key string) (int, error) {
	lo, hi := 0, t.blocks
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		first, err := t.firstKey(mid)
		if err != nil {
			return 0, err
		}
		if string(first) <= key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return max(lo-1, 0), nil
}

func (t *Table) firstKey(i int) ([]byte, error) {
	var from uint32
	if i > 0 {
		from = binary.LittleEndian.Uint32(t.index[(i-1)*indexEntry+20:])
	}
	to := binary.LittleEndian.Uint32(t.index[i*indexEntry+20:])
	if from > to || uint64(to) > uint64(len(t.keys)) {
		return nil, damaged("first key of block %d lies outside the index", i)
	}
	return t.keys[from:to], nil
}

// block unpacks the i-th block into buf's memory when it fits, and returns it. A large buffer is not kept for a small block.
func (t *Table) block(i int, buf []byte) ([]byte, error) {
	e := t.index[i*indexEntry:]
	offset, packed := binary.LittleEndian.Uint64(e), uint64(binary.LittleEndian.Uint32(e[8:]))
	raw, crc := binary.LittleEndian.Uint32(e[12:]), binary.LittleEndian.Uint32(e[16:])
	if cap(buf) < int(raw) || cap(buf) > keepBuffer {
		buf = nil
	}
	if offset > uint64(len(t.data)) || packed > uint64(len(t.data))-offset || raw > maxBlock {
		return nil, damaged("block %d at 0x%x does not fit", i, offset)
	}
	in := t.data[offset : offset+packed]
	if got := CRC(in); got != crc {
		return nil, damaged("block %d at 0x%x has checksum %08x, not %08x", i, offset, got, crc)
	}
	if buf == nil {
		buf = make([]byte, 0, max(1<<bits.Len32(raw), minBuffer)) // room for the next block, which may be a little larger
	}
	out, err := t.dec.zstd.DecodeAll(in, buf[:0:raw])
	if err != nil {
		return nil, damaged("block %d at 0x%x: %v", i, offset, err)
	}
	if len(out) != int(raw) {
		return nil, damaged("block %d at 0x%x unpacks to %d bytes, not %d", i, offset, len(out), raw)
	}
	return buf[:raw], nil // out, with the room behind it: it was unpacked in place
}

// eachRow yields the rows of one block that begin with prefix; past tells that a later key was seen.
func eachRow(block []byte, prefix string, yield func(key, value []byte) error) (past bool, err error) {
	key := make([]byte, 0, 64)
	for len(block) > 0 {
		var shared, suffix, size uint64
		if shared, block, err = length(block, uint64(len(key))); err != nil {
			return false, err
		}
		if suffix, block, err = length(block, MaxKey); err != nil || suffix > uint64(len(block)) {
			return false, damaged("key runs out of its block")
		}
		key = append(key[:shared], block[:suffix]...)
		if size, block, err = length(block[suffix:], MaxValue); err != nil || size > uint64(len(block)) {
			return false, damaged("value runs out of its block")
		}
		value := block[:size:size]
		block = block[size:]
		if strings.HasPrefix(string(key), prefix) {
			if err := yield(key, value); err != nil {
				return false, err
			}
		} else if string(key) > prefix {
			return true, nil
		}
	}
	return false, nil
}

// length reads a uvarint of at most max.
func length(b []byte, max uint64) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 || v > max {
		return 0, nil, damaged("a length in a block is wrong")
	}
	return v, b[n:], nil
}
