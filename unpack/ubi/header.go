package ubi

import (
	"encoding/binary"

	"github.com/biopsy-sca/biopsy/internal/flash"
)

var be = binary.BigEndian

// headerSize is that of both headers of an erase block.
const headerSize = 64

// eraseHeader stands at the start of each erase block.
type eraseHeader struct {
	volumeAt, dataAt int64  // offsets of the second header and of the data in the block
	image            uint32 // a random number of the image; 0 when its maker did not set one
}

func parseErase(b []byte) (eraseHeader, bool) {
	if len(b) < headerSize || be.Uint32(b) != 0x55424923 || b[4] != 1 || flash.CRC1(b[:60]) != be.Uint32(b[60:]) {
		return eraseHeader{}, false
	}
	h := eraseHeader{volumeAt: int64(be.Uint32(b[16:])), dataAt: int64(be.Uint32(b[20:])), image: be.Uint32(b[24:])}
	// Block sizes end at 16 MiB; the headers fit into some pages.
	return h, h.volumeAt >= headerSize && h.dataAt >= h.volumeAt+headerSize && h.dataAt <= 1<<20
}

// usual is the commonest size of erase blocks by where their headers are: 64 pages, whose size is the second header's offset, or that of
// the data where it shares a page with the first; 64 KiB at least.
func (h eraseHeader) usual() int64 {
	page := h.volumeAt
	if h.dataAt != 2*page {
		page = h.dataAt
	}
	return max(64*page, 64<<10)
}

// volumeHeader tells which logical block of which volume an erase block holds.
type volumeHeader struct {
	volume, block     uint32
	sequence          uint64
	static, copied    bool
	dataSize, dataCRC uint32 // of the data; set for static volumes and copies
	used              uint32 // logical blocks of a static volume
	pad               uint32 // bytes at the end of each block that are not used, for alignment
}

func parseVolume(b []byte) (volumeHeader, bool) {
	if len(b) < headerSize || be.Uint32(b) != 0x55424921 || b[4] != 1 || flash.CRC1(b[:60]) != be.Uint32(b[60:]) {
		return volumeHeader{}, false
	}
	return volumeHeader{
		static: b[5] == 2, copied: b[6] == 1, volume: be.Uint32(b[8:]), block: be.Uint32(b[12:]), dataSize: be.Uint32(b[20:]),
		used: be.Uint32(b[24:]), pad: be.Uint32(b[28:]), dataCRC: be.Uint32(b[32:]), sequence: be.Uint64(b[40:]),
	}, true
}

// Volumes of UBI itself have ids from firstInternal on; the first of them holds the volume table.
const firstInternal = 0x7fffefff

// recordSize is that of an entry of the volume table, of which there are at most maxVolumes.
const (
	recordSize = 172
	maxVolumes = 128
)

// record is an entry of the volume table.
type record struct {
	name     string
	reserved uint32 // logical blocks; 0 is a free entry
	static   bool
	updating bool // an update of the volume was begun and not ended
}

// parseTable reads a copy of the volume table; false when an entry fails its checksum.
func parseTable(b []byte) ([]record, bool) {
	var table []record
	for len(b) >= recordSize && len(table) < maxVolumes {
		e := b[:recordSize]
		b = b[recordSize:]
		if flash.CRC1(e[:168]) != be.Uint32(e[168:]) {
			return table, false
		}
		n := min(int(be.Uint16(e[14:])), 128)
		table = append(table, record{reserved: be.Uint32(e), static: e[12] == 2, updating: e[13] != 0, name: string(e[16 : 16+n])})
	}
	return table, len(table) > 0
}
