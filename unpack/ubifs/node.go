package ubifs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/flash"
)

var le = binary.LittleEndian

// The kinds of node.
const (
	nodeInode    = 0
	nodeData     = 1
	nodeName     = 2
	nodeTruncate = 4
	nodePadding  = 5
	nodeSuper    = 6
	nodeMaster   = 7
	nodeRef      = 8
	nodeIndex    = 9
	nodeCommit   = 10
)

// Sizes of nodes, before names, data and branches.
const (
	headerSize   = 24
	superSize    = 4096
	masterSize   = 512
	refSize      = 64
	indexSize    = 28
	inodeSize    = 160
	dataSize     = 48
	nameSize     = 56
	truncateSize = 56
	paddingSize  = 28
)

const (
	magic         = 0x06101831
	rootInode     = 1
	blockSize     = 4096
	maxData       = dataSize + 2*blockSize // what Linux takes for a data node
	flagEncrypted = 0x40
)

// super is the superblock: the layout of the volume.
type super struct {
	block, blocks int64 // size and number of logical erase blocks
	minIO         int64
	logs          uint32 // blocks of the log, from firstLog on
	main          uint32 // the first block of files and index
}

// Blocks before the log: the superblock, and two copies of the master node.
const (
	masterBlock = 1
	firstLog    = 3
)

// parseSuper reads and checks the superblock.
func parseSuper(b []byte) (super, bool) {
	if len(b) < superSize || !isNode(b[:superSize]) || b[20] != nodeSuper {
		return super{}, false
	}
	minIO, block, blocks := le.Uint32(b[32:]), le.Uint32(b[36:]), le.Uint32(b[40:])
	logs, tree, orphans := le.Uint32(b[56:]), le.Uint32(b[60:]), le.Uint32(b[64:])
	const most = 1 << 24
	switch {
	case block < 8<<10 || block > 16<<20 || block%8 != 0, minIO < 8 || minIO > block || minIO&(minIO-1) != 0:
		return super{}, false
	case blocks < 8 || blocks > most, logs < 2 || logs > blocks, tree > blocks, orphans > blocks, b[27] != 0:
		return super{}, false
	}
	return super{int64(block), int64(blocks), int64(minIO), logs, firstLog + logs + tree + orphans}, true
}

// isNode compares magic, length and checksum of a node that takes all of b.
func isNode(b []byte) bool {
	return len(b) >= headerSize && le.Uint32(b) == magic && int64(le.Uint32(b[16:])) == int64(len(b)) && flash.CRC1(b[8:]) == le.Uint32(b[4:])
}

// leaf is where a node of an inode is.
type leaf struct {
	seq         uint64 // of the node; 0 for data and inodes out of the index, which are older than the journal
	inum, block uint32 // block of the file; isInode is the inode itself
	lnum, offs  uint32 // logical erase block, and offset in it
}

const isInode = 1<<32 - 1

func (l leaf) String() string { return fmt.Sprintf("block %d offset %d", l.lnum, l.offs) }

func (v *volume) at(l leaf) int64 { return int64(l.lnum)*v.block + int64(l.offs) }

// node reads a node of a kind that has at least least bytes.
func (v *volume) node(lnum, offs, size uint32, kind byte, least int) ([]byte, error) {
	if int64(size) < int64(least) || int64(offs)+int64(size) > v.block || int64(lnum)*v.block+int64(offs)+int64(size) > v.size {
		return nil, fmt.Errorf("node of %d bytes at block %d offset %d does not fit", size, lnum, offs)
	}
	b := make([]byte, size)
	if n, err := v.content.ReadAt(b, int64(lnum)*v.block+int64(offs)); n < len(b) {
		return nil, fmt.Errorf("node at block %d offset %d: %w", lnum, offs, err)
	}
	if !isNode(b) || b[20] != kind {
		return nil, fmt.Errorf("node at block %d offset %d fails its checks", lnum, offs)
	}
	return b, nil
}

// inode is what an inode node says.
type inode struct {
	seq         uint64
	size        int64
	mode, flags uint32
	links       uint32
}

func parseInode(b []byte) inode {
	return inode{seq: le.Uint64(b[8:]), size: int64(le.Uint64(b[48:]) & (1<<62 - 1)), links: le.Uint32(b[92:]), mode: le.Uint32(b[104:]), flags: le.Uint32(b[108:])}
}

func (v *volume) inode(l leaf) (inode, error) {
	var head [headerSize]byte
	if n, err := v.content.ReadAt(head[:], v.at(l)); n < len(head) {
		return inode{}, fmt.Errorf("inode %d at %v: %w", l.inum, l, err)
	}
	b, err := v.node(l.lnum, l.offs, le.Uint32(head[16:]), nodeInode, inodeSize)
	if err != nil {
		return inode{}, fmt.Errorf("inode %d: %w", l.inum, err)
	}
	if le.Uint32(b[24:]) != l.inum {
		return inode{}, fmt.Errorf("inode %d at %v is another", l.inum, l)
	}
	return parseInode(b), nil
}

var dataNodes = sync.Pool{New: func() any { return new([maxData]byte) }}

// unpack reads one data node. What a block does not hold reads as zeros.
func (v *volume) unpack(b flash.Block, dst []byte) error {
	l := leaf{lnum: uint32(b.Ref >> 32), offs: uint32(b.Ref)}
	buf := dataNodes.Get().(*[maxData]byte)
	defer dataNodes.Put(buf)
	n, err := v.dataNode(l, buf[:])
	if err == nil {
		n, err = plain(dst, buf[:n])
	}
	if err != nil {
		return fmt.Errorf("data at %v: %w", l, err)
	}
	clear(dst[n:])
	return nil
}

// dataNode reads a data node into buf and returns its length. Most are no larger than a block.
func (v *volume) dataNode(l leaf, buf []byte) (int, error) {
	room := min(int64(len(buf)), v.block-int64(l.offs), v.size-v.at(l))
	first := min(room, dataSize+blockSize)
	if first < dataSize {
		return 0, io.ErrUnexpectedEOF
	}
	if n, err := v.content.ReadAt(buf[:first], v.at(l)); int64(n) < first {
		return 0, err
	}
	size := int64(le.Uint32(buf[16:]))
	if size < dataSize || size > room {
		return 0, fmt.Errorf("node of %d bytes", size)
	}
	if size > first {
		if n, err := v.content.ReadAt(buf[first:size], v.at(l)+first); int64(n) < size-first {
			return 0, err
		}
	}
	if !isNode(buf[:size]) || buf[20] != nodeData {
		return 0, errors.New("node fails its checks")
	}
	return int(size), nil
}

// plain unpacks the data of a node.
func plain(dst, node []byte) (int, error) {
	size, method := le.Uint32(node[40:]), le.Uint16(node[44:])
	if int64(size) > int64(len(dst)) {
		return 0, fmt.Errorf("block of %d bytes", size)
	}
	dst, src := dst[:size], node[dataSize:]
	var n int
	var err error
	switch method {
	case 0:
		n = copy(dst, src)
	case 1:
		n, err = codec.Block(codec.LZO, dst, src)
	case 2:
		n, err = codec.Block(codec.Deflate, dst, src)
	case 3:
		n, err = codec.Block(codec.Zstd, dst, src)
	default:
		return 0, fmt.Errorf("packed by method %d, which we do not know", method)
	}
	if err == nil && n < len(dst) {
		err = fmt.Errorf("unpacks to %d bytes instead of %d", n, len(dst))
	}
	return n, err
}
