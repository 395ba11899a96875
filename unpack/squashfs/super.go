package squashfs

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/biopsy-sca/biopsy/internal/codec"
)

// knownMagics are those of Linux, and of vendors: lzma before Linux had it ("shsq", "qshs"), DD-WRT ("tqsh", "hsqt"). Each comes
// in the order of bytes of little-endian and of big-endian images.
var knownMagics = []string{"hsqs", "sqsh", "shsq", "qshs", "hsqt", "tqsh"}

const (
	superSize = 119       // of version 3, the longest
	none      = 1<<64 - 1 // a table that is not there
	noBlock   = 1<<32 - 1 // a fragment that is not there
	metaSize  = 8 << 10   // unpacked bytes of a block of metadata
	dataPlain = 1 << 24   // a data block's length: it is not packed
	metaPlain = 1 << 15   // a metadata block's length: it is not packed
)

// super is the superblock. Of versions before 3 only the version, block size and size are filled.
type super struct {
	order                            binary.ByteOrder
	major, minor                     int
	marked                           bool // version 3: a byte stands between the length of a metadata block and its bytes
	inodes, fragments                uint32
	block                            int64 // bytes of a data block
	blockLog                         uint16
	compression                      uint16
	root                             uint64
	size                             int64
	inodeTable, dirTable, fragTable  uint64
	idTable, xattrTable, exportTable uint64
}

// parseSuper reads a superblock, which may be one of another format; false without magic or bytes.
func parseSuper(b []byte) (super, bool) {
	if len(b) < superSize || !slices.Contains(knownMagics, string(b[:4])) {
		return super{}, false
	}
	s := super{order: binary.LittleEndian}
	s.major, s.minor = int(le.Uint16(b[28:])), int(le.Uint16(b[30:]))
	if s.major > 255 { // 1 to 4 in the other order
		s.order = binary.BigEndian
		s.major, s.minor = int(be.Uint16(b[28:])), int(be.Uint16(b[30:]))
	}
	if s.major != 4 {
		s.old(b)
		return s, true
	}
	s.inodes, s.block, s.fragments = le.Uint32(b[4:]), int64(le.Uint32(b[12:])), le.Uint32(b[16:])
	s.compression, s.blockLog = le.Uint16(b[20:]), le.Uint16(b[22:])
	s.root, s.size = le.Uint64(b[32:]), int64(le.Uint64(b[40:]))
	s.idTable, s.xattrTable = le.Uint64(b[48:]), le.Uint64(b[56:])
	s.inodeTable, s.dirTable, s.fragTable, s.exportTable = le.Uint64(b[64:]), le.Uint64(b[72:]), le.Uint64(b[80:]), le.Uint64(b[88:])
	return s, true
}

var le, be = binary.LittleEndian, binary.BigEndian

// old reads what versions 1 to 3 have in common, as squashfs-tools 3.4 (2008) wrote it.
func (s *super) old(b []byte) {
	s.inodes = s.order.Uint32(b[4:])
	s.block, s.blockLog = int64(s.order.Uint16(b[32:])), s.order.Uint16(b[34:])
	s.size = int64(s.order.Uint32(b[8:]))
	if s.major >= 2 {
		s.block = int64(s.order.Uint32(b[51:]))
	}
	if s.major != 3 {
		return
	}
	s.compression, s.marked = 1, b[36]&4 != 0
	s.root, s.fragments, s.size = s.order.Uint64(b[43:]), s.order.Uint32(b[55:]), int64(s.order.Uint64(b[63:]))
	s.idTable, s.inodeTable, s.dirTable, s.fragTable = s.order.Uint64(b[71:]), s.order.Uint64(b[87:]), s.order.Uint64(b[95:]), s.order.Uint64(b[103:])
}

// sane tells whether the fields of a superblock fit each other.
func (s super) sane() bool {
	switch {
	case s.major < 1 || s.major > 4 || s.minor > 1, s.inodes == 0, s.size <= superSize:
		return false
	case s.block < 4096 || s.block > 1<<20 || bits.OnesCount64(uint64(s.block)) != 1:
		return s.major == 1 && s.block == 32768
	case int(s.blockLog) != bits.TrailingZeros64(uint64(s.block)) && s.major > 1:
		return false
	case s.major < 3:
		return true
	case s.major == 4 && (s.compression < 1 || s.compression > 6 || s.order != binary.ByteOrder(le) || s.minor != 0):
		return false
	}
	end := uint64(s.size)
	if s.inodeTable < 96 || s.inodeTable >= s.dirTable || s.dirTable > end || s.fragments > 0 && s.fragTable >= end {
		return false
	}
	if s.major == 3 { // user ids are optional
		s.idTable = 0
	}
	return s.idTable < end && s.root>>16 < s.dirTable-s.inodeTable && s.root&0xffff < metaSize
}

func (s super) endian() string {
	if s.order == binary.ByteOrder(be) {
		return "big-endian"
	}
	return "little-endian"
}

// packings are the formats by their number in the superblock.
var packings = [...]codec.Format{1: codec.Zlib, codec.LZMA, codec.LZO, codec.XZ, codec.LZ4Block, codec.Zstd}

// packing returns the format of a block: what the superblock says, unless the block begins as nothing but lzma does.
func (s super) packing(b []byte) codec.Format {
	f := packings[s.compression]
	if f != codec.Zlib || len(b) < 2 || b[0]&15 == 8 && (uint(b[0])<<8|uint(b[1]))%31 == 0 {
		return f
	}
	if found := codec.Detect(b); found == codec.XZ {
		return found
	}
	if b[0] < 9*5*5 {
		return codec.LZMA
	}
	return f
}
