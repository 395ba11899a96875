package ext

import (
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy/internal/runs"
)

const (
	modeType    = 0xf000
	modeDir     = 0x4000
	modeRegular = 0x8000
)

const (
	flagCompressed = 0x4
	flagEncrypted  = 0x800
	flagExtents    = 0x80000
	flagInline     = 0x10000000
)

// inode is what one inode says.
type inode struct {
	number  uint32
	offset  int64 // in the image
	mode    uint16
	links   uint16
	size    int64
	flags   uint32
	body    [60]byte // block map, extents or the first bytes of inline data
	extra   []byte   // the rest of an inode with inline data; nil otherwise
	seed    uint32
	sumGood bool
}

func (in *inode) isDir() bool     { return in.mode&modeType == modeDir }
func (in *inode) isRegular() bool { return in.mode&modeType == modeRegular }

// inode reads an inode through r.
func (v *volume) inode(r io.ReaderAt, number uint32) (inode, error) {
	if number == 0 || number > v.inodes {
		return inode{}, fmt.Errorf("inode %d of %d", number, v.inodes)
	}
	table, err := v.inodeTable(r, int64((number-1)/v.inodesPerGroup))
	if err != nil {
		return inode{}, fmt.Errorf("group of inode %d: %w", number, err)
	}
	if table <= 0 || table >= v.blocks {
		return inode{}, fmt.Errorf("inode %d: its table is at block %d of %d", number, table, v.blocks)
	}
	off := table*v.block + int64((number-1)%v.inodesPerGroup)*v.inodeSize
	var small [256]byte
	b := small[:]
	if v.inodeSize > int64(len(small)) {
		b = make([]byte, v.inodeSize)
	}
	b = b[:v.inodeSize]
	if err := readAt(r, b, off); err != nil {
		return inode{}, fmt.Errorf("inode %d: %w", number, err)
	}
	return v.parseInode(b, number, off), nil
}

func (v *volume) inodeTable(r io.ReaderAt, group int64) (int64, error) {
	if group < int64(len(v.inodeTables)) {
		return v.inodeTables[group], nil
	}
	d, err := v.groupDesc(r, group)
	return d.table, err
}

func (v *volume) parseInode(b []byte, number uint32, off int64) inode {
	in := inode{
		number: number, offset: off, mode: le.Uint16(b), links: le.Uint16(b[0x1a:]), flags: le.Uint32(b[0x20:]),
		size: int64(le.Uint32(b[4:])), body: [60]byte(b[0x28:]), seed: v.inodeSeed(number, le.Uint32(b[0x64:])),
	}
	in.size |= int64(le.Uint32(b[0x6c:])) << 32
	if in.flags&flagInline != 0 {
		in.extra = append([]byte(nil), b[128:]...)
	}
	in.sumGood = v.inodeSum(b, in.seed)
	return in
}

// inline returns the bytes that stand in the inode itself: those in place of the map, and the value of the attribute "system.data".
func (in *inode) inline() ([]byte, error) {
	more, err := in.attribute()
	return append(in.body[:len(in.body):len(in.body)], more...), err
}

// attribute finds the value of "system.data" among the attributes behind the inode's fields; nil when there is none.
func (in *inode) attribute() ([]byte, error) {
	if len(in.extra) < 4 {
		return nil, nil
	}
	start := int(le.Uint16(in.extra))
	if start > len(in.extra)-4 || le.Uint32(in.extra[start:]) != 0xea020000 {
		return nil, nil
	}
	b := in.extra[start+4:]
	for at := 0; at+16 <= len(b) && le.Uint32(b[at:]) != 0; {
		e := b[at:]
		nameLen, index, offset, outside, size := int(e[0]), e[1], int(le.Uint16(e[2:])), le.Uint32(e[4:]), le.Uint32(e[8:])
		if nameLen > len(e)-16 {
			break
		}
		if index == 7 && string(e[16:16+nameLen]) == "data" { // 7: "system."
			if outside != 0 || offset > len(b) || int64(size) > int64(len(b)-offset) {
				return nil, fmt.Errorf("inode %d: inline data reaches beyond the inode", in.number)
			}
			return b[offset : offset+int(size)], nil
		}
		at += (16 + nameLen + 3) &^ 3
	}
	return nil, nil
}

// blocksOf finds where the bytes of a file lie. badSum is told the offset of each block of extents whose checksum is wrong.
func (v *volume) blocksOf(in inode, badSum func(at int64)) (*runs.Builder, error) {
	m := mapper{volume: v, in: &in, out: runs.New(v.src, v.size), badSum: badSum}
	m.blocks = (in.size + v.block - 1) / v.block
	if in.size < 0 || in.size > 1<<62 {
		return nil, errors.New("size is negative")
	}
	var err error
	if in.flags&flagExtents != 0 {
		err = m.extents(in.body[:], 0, -1)
	} else {
		err = m.direct()
	}
	if err != nil {
		return nil, fmt.Errorf("inode %d: %w", in.number, err)
	}
	return m.out, nil
}

// mapper collects the blocks of one file.
type mapper struct {
	*volume
	in     *inode
	out    *runs.Builder
	blocks int64 // of the file's size; what is mapped behind is not content
	next   int64 // first logical block not yet seen
	badSum func(at int64)
}

// add takes n blocks of the file from logical block at.
func (m *mapper) add(at, n, block int64) error {
	m.next = at + n
	if n = min(n, m.blocks-at); n <= 0 {
		return nil
	}
	return m.out.Add(at*m.block, n*m.block, block*m.block)
}
