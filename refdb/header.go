package refdb

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/internal/table"
)

// Version is the version of the file format that this code reads and writes.
const Version = 2

const (
	magic      = "BIOPSYRB"
	headerSize = 512
	maxMeta    = 16 << 20 // a book of ten thousand feeds has far less
)

// rebuild tells the user the way out of a book that cannot be used.
func rebuild(err error) error {
	return hint.Add(err, "build the book again with `biopsy db import` or `biopsy db update`")
}

// ErrNotBook means that the file is something else, or is cut short.
var ErrNotBook = errors.New("not a book of advisories")

// header is the first 512 bytes: magic, version u32, 4 bytes zero, file size u64, built (Unix seconds) i64, SHA-256 of all behind
// the header, the contents (JSON) as offset u64, size u64, crc u32, then six tables as offset u64, size u64, rows u64, crc u32, then the times of reading (JSON) like the contents.
// The last 4 bytes are the CRC-32C of those before. Numbers are little-endian.
type header struct {
	Size   uint64
	Built  int64
	Digest [sha256.Size]byte
	Meta   table.Span
	Tables [6]table.Span // packages, ids, records, exploits, synonyms, lifecycles
	Reads  table.Span    // JSON behind all else, outside the digest
}

func (h *header) bytes() []byte {
	b := make([]byte, 0, headerSize)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, Version)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, h.Size)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.Built))
	b = append(b, h.Digest[:]...)
	for _, s := range h.spans() {
		b = binary.LittleEndian.AppendUint64(b, s.Offset)
		b = binary.LittleEndian.AppendUint64(b, s.Size)
		b = binary.LittleEndian.AppendUint64(b, s.Rows)
		b = binary.LittleEndian.AppendUint32(b, s.CRC)
	}
	b = b[:headerSize]
	binary.LittleEndian.PutUint32(b[headerSize-4:], table.CRC(b[:headerSize-4]))
	return b
}

// spans lists all parts of the file in the order of the header.
func (h *header) spans() []*table.Span {
	out := []*table.Span{&h.Meta}
	for i := range h.Tables {
		out = append(out, &h.Tables[i])
	}
	return append(out, &h.Reads)
}

func readHeader(data []byte) (*header, error) {
	if len(data) < headerSize || string(data[:8]) != magic {
		return nil, ErrNotBook
	}
	if v := binary.LittleEndian.Uint32(data[8:]); v != Version {
		return nil, rebuild(fmt.Errorf("book of advisories has format %d, and this biopsy reads %d", v, Version))
	}
	if crc := table.CRC(data[:headerSize-4]); crc != binary.LittleEndian.Uint32(data[headerSize-4:]) {
		return nil, rebuild(fmt.Errorf("%w: checksum of the header is wrong", table.ErrDamaged))
	}
	h := &header{Size: binary.LittleEndian.Uint64(data[16:]), Built: int64(binary.LittleEndian.Uint64(data[24:]))}
	copy(h.Digest[:], data[32:64])
	at := data[64:]
	for _, s := range h.spans() {
		s.Offset, s.Size, s.Rows = binary.LittleEndian.Uint64(at), binary.LittleEndian.Uint64(at[8:]), binary.LittleEndian.Uint64(at[16:])
		s.CRC = binary.LittleEndian.Uint32(at[24:])
		at = at[28:]
	}
	if h.Size != uint64(len(data)) {
		return nil, rebuild(fmt.Errorf("%w: %d bytes long, and its header says %d", ErrNotBook, len(data), h.Size))
	}
	return h, nil
}

// contents is the JSON part of a book: everything a snapshot says but for the digest and the time of building.
type contents struct {
	Name       string        `json:"name"`
	Records    int           `json:"records"`
	Feeds      []biopsy.Snap `json:"feeds"`
	Ecosystems []string      `json:"ecosystems"`
}

func (h *header) contents(data []byte) (*contents, error) {
	var c contents
	return &c, readJSON(data, h.Meta, "contents", &c)
}

// readJSON reads one of the parts that are JSON.
func readJSON(data []byte, span table.Span, what string, into any) error {
	if span.Size > maxMeta || span.Offset > uint64(len(data)) || span.Size > uint64(len(data))-span.Offset {
		return fmt.Errorf("%w: %s at 0x%x do not fit", table.ErrDamaged, what, span.Offset)
	}
	b := data[span.Offset : span.Offset+span.Size]
	if table.CRC(b) != span.CRC {
		return rebuild(fmt.Errorf("%w: checksum of the %s at 0x%x is wrong", table.ErrDamaged, what, span.Offset))
	}
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(into); err != nil {
		return fmt.Errorf("%w: %s: %w", table.ErrDamaged, what, err)
	}
	return nil
}

func (c *contents) snapshot(h *header) biopsy.Book {
	built := time.Unix(h.Built, 0).UTC().Format(time.RFC3339)
	return biopsy.Book{Name: c.Name, Digest: "sha256:" + hex.EncodeToString(h.Digest[:]), Built: built, Records: c.Records, Feeds: c.Feeds}
}

// verifyDigest sums up all between the header and the times of reading.
func verifyDigest(data []byte, end uint64, want string) error {
	if end < headerSize || end > uint64(len(data)) {
		return rebuild(fmt.Errorf("%w: the book's end at 0x%x is outside of it", table.ErrDamaged, end))
	}
	sum := sha256.Sum256(data[headerSize:end])
	if got := "sha256:" + hex.EncodeToString(sum[:]); got != want {
		return rebuild(fmt.Errorf("%w: the book's digest is %s, and its header says %s", table.ErrDamaged, got, want))
	}
	return nil
}

func folder(path string) string { return filepath.Dir(path) }
