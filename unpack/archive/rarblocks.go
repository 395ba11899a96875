package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// rarBlocks is what the blocks of an archive say about it as a whole.
type rarBlocks struct {
	solid, encrypted bool  // encrypted: the headers too
	later            bool  // it begins with what a volume before it did not hold
	end              int64 // behind the last block
}

const maxRARHeader = 2 << 20 // the format's own limit

// blocks goes from block to block up to the end mark, and tells the ledger. An error says where the archive breaks off; what stands
// before it can be read.
func (m *rar) blocks(c biopsy.Content) (b rarBlocks, err error) {
	var magic [8]byte
	if n, err := c.ReadAt(magic[:], 0); n < len(magic) {
		return b, damage(int64(n), err)
	}
	read, start := rar5Block, int64(len(rar5Magic))
	if string(magic[:7]) == rar4Magic {
		read, start = rar4Block, int64(len(rar4Magic))
	}
	m.is(0, start, biopsy.BytesParsed, "rar header")
	for b.end = start; b.end < c.Size(); {
		if err := m.ctx.Err(); err != nil {
			return b, err
		}
		x, err := read(c, b.end)
		if err != nil {
			return b, damage(b.end, err)
		}
		b.solid, b.later = b.solid || x.solid, b.later || x.later
		m.is(b.end, x.header, biopsy.BytesParsed, "rar header")
		b.end += x.header
		if x.hidden {
			b.encrypted = true
			m.is(b.end, c.Size()-b.end, biopsy.BytesEncrypted, "packed files")
			return b, nil
		}
		size := min(x.data, c.Size()-b.end)
		status := biopsy.BytesParsed
		if x.encrypted {
			status = biopsy.BytesEncrypted
		}
		m.is(b.end, size, status, "packed files")
		b.end += size
		if size < x.data {
			return b, damage(b.end, fmt.Errorf("%d bytes of a block are missing: %w", x.data-size, io.ErrUnexpectedEOF))
		}
		if x.last {
			return b, nil
		}
	}
	return b, errors.New("no end mark: written before RAR 3.0, or cut off")
}

// rarBlock is one block: a header and bytes behind it.
type rarBlock struct {
	header, data           int64
	solid, encrypted, last bool
	hidden                 bool // all that follows is encrypted
	later                  bool // its bytes began in another volume
}

var errRARBlock = errors.New("no rar block")

// rar4Block reads: check sum, type, flags, size; for some the size of the bytes behind it.
func rar4Block(c biopsy.Content, at int64) (x rarBlock, err error) {
	const (
		archive, file, part, end = 0x73, 0x74, 0x7a, 0x7b
		long                     = 0x8000
	)
	var h [40]byte
	n, err := c.ReadAt(h[:], at)
	if n < 7 {
		return x, err
	}
	kind, flags, size := h[2], le.Uint16(h[3:]), int(le.Uint16(h[5:]))
	if kind < 0x72 || kind > 0x7b || size < 7 {
		return x, errRARBlock
	}
	x.header = int64(size)
	if flags&long != 0 || kind == file || kind == part {
		if n < 11 || size < 11 {
			return x, errRARBlock
		}
		x.data = int64(le.Uint32(h[7:]))
	}
	switch kind {
	case archive:
		x.solid, x.hidden = flags&8 != 0, flags&0x80 != 0
	case file, part:
		x.encrypted, x.later = flags&4 != 0, flags&1 != 0
		if flags&0x100 != 0 { // sizes above 4 GiB
			if n < 36 || size < 36 {
				return x, errRARBlock
			}
			x.data |= int64(le.Uint32(h[32:])&0x7fffffff) << 32
		}
	case end:
		x.last = true
	}
	b := make([]byte, size)
	if n, err := c.ReadAt(b, at); n < size {
		return x, err
	}
	if kind != archive && kind != file && kind != part && kind != end || uint16(crc32.ChecksumIEEE(b[2:])) == le.Uint16(b) {
		return x, nil
	}
	return x, errors.New("rar header: wrong check sum")
}

// rar5Block reads: check sum, size, type, flags, sizes of what follows; of files, whether they are encrypted.
func rar5Block(c biopsy.Content, at int64) (x rarBlock, err error) {
	const (
		archive, file, service, encryption, end = 1, 2, 3, 4, 5
		hasExtra, hasData, began                = 1, 2, 8
	)
	var start [7]byte
	n, err := c.ReadAt(start[:], at)
	if n < 5 {
		return x, err
	}
	size, width := binary.Uvarint(start[4:n])
	if width <= 0 || size == 0 || size > maxRARHeader {
		return x, errRARBlock
	}
	b := make([]byte, width+int(size))
	if n, err := c.ReadAt(b, at+4); n < len(b) {
		return x, err
	}
	if crc32.ChecksumIEEE(b) != le.Uint32(start[:]) {
		return x, errors.New("rar header: wrong check sum")
	}
	x.header = int64(len(b)) + 4
	in := rarNumbers{b: b[width:]}
	kind, flags := in.next(), in.next()
	extra, data := uint64(0), uint64(0)
	if flags&hasExtra != 0 {
		extra = in.next()
	}
	if flags&hasData != 0 {
		data = in.next()
	}
	if in.bad || extra > uint64(len(in.b)) || data > 1<<62 {
		return x, errRARBlock
	}
	x.data = int64(data)
	switch kind {
	case archive:
		x.solid = in.next()&4 != 0
	case file, service:
		x.later = flags&began != 0
		x.encrypted = rar5Encrypted(in.b[len(in.b)-int(extra):])
	case encryption:
		x.hidden = true
	case end:
		x.last = true
	}
	return x, nil
}

// rar5Encrypted looks for the record that tells how a file is encrypted.
func rar5Encrypted(extra []byte) bool {
	for len(extra) > 0 {
		in := rarNumbers{b: extra}
		size := in.next()
		if in.bad || size > uint64(len(in.b)) {
			return false
		}
		record := rarNumbers{b: in.b[:size]}
		extra = in.b[size:]
		if record.next() == 1 && !record.bad {
			return true
		}
	}
	return false
}

// rarNumbers reads numbers of seven bits a byte.
type rarNumbers struct {
	b   []byte
	bad bool
}

func (r *rarNumbers) next() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[size:]
	return n
}
