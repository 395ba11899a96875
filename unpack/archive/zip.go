package archive

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// Zip opens zip archives (PKWARE APPNOTE 6.3.10, 2022) by their central directory, read as a stream so that its length does not
// matter, and by the members' own headers where the directory is lost.
var Zip = biopsy.Unpacker{Name: "zip", Match: matchZip, Unpack: unpackZip}

// matchZip takes every file that begins as a zip archive, and Java archives behind a start script.
func matchZip(f biopsy.File, head []byte) bool {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")), bytes.HasPrefix(head, []byte("PK\x07\x08PK\x03\x04")):
		return true
	case !bytes.HasPrefix(head, []byte("#!")):
		return false
	}
	name := strings.ToLower(f.Path)
	return strings.HasSuffix(name, ".jar") || strings.HasSuffix(name, ".war") || strings.HasSuffix(name, ".pyz")
}

// Signatures of the records.
const (
	sigLocal      = 0x04034b50
	sigCentral    = 0x02014b50
	sigEnd        = 0x06054b50
	sigEnd64      = 0x06064b50
	sigLocator64  = 0x07064b50
	sigDescriptor = 0x08074b50
)

var le = binary.LittleEndian

func unpackZip(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	z := zipArchive{members: members{UnpackOptions: u}, c: c}
	d, err := findDirectory(c)
	if err != nil {
		err = fmt.Errorf("%w: members found by their own headers", err)
		if broken := z.byLocalHeaders(ctx); broken != nil {
			err = broken
		}
	} else {
		err = z.byDirectory(ctx, d)
	}
	if z.stopped != nil {
		return z.stopped
	}
	return cmp.Or(err, z.account(c))
}

// directory tells where the central directory is.
type directory struct {
	start, size int64
	base        int64 // what stands before the archive, a start script: offsets do not count it
	records     uint64
	end         int64 // where the end record and its comment end
}

// findDirectory looks for the end record, which may be followed by a comment of up to 65,535 bytes.
func findDirectory(c biopsy.Content) (directory, error) {
	const end = 22
	size := c.Size()
	tail := make([]byte, min(size, end+65535))
	if n, err := c.ReadAt(tail, size-int64(len(tail))); n < len(tail) {
		return directory{}, damage(size-int64(len(tail))+int64(n), err)
	}
	for i := len(tail) - end; i >= 0; i-- {
		b := tail[i:]
		if le.Uint32(b) != sigEnd || int(le.Uint16(b[20:])) > len(b)-end {
			continue
		}
		at := size - int64(len(tail)) + int64(i)
		d := directory{records: uint64(le.Uint16(b[10:])), size: int64(le.Uint32(b[12:])), start: int64(le.Uint32(b[16:]))}
		d.end = at + end + int64(le.Uint16(b[20:]))
		return d.locate(c, at)
	}
	return directory{}, errors.New("no central directory, the archive may be cut off")
}

// locate takes the larger fields of a zip64 archive, and finds out whether something stands before the archive.
func (d directory) locate(c biopsy.Content, end int64) (directory, error) {
	var b [56]byte
	if n, _ := c.ReadAt(b[:20], end-20); n == 20 && end >= 20 && le.Uint32(b[:]) == sigLocator64 {
		at := int64(le.Uint64(b[8:]))
		for _, at := range [...]int64{at, end - 20 - 56} { // the second when something stands before the archive
			if n, _ := c.ReadAt(b[:], max(at, 0)); n == 56 && at >= 0 && le.Uint32(b[:]) == sigEnd64 {
				d.records, d.size, d.start = le.Uint64(b[32:]), int64(le.Uint64(b[40:])), int64(le.Uint64(b[48:]))
				end = at
				break
			}
		}
	}
	if d.size < 0 || d.start < 0 || d.size > end || d.start > end {
		return d, fmt.Errorf("central directory of %d bytes at offset %d does not fit in %d", d.size, d.start, end)
	}
	if isCentral(c, d.start) || d.size == 0 {
		return d, nil
	}
	if d.base = end - d.size - d.start; d.base > 0 && isCentral(c, d.base+d.start) {
		d.start += d.base
		return d, nil
	}
	return d, fmt.Errorf("no central directory at offset %d", d.start)
}

func isCentral(c biopsy.Content, at int64) bool {
	var b [4]byte
	n, _ := c.ReadAt(b[:], at)
	return n == 4 && le.Uint32(b[:]) == sigCentral
}

// zipArchive is an archive being read.
type zipArchive struct {
	members
	c     biopsy.Content
	taken int64 // packed bytes of all members so far
}

