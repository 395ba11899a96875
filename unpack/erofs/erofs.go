// Package erofs opens EROFS images, the read-only file systems of Android and of newer small devices.
//
// What comes in: an image with compact and extended inodes; files as they are, with their end beside the inode, in chunks, or packed
// by lz4, lzma, deflate or zstd in clusters of any size, with ends in the inode or in the packed file. What goes out: its regular
// files, hard links under each name, read and unpacked when they are opened. It never yields links or devices and never reads
// extended attributes. Bytes on other devices, and the 48-bit layout of 2025, stay unseen, with a gap.
//
// The format is that of Linux, fs/erofs/erofs_fs.h (6.12, 2024).
package erofs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
	"github.com/biopsy-sca/biopsy/internal/ledger"
)

// Image opens EROFS images.
var Image = biopsy.Unpacker{
	Name: "erofs",
	Match: func(_ biopsy.File, head []byte) bool {
		if len(head) < superAt+superSize {
			return false
		}
		s := parseSuper(head[superAt:])
		return s.sane()
	},
	Magics: []biopsy.Magic{{Bytes: []byte(magic), At: superAt}},
	Extent: extent,
	Unpack: unpack,
}

const (
	magic     = "\xe2\xe1\xf5\xe0"
	superAt   = 1024
	superSize = 128
)

// Features that an image must not have without us knowing them.
const (
	zeroPadding = 0x1  // lz4 data stands at the end of its cluster
	bigCluster  = 0x2  // packed clusters of more than one block
	known       = 0x7f // up to the prefixes of extended attributes' names
	checked     = 0x1  // a compatible one: the superblock has a check sum
)

var le = binary.LittleEndian

// super is the superblock.
type super struct {
	head       bool // the magic was there
	compatible uint32
	features   uint32
	sum        uint32
	bits       uint // of a block's size
	rootNode   uint64
	inodes     uint64
	blocks     int64
	metaBlock  int64
	packedNode uint64
	dirBits    uint8
}

func parseSuper(b []byte) super {
	return super{
		head: string(b[:4]) == magic, sum: le.Uint32(b[4:]), compatible: le.Uint32(b[8:]), bits: uint(b[12]),
		rootNode: uint64(le.Uint16(b[14:])), inodes: le.Uint64(b[16:]), blocks: int64(le.Uint32(b[36:])), metaBlock: int64(le.Uint32(b[40:])),
		features: le.Uint32(b[80:]), dirBits: b[90], packedNode: le.Uint64(b[96:]),
	}
}

func (s super) size() int64 { return s.blocks << s.bits }

// sane tells whether the fields fit each other.
func (s super) sane() bool {
	return s.head && s.bits >= 9 && s.bits <= 16 && s.inodes > 0 && s.blocks > 0 && s.metaBlock < s.blocks && s.dirBits == 0 &&
		s.size() >= superAt+superSize && (s.metaBlock<<s.bits)+int64(s.rootNode)*32+32 <= s.size()
}

// extent believes a superblock that has the right check sum, or none.
func extent(c io.ReaderAt, off, max int64) (int64, bool) {
	var b [superSize]byte
	if n, _ := c.ReadAt(b[:], off+superAt); n < len(b) {
		return 0, false
	}
	s := parseSuper(b[:])
	if !s.sane() || s.size() > max {
		return 0, false
	}
	if s.compatible&checked != 0 && !s.sumFits(c, off) {
		return 0, false
	}
	return s.size(), true
}

// sumFits checks the block that the superblock stands in, from the superblock on.
func (s super) sumFits(c io.ReaderAt, off int64) bool {
	size := 1 << s.bits
	if size > superAt {
		size -= superAt
	}
	b := make([]byte, size)
	if n, _ := c.ReadAt(b, off+superAt); n < len(b) {
		return false
	}
	clear(b[4:8])
	return ^crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) == s.sum
}

func unpack(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	var b [superSize]byte
	if n, err := c.ReadAt(b[:], superAt); n < len(b) {
		return fmt.Errorf("superblock: %w", missing(err))
	}
	s := parseSuper(b[:])
	if !s.sane() {
		return errors.New("superblock: not of an erofs image")
	}
	if short := s.size() - c.Size(); short > 0 {
		u.Gap(biopsy.Gap{Reason: fmt.Sprintf("the image is cut off: %d of %d bytes are missing", short, s.size()), Size: short})
	}
	if odd := s.features &^ known; odd != 0 {
		u.Gap(biopsy.Gap{Reason: fmt.Sprintf("erofs with features %#x: not read", odd), Size: s.size()})
		return s.account(c, u, "", biopsy.BytesUnknown)
	}
	i := &image{super: s, UnpackOptions: u, ctx: ctx, c: c, end: min(s.size(), c.Size()), datas: lazy.NewCache(dataRoom), seen: map[uint64]bool{}}
	err := i.walk()
	return errors.Join(err, s.account(c, u, "inodes and files", biopsy.BytesParsed))
}

// account says what the bytes of an image are: inodes and files stand mixed.
func (s super) account(c biopsy.Content, u biopsy.UnpackOptions, what string, kind biopsy.ByteKind) error {
	if u.Ledger == nil {
		return nil
	}
	spans, err := ledger.Complete(c, []biopsy.Span{
		{Size: superAt, Status: biopsy.BytesPadding, What: "boot sector"},
		{Offset: superAt, Size: superSize, Status: biopsy.BytesParsed, What: "superblock"},
		{Offset: superAt + superSize, Size: s.size() - superAt - superSize, Status: kind, What: what},
	})
	if err != nil {
		return err
	}
	u.Ledger(spans)
	return nil
}

// missing is the error for bytes that are not there.
func missing(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
