package ext

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

var le = binary.LittleEndian

const (
	superAt   = 1024
	superSize = 1024
	rootInode = 2
)

// Incompatible features: who does not know one must not read, says the format.
const (
	incompatRecover    = 0x4
	incompatJournalDev = 0x8
	incompatMetaBG     = 0x10
	incompat64         = 0x80
	incompatSumSeed    = 0x2000
	incompatFiletype   = 0x2
	// incompatKnown are, besides those above: compression 0x1, extents 0x40, mmp 0x100, flex_bg 0x200, ea_inode 0x400, dirdata 0x1000,
	// largedir 0x4000, inline_data 0x8000, encrypt 0x10000, casefold 0x20000.
	incompatKnown = 0x3f7df
)

// Features that older programs may read, but not write.
const (
	roSparseSuper = 0x1
	roGroupSum    = 0x10
	roBigalloc    = 0x200
	roMetaSum     = 0x400
)

// compatSparseSuper2 says that two groups, or fewer, hold a copy of the superblock.
const compatSparseSuper2 = 0x200

// super is what the superblock says.
type super struct {
	block           int64 // bytes, 1024 to 65536
	blocks          int64 // of the whole file system, at most 2^48
	first           int64 // block of the superblock: 1 when blocks have 1 KiB, else 0
	blocksPerGroup  int64
	groups          int64
	inodes          uint32
	inodesPerGroup  uint32
	inodeSize       int64
	descSize        int64
	firstMetaBG     int64
	group           uint16    // 0; other in the copies of the superblock
	backups         [2]uint32 // the groups with a copy under sparse_super2
	uuid            [16]byte
	seed            uint32 // of the checksums
	compat          uint32
	incompat, ro    uint32
	clusterPerGroup int64
	sums            bool // metadata has checksums
	sumGood         bool // true also when there is none
}

// parseSuper reads a superblock and checks what every mkfs keeps to.
func parseSuper(b []byte) (super, error) {
	if len(b) < superSize || le.Uint16(b[0x38:]) != 0xef53 {
		return super{}, errors.New("no superblock")
	}
	shift, rev := le.Uint32(b[0x18:]), le.Uint32(b[0x4c:])
	if shift > 6 || rev > 1 {
		return super{}, fmt.Errorf("superblock: block size 2^%d KiB, revision %d", shift, rev)
	}
	s := super{
		block: 1024 << shift, blocks: int64(le.Uint32(b[0x4:])), first: int64(le.Uint32(b[0x14:])),
		blocksPerGroup: int64(le.Uint32(b[0x20:])), clusterPerGroup: int64(le.Uint32(b[0x24:])),
		inodes: le.Uint32(b), inodesPerGroup: le.Uint32(b[0x28:]), inodeSize: 128, descSize: 32,
		group: le.Uint16(b[0x5a:]), firstMetaBG: int64(le.Uint32(b[0x104:])), uuid: [16]byte(b[0x68:]),
		backups: [2]uint32{le.Uint32(b[0x24c:]), le.Uint32(b[0x250:])},
	}
	if rev == 1 {
		s.compat, s.incompat, s.ro = le.Uint32(b[0x5c:]), le.Uint32(b[0x60:]), le.Uint32(b[0x64:])
		s.inodeSize = int64(le.Uint16(b[0x58:]))
	}
	if s.incompat&incompat64 != 0 {
		s.blocks |= int64(le.Uint32(b[0x150:])) << 32
		s.descSize = int64(le.Uint16(b[0xfe:]))
	}
	s.checksum(b)
	return s, s.check()
}

func (s *super) checksum(b []byte) {
	s.sums, s.sumGood = s.ro&roMetaSum != 0, true
	s.seed = crc32c(^uint32(0), s.uuid[:])
	if s.incompat&incompatSumSeed != 0 {
		s.seed = le.Uint32(b[0x270:])
	}
	if s.sums {
		s.sumGood = crc32c(^uint32(0), b[:0x3fc]) == le.Uint32(b[0x3fc:])
	}
}