func (z *zipArchive) byDirectory(ctx context.Context, d directory) error {
	if z.Ledger != nil {
		z.claimDirectory(d)
	}
	r := bufio.NewReaderSize(io.NewSectionReader(z.c, d.start, d.size), 16<<10)
	buf := make([]byte, 0, 1024)
	n := uint64(0)
	for ; ; n++ {
		m, rest, err := readCentral(r, buf)
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("record %d of the central directory: %w", n+1, err)
		}
		buf = rest
		m.offset += d.base
		z.claim(m)
		if err := z.member(m); err != nil {
			return err
		}
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if n != d.records && n&0xffff != d.records {
		return fmt.Errorf("the central directory holds %d records and says %d", n, d.records)
	}
	return nil
}

// zipMember is a member as its headers tell.
type zipMember struct {
	name          string
	flags, method uint16
	crc           uint32
	packed, size  int64
	offset        int64 // of its own header
	mode          fs.FileMode
	data          int64 // offset of its bytes; 0 until its own header was read
}

// readCentral reads one record of the directory. buf is kept for the next.
func readCentral(r *bufio.Reader, buf []byte) (zipMember, []byte, error) {
	var h [46]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return zipMember{}, buf, err
	}
	if le.Uint32(h[:]) != sigCentral {
		return zipMember{}, buf, errors.New("no record of a directory")
	}
	nameLen, extraLen, commentLen := int(le.Uint16(h[28:])), int(le.Uint16(h[30:])), int(le.Uint16(h[32:]))
	buf = append(buf[:0], make([]byte, nameLen+extraLen)...)
	if _, err := io.ReadFull(r, buf); err != nil {
		return zipMember{}, buf, io.ErrUnexpectedEOF
	}
	if n, err := r.Discard(commentLen); n < commentLen {
		return zipMember{}, buf, fmt.Errorf("comment: %w", err)
	}
	m := zipMember{
		name: string(buf[:nameLen]), flags: le.Uint16(h[8:]), method: le.Uint16(h[10:]), crc: le.Uint32(h[16:]),
		packed: int64(le.Uint32(h[20:])), size: int64(le.Uint32(h[24:])), offset: int64(le.Uint32(h[42:])),
		mode: zipMode(h[5], le.Uint32(h[38:])),
	}
	m.large(buf[nameLen:])
	return m, buf, nil
}

// large takes the 64-bit fields of extra field 1: those, in this order, whose 32-bit field is all ones.
func (m *zipMember) large(extra []byte) {
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return
		}
		field := extra[:n]
		extra = extra[n:]
		if id != 1 {
			continue
		}
		for _, v := range [...]*int64{&m.size, &m.packed, &m.offset} {
			if *v == 0xffffffff && len(field) >= 8 {
				*v = int64(le.Uint64(field))
				field = field[8:]
			}
		}
	}
}

// zipMode takes the mode that Unix (3) and macOS (19) store; 0 when none is.
func zipMode(madeBy byte, attributes uint32) fs.FileMode {
	if madeBy != 3 && madeBy != 19 || attributes>>16 == 0 {
		return 0
	}
	m := fs.FileMode(attributes >> 16 & 0o777)
	switch attributes >> 28 {
	case 0o12:
		m |= fs.ModeSymlink
	case 0o4:
		m |= fs.ModeDir
	}
	return m
}

// methods we can read, by their numbers in APPNOTE 4.4.5.
const (
	zipStored  = 0
	zipDeflate = 8
	zipBzip2   = 12
	zipZstd    = 93
	zipXZ      = 95
)

// member yields one member, or says why it stays unseen.
func (z *zipArchive) member(m zipMember) error {
	m.name = treepath.DOS(m.name)
	if strings.HasSuffix(m.name, "/") || m.mode&(fs.ModeSymlink|fs.ModeDir) != 0 {
		return nil
	}
	if m.packed < 0 || m.size < 0 || m.offset < 0 || m.offset > z.c.Size() || m.packed > z.c.Size()-m.offset {
		z.lost(m.name, fmt.Sprintf("%d bytes at offset %d reach beyond the archive of %d bytes", m.packed, m.offset, z.c.Size()), 0)
		return nil
	}
	if z.taken += m.packed; z.taken > z.c.Size() {
		return errors.New("members overlap: together they are larger than the archive; the rest was not read")
	}
	switch {
	case m.flags&1 != 0:
		z.lost(m.name, "encrypted", m.size)
		return nil
	case m.method == zipDeflate && m.size/1100 > m.packed:
		z.lost(m.name, fmt.Sprintf("says that %d bytes unpack to %d, which deflate cannot", m.packed, m.size), 0)
		return nil
	}
	if why := unreadable(m.method); why != "" {
		z.lost(m.name, why, m.size)
		return nil
	}
	if m.mode == 0 {
		m.mode = unstated(m.name)
	}
	return z.file(m.name, biopsy.File{Size: m.size, Mode: m.mode, Open: func() (biopsy.Content, error) { return z.open(m) }})
}

func unreadable(method uint16) string {
	switch method {
	case zipStored, zipDeflate, zipBzip2, zipZstd, zipXZ:
		return ""
	}
	return fmt.Sprintf("packed by method %d, which we cannot read", method)
}
