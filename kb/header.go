package kb

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/internal/table"
)

// Version is the version of the file format that this code reads and writes.
const Version = 1

const (
	magic       = "BIOPSYKB"
	headerSize  = 2048
	maxSections = 48
	sectionSize = 40
)

// ErrNotBook means that the file is something else, or is cut short.
var ErrNotBook = errors.New("not a book of software")

// header is the first 2,048 bytes: magic, version u32, number of sections u32, file size u64, built (Unix seconds) i64, SHA-256 of all
// behind the header; from byte 64 the sections: tag (8 bytes, zero-padded), offset u64, size u64, rows u64, CRC-32C u32, 4 bytes zero.
// The last 4 bytes are the CRC-32C of those before. Numbers are little-endian. Readers pass over sections they do not know.
type header struct {
	Size     uint64
	Built    int64
	Digest   [sha256.Size]byte
	Sections []section
}

type section struct {
	Tag                string
	Offset, Size, Rows uint64
	CRC                uint32
}

func (h *header) bytes() []byte {
	b := make([]byte, 0, headerSize)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, Version)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(h.Sections)))
	b = binary.LittleEndian.AppendUint64(b, h.Size)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.Built))
	b = append(b, h.Digest[:]...)
	for _, s := range h.Sections {
		b = append(b, (s.Tag + strings.Repeat("\x00", 8))[:8]...)
		b = binary.LittleEndian.AppendUint64(b, s.Offset)
		b = binary.LittleEndian.AppendUint64(b, s.Size)
		b = binary.LittleEndian.AppendUint64(b, s.Rows)
		b = binary.LittleEndian.AppendUint32(b, s.CRC)
		b = binary.LittleEndian.AppendUint32(b, 0)
	}
	b = b[:headerSize]
	binary.LittleEndian.PutUint32(b[headerSize-4:], table.CRC(b[:headerSize-4]))
	return b
}

func readHeader(data []byte) (*header, error) {
	if len(data) < headerSize || string(data[:8]) != magic {
		return nil, ErrNotBook
	}
	if v := u32(data[8:]); v != Version {
		return nil, rebuild(fmt.Errorf("book of software has format %d, and this biopsy reads %d", v, Version))
	}
	if table.CRC(data[:headerSize-4]) != u32(data[headerSize-4:]) {
		return nil, damaged("checksum of the header is wrong")
	}
	h := &header{Size: u64(data[16:]), Built: int64(u64(data[24:]))}
	copy(h.Digest[:], data[32:64])
	n := u32(data[12:])
	if n > maxSections {
		return nil, damaged("%d sections", n)
	}
	if h.Size != uint64(len(data)) {
		return nil, rebuild(fmt.Errorf("%w: %d bytes long, and its header says %d", ErrNotBook, len(data), h.Size))
	}
	for i := range int(n) {
		b := data[64+i*sectionSize:]
		s := section{Tag: strings.TrimRight(string(b[:8]), "\x00"), Offset: u64(b[8:]), Size: u64(b[16:]), Rows: u64(b[24:]), CRC: u32(b[32:])}
		if s.Offset > h.Size || s.Size > h.Size-s.Offset {
			return nil, damaged("section %q at 0x%x does not fit", s.Tag, s.Offset)
		}
		h.Sections = append(h.Sections, s)
	}
	return h, nil
}

// section returns a section's bytes after checking them, nil when the book has none of that tag.
func (h *header) section(data []byte, tag string) ([]byte, error) {
	s, b := h.unchecked(data, tag)
	if b != nil && table.CRC(b) != s.CRC {
		return nil, damaged("section %s at 0x%x has a wrong checksum", tag, s.Offset)
	}
	return b, nil
}

// unchecked returns a section's bytes without reading them.
func (h *header) unchecked(data []byte, tag string) (section, []byte) {
	for _, s := range h.Sections {
		if s.Tag == tag {
			return s, data[s.Offset : s.Offset+s.Size : s.Offset+s.Size]
		}
	}
	return section{}, nil
}

// contents is the JSON part of a book.
type contents struct {
	Name    string `json:"name"`
	Entries int    `json:"entries"`
}

func (c *contents) parse(b []byte) error {
	if b == nil {
		return damaged("no contents")
	}
	if err := json.Unmarshal(b, c); err != nil {
		return damaged("contents: %v", err)
	}
	return nil
}

func damaged(format string, args ...any) error {
	return rebuild(fmt.Errorf("%w: %s", table.ErrDamaged, fmt.Sprintf(format, args...)))
}

// rebuild tells the user the way out of a book that cannot be used.
func rebuild(err error) error {
	return hint.Add(err, "take another copy, or build the book again with `biopsy kb learn` or `biopsy kb import`")
}

func u16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func u64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