// check refuses what cannot be a file system, and counts its groups.
func (s *super) check() error {
	perGroup := s.blocksPerGroup
	if s.ro&roBigalloc != 0 {
		perGroup = s.clusterPerGroup
	}
	wantFirst := s.block == 1024 && s.ro&roBigalloc == 0
	switch {
	case s.blocks <= s.first, s.blocks >= 1<<48, s.first > 1, s.first == 1 != wantFirst:
		return fmt.Errorf("superblock: %d blocks from block %d", s.blocks, s.first)
	case s.blocksPerGroup < 256, s.blocksPerGroup%8 != 0, perGroup <= 0, perGroup > 8*s.block:
		return fmt.Errorf("superblock: %d blocks in a group", s.blocksPerGroup)
	case s.inodeSize < 128, s.inodeSize > s.block, s.inodeSize&(s.inodeSize-1) != 0:
		return fmt.Errorf("superblock: inodes of %d bytes", s.inodeSize)
	case s.descSize < 32, s.descSize > s.block, s.descSize&(s.descSize-1) != 0, s.incompat&incompat64 != 0 && s.descSize < 64:
		return fmt.Errorf("superblock: group descriptors of %d bytes", s.descSize)
	case s.inodesPerGroup == 0, int64(s.inodesPerGroup) > 8*s.block:
		return fmt.Errorf("superblock: %d inodes in a group", s.inodesPerGroup)
	}
	s.groups = (s.blocks - s.first + s.blocksPerGroup - 1) / s.blocksPerGroup
	if s.incompat&incompatJournalDev == 0 && s.groups*int64(s.inodesPerGroup) != int64(s.inodes) {
		return fmt.Errorf("superblock: %d inodes in %d groups of %d", s.inodes, s.groups, s.inodesPerGroup)
	}
	return nil
}

// volume is an image being read. It does not change once its groups are known.
type volume struct {
	super
	inodeTables []int64 // first block of each group's table; groups behind the last are asked for
	src         io.ReaderAt
	size        int64 // bytes there are; fewer than the superblock says when the image was cut off
}

// groupDesc is what the descriptor of a block group says.
type groupDesc struct {
	offset  int64
	bitmap  int64 // block
	table   int64 // block of the inode table
	flags   uint16
	sumGood bool
}

// groupBlockUninit says that the group's block bitmap was never written.
const groupBlockUninit = 2

// groupDesc reads the descriptor of group g through r.
func (v *volume) groupDesc(r io.ReaderAt, g int64) (groupDesc, error) {
	perBlock := v.block / v.descSize
	meta := g / perBlock
	block := superAt/v.block + 1 + meta
	if v.incompat&incompatMetaBG != 0 && meta >= v.firstMetaBG {
		block = v.first + meta*perBlock*v.blocksPerGroup
		if v.hasSuper(meta*perBlock) || v.first == 0 && v.block == 1024 && meta == 0 {
			block++
		}
	}
	d := groupDesc{offset: block*v.block + g%perBlock*v.descSize}
	var full [64]byte
	b := full[:min(v.descSize, 64)]
	if err := readAt(r, b, d.offset); err != nil {
		return d, err
	}
	d.bitmap, d.table, d.flags = int64(le.Uint32(b)), int64(le.Uint32(b[8:])), le.Uint16(b[0x12:])
	if len(b) == 64 {
		d.bitmap |= int64(le.Uint32(b[0x20:])) << 32
		d.table |= int64(le.Uint32(b[0x28:])) << 32
	}
	d.sumGood = v.descSize > 64 || v.descSum(b, uint32(g))
	return d, nil
}

// hasSuper tells whether group g begins with a copy of the superblock.
func (v *volume) hasSuper(g int64) bool {
	switch {
	case g == 0:
		return true
	case v.compat&compatSparseSuper2 != 0:
		return g == int64(v.backups[0]) || g == int64(v.backups[1])
	case v.ro&roSparseSuper == 0, g == 1:
		return true
	}
	for _, base := range [...]int64{3, 5, 7} {
		n := base
		for n < g {
			n *= base
		}
		if n == g {
			return true
		}
	}
	return false
}

// readAt fills b, or says where the image ends.
func readAt(r io.ReaderAt, b []byte, off int64) error {
	if off < 0 {
		return fmt.Errorf("offset %d is beyond any image", off)
	}
	if n, err := r.ReadAt(b, off); n < len(b) {
		return fmt.Errorf("at offset %d: %w", off, short(err))
	}
	return nil
}

// short words the end of an image as one that came too early.
func short(err error) error {
	if err == io.EOF || err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// window reads through a buffer that holds the neighbourhood of what was read last. One goroutine uses it.
type window struct {
	src  io.ReaderAt
	size int64
	at   int64
	n    int
	buf  [16 << 10]byte
}

// ReadAt makes window an io.ReaderAt.
func (w *window) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || len(p) > len(w.buf)/2 {
		return w.src.ReadAt(p, off)
	}
	if off < w.at || off+int64(len(p)) > w.at+int64(w.n) {
		w.at = off &^ 4095
		n, err := w.src.ReadAt(w.buf[:], w.at)
		if w.n = n; off+int64(len(p)) > w.at+int64(n) {
			w.n = 0
			return 0, short(err)
		}
	}
	return copy(p, w.buf[off-w.at:w.n]), nil
}
