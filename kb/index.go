package kb

import (
	"encoding/binary"
	"math/bits"
)

// Index is one kind of trait, with an index of its own.
type Index int

// The indexes.
const (
	Traits   Index = iota // texts and names of compiled files: internal/traits
	Tables                // constants of compiled files
	Versions              // texts in front of a version: VersionTrait
	Classes               // of Java: ClassTrait
	Archives              // of Java archives: the sum of their members
	Indexes               // how many there are
)

var indexTags = [Indexes]string{"traits", "tables", "versions", "classes", "archives"}

// index finds the set of units of a trait: a directory of 2^bits+1 row numbers u32 by the first bits of the hash, then for each row the
// next 32 bits of the hash u32, ascending in each bucket, then for each row the offset of its set in 3 or 4 bytes. Its first 8 bytes
// are bits u8, width of an offset u8, 2 bytes zero, and the number of rows u32.
type index struct {
	bits  int
	width int
	rows  int
	dir   []byte
	rests []byte
	sets  []byte
}

const indexHead = 8

func openIndex(b []byte) (index, error) {
	if len(b) == 0 {
		return index{}, nil
	}
	if len(b) < indexHead {
		return index{}, damaged("index of %d bytes", len(b))
	}
	x := index{bits: int(b[0]), width: int(b[1]), rows: int(u32(b[4:]))}
	if x.bits < 16 || x.bits > 30 || x.width != 3 && x.width != 4 {
		return index{}, damaged("index of %d bits and offsets of %d bytes", x.bits, x.width)
	}
	dir := 4 * (1<<x.bits + 1)
	if len(b) != indexHead+dir+x.rows*(4+x.width) {
		return index{}, damaged("index of %d rows has %d bytes", x.rows, len(b))
	}
	x.dir, b = b[indexHead:indexHead+dir], b[indexHead+dir:]
	x.rests, x.sets = b[:4*x.rows], b[4*x.rows:]
	return x, nil
}

// find returns the offset of a trait's set.
func (x *index) find(hash uint64) (uint32, bool) {
	if x.rows == 0 {
		return 0, false
	}
	bucket, rest := x.split(hash & hashMask)
	lo, hi := u32(x.dir[4*bucket:]), u32(x.dir[4*bucket+4:])
	if hi > uint32(x.rows) {
		return 0, false // damaged
	}
	for i := lo; i < hi; i++ {
		switch r := u32(x.rests[4*i:]); {
		case r == rest:
			return x.set(int(i)), true
		case r > rest:
			return 0, false
		}
	}
	return 0, false
}

func (x *index) split(hash uint64) (bucket uint64, rest uint32) {
	return hash >> (64 - x.bits), uint32(hash << x.bits >> 32)
}

func (x *index) set(i int) uint32 {
	at := x.sets[i*x.width:]
	if x.width == 4 {
		return u32(at)
	}
	return uint32(at[0]) | uint32(at[1])<<8 | uint32(at[2])<<16
}

// each yields every row; the hash lacks its last bits, which the index does not keep.
func (x *index) each(yield func(hash uint64, set uint32) error) error {
	if x.rows == 0 {
		return nil
	}
	for bucket := range 1 << x.bits {
		lo, hi := u32(x.dir[4*bucket:]), u32(x.dir[4*bucket+4:])
		if lo > hi || hi > uint32(x.rows) {
			return damaged("bucket %d of an index has rows %d to %d of %d", bucket, lo, hi, x.rows)
		}
		for i := lo; i < hi; i++ {
			hash := uint64(bucket)<<(64-x.bits) | uint64(u32(x.rests[4*i:]))<<32>>x.bits
			if err := yield(hash, x.set(int(i))); err != nil {
				return err
			}
		}
	}
	return nil
}

// row is one trait while an index is written.
type row struct {
	hash uint64
	set  uint32
}

// appendIndex writes an index of rows that are sorted by hash.
func appendIndex(b []byte, rows []row) []byte {
	x := index{bits: max(bits.Len(uint(len(rows)))-4, 16), width: 3} // sixteen rows a bucket; with fewer bits the rest would not keep 48
	for _, r := range rows {
		if r.set >= 1<<24 {
			x.width = 4
		}
	}
	b = append(b, byte(x.bits), byte(x.width), 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(rows)))
	at := 0
	for bucket := range uint64(1<<x.bits + 1) {
		for at < len(rows) && rows[at].hash>>(64-x.bits) < bucket {
			at++
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(at))
	}
	for _, r := range rows {
		_, rest := x.split(r.hash)
		b = binary.LittleEndian.AppendUint32(b, rest)
	}
	for _, r := range rows {
		b = append(b, byte(r.set), byte(r.set>>8), byte(r.set>>16))
		if x.width == 4 {
			b = append(b, byte(r.set>>24))
		}
	}
	return b
}
