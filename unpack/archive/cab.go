package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// Cab opens Microsoft's cabinets ([MS-CAB] of 2018): files stored, or packed by MSZIP or LZX. Quantum is a gap, and so is what stands in
// another cabinet of a set.
var Cab = biopsy.Unpacker{
	Name:   "cab",
	Match:  func(_ biopsy.File, head []byte) bool { _, ok := cabHeader(head); return ok },
	Magics: []biopsy.Magic{{Bytes: []byte(cabMagic)}},
	Extent: func(c io.ReaderAt, off, max int64) (int64, bool) {
		var b [cabHead]byte
		n, _ := c.ReadAt(b[:min(int64(cabHead), max)], off)
		h, ok := cabHeader(b[:n])
		return h.size, ok && h.size <= max
	},
	Unpack: unpackCab,
}

const (
	cabMagic = "MSCF\x00\x00\x00\x00"
	cabHead  = 36
	// What cabinets can have at most, by the widths of their fields.
	cabBlock  = 32 << 10
	cabPacked = cabBlock + 6144 // a block that packing made larger
)

// cabinet is what the header says.
type cabinet struct {
	size, files         int64 // of the whole; where the list of files begins
	folderCount         int
	fileCount           int
	flags               uint16
	reserved            int64 // bytes of the header that are for others,
	perFolder, perBlock int64 // and of each folder and block
	folders             []cabFolder
}

func cabHeader(b []byte) (cabinet, bool) {
	if len(b) < cabHead || !bytes.HasPrefix(b, []byte(cabMagic)) || b[25] != 1 || b[24] > 3 {
		return cabinet{}, false
	}
	c := cabinet{size: int64(le.Uint32(b[8:])), files: int64(le.Uint32(b[16:])), folderCount: int(le.Uint16(b[26:])), fileCount: int(le.Uint16(b[28:])), flags: le.Uint16(b[30:])}
	return c, le.Uint32(b[12:]) == 0 && c.flags < 8 && c.files >= cabHead && c.files <= c.size
}

// cabFolder is files that were packed together, in blocks.
type cabFolder struct {
	start  int64
	blocks int
	method uint16
	size   int64 // of what comes out
	broken error // why not all of it does
	closed error // why nothing does
	solid  *solid
}

func unpackCab(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &cabReader{members: members{UnpackOptions: u}, ctx: ctx, c: c}
	err := m.open()
	if err == nil {
		err = m.files()
	}
	if m.stopped != nil {
		return m.stopped
	}
	return cmp.Or(err, m.account(c))
}

// cabReader is a cabinet being read.
type cabReader struct {
	members
	ctx context.Context
	c   biopsy.Content
	cab cabinet
}

// at reads bytes of a fixed length.
func (m *cabReader) at(b []byte, off int64) error {
	if n, err := m.c.ReadAt(b, off); n < len(b) {
		return damage(off+int64(n), cmp.Or(err, io.ErrUnexpectedEOF))
	}
	return nil
}

// open reads the header and the folders.
func (m *cabReader) open() error {
	var b [cabHead + 4]byte
	n, _ := m.c.ReadAt(b[:], 0)
	cab, ok := cabHeader(b[:n])
	if !ok {
		return damage(0, errors.New("no cabinet"))
	}
	off := int64(cabHead)
	if cab.flags&4 != 0 && n == len(b) {
		off += 4
		cab.reserved, cab.perFolder, cab.perBlock = int64(le.Uint16(b[36:])), int64(b[38]), int64(b[39])
	}
	off += cab.reserved
	for _, flag := range [...]uint16{1, 1, 2, 2} { // the cabinets before and behind: file and disk
		if cab.flags&flag != 0 {
			_, end, err := m.text(off)
			if err != nil {
				return err
			}
			off = end
		}
	}
	m.cab = cab
	for i := range cab.folderCount {
		var f [8]byte
		if err := m.at(f[:], off); err != nil {
			return fmt.Errorf("folder %d: %w", i+1, err)
		}
		off += 8 + cab.perFolder
		m.cab.folders = append(m.cab.folders, m.folder(int64(le.Uint32(f[:])), int(le.Uint16(f[4:])), le.Uint16(f[6:])))
	}
	m.is(0, off, biopsy.BytesParsed, "cabinet header")
	return m.ctx.Err()
}

// text reads a text that a zero ends.
func (m *cabReader) text(off int64) (string, int64, error) {
	var b [257]byte
	n, err := m.c.ReadAt(b[:], off)
	end := bytes.IndexByte(b[:n], 0)
	if end < 0 {
		return "", 0, damage(off, cmp.Or(err, errors.New("text is too long")))
	}
	return string(b[:end]), off + int64(end) + 1, nil
}

// folder goes through the headers of a folder's blocks.
func (m *cabReader) folder(start int64, blocks int, method uint16) cabFolder {
	f := cabFolder{start: start, blocks: blocks, method: method}
	off := start
	for range blocks {
		b, err := m.block(off)
		if err != nil {
			f.broken = err
			break
		}
		f.size += b.plain
		off = b.end
	}
	m.is(start, off-start, biopsy.BytesParsed, "packed files")
	switch method & 15 {
	case 0, 1, 3:
	case 2:
		f.closed = errors.New("packed by Quantum, which we cannot read")
	default:
		f.closed = fmt.Errorf("packed by method %d, which we cannot read", method&15)
	}
	return f
}

// cabData is a block: where its bytes are, and how many come out.
type cabData struct {
	sum, sizes uint32
	start, end int64
	plain      int64
}

func (m *cabReader) block(off int64) (b cabData, err error) {
	var h [8]byte
	if err := m.at(h[:], off); err != nil {
		return b, err
	}
	packed := int64(le.Uint16(h[4:]))
	b = cabData{sum: le.Uint32(h[:]), sizes: le.Uint32(h[4:]), start: off + 8 + m.cab.perBlock, plain: int64(le.Uint16(h[6:]))}
	b.end = b.start + packed
	switch {
	case packed > cabPacked || b.plain > cabBlock:
		return b, damage(off, fmt.Errorf("block of %d bytes packed in %d", b.plain, packed))
	case b.end > m.c.Size():
		return b, damage(off, fmt.Errorf("%d bytes of a block are missing: %w", b.end-m.c.Size(), io.ErrUnexpectedEOF))
	case b.plain == 0 && packed > 0:
		return b, errors.New("a block goes on in another cabinet")
	}
	return b, nil
}

// files yields the files in the order of their list.
func (m *cabReader) files() error {
	off := m.cab.files
	for i := range m.cab.fileCount {
		if err := m.ctx.Err(); err != nil {
			return err
		}
		var h [16]byte
		if err := m.at(h[:], off); err != nil {
			return fmt.Errorf("file %d of %d: %w", i+1, m.cab.fileCount, err)
		}
		name, end, err := m.text(off + 16)
		if err != nil {
			return fmt.Errorf("file %d of %d: %w", i+1, m.cab.fileCount, err)
		}
		m.is(off, end-off, biopsy.BytesParsed, "cabinet header")
		off = end
		if err := m.entry(strings.ReplaceAll(name, "\\", "/"), h); err != nil {
			return err
		}
	}
	return nil
}

func (m *cabReader) entry(name string, h [16]byte) error {
	const before, behind, both = 0xfffd, 0xfffe, 0xffff // it began in another cabinet, or goes on in one
	size, offset, folder := int64(le.Uint32(h[:])), int64(le.Uint32(h[4:])), int(le.Uint16(h[8:]))
	name = treepath.DOS(name)
	if folder == before || folder == behind || folder == both {
		m.lost(name, "a part of it is in another cabinet", size)
		return nil
	}
	if folder >= len(m.cab.folders) {
		m.lost(name, fmt.Sprintf("is in folder %d of %d", folder+1, len(m.cab.folders)), size)
		return nil
	}
	f := &m.cab.folders[folder]
	switch {
	case f.closed != nil:
		m.lost(name, f.closed.Error(), size)
		return nil
	case f.broken != nil && f.size < offset+size:
		m.lost(name, f.broken.Error(), size)
		return nil
	case f.size < offset+size:
		m.lost(name, fmt.Sprintf("%d bytes at offset %d reach beyond the %d of its folder", size, offset, f.size), size)
		return nil
	}
	if f.solid == nil {
		f.solid = &solid{members: &m.members, ctx: m.ctx, start: func() (io.Reader, error) { return m.decoder(f) }}
	}
	// No mode is stated that means anything outside of Windows: any file may be a program.
	x := biopsy.File{Size: size, Mode: 0o755, Transient: true, Open: f.solid.member(offset, size, nil)}
	return m.file(name, x)
}

// decoder starts a folder.
func (m *cabReader) decoder(f *cabFolder) (io.Reader, error) {
	b := &cabBlocks{cabReader: m, next: f.start, left: f.blocks}
	switch f.method & 15 {
	case 0:
		return b, nil
	case 1:
		b.zip = &codec.MSZIP{}
		return b, nil
	}
	return codec.NewLZX(b, int(f.method>>8&31), f.size)
}

// cabBlocks reads the blocks of a folder one behind the other: unpacked by MSZIP, else as they are.
type cabBlocks struct {
	*cabReader
	next int64
	left int
	zip  *codec.MSZIP // nil for other methods
	out  []byte
}

func (b *cabBlocks) Read(p []byte) (int, error) {
	for len(b.out) == 0 {
		if b.left == 0 {
			return 0, io.EOF
		}
		if err := b.load(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	return n, nil
}

func (b *cabBlocks) load() error {
	x, err := b.block(b.next)
	if err != nil {
		return err
	}
	b.left--
	b.next = x.end
	src := make([]byte, x.end-x.start)
	if err := b.at(src, x.start); err != nil {
		return err
	}
	if x.sum != 0 && b.cab.perBlock == 0 && cabSum(src)^x.sizes != x.sum {
		return damage(x.start, errors.New("block: wrong check sum"))
	}
	b.out = src
	if b.zip != nil {
		b.out = make([]byte, x.plain)
		if err := b.zip.Block(b.out, src); err != nil {
			return damage(x.start, err)
		}
	}
	return nil
}

// cabSum adds words without carry; the bytes that are left at the end count from the highest.
func cabSum(b []byte) (sum uint32) {
	for ; len(b) >= 4; b = b[4:] {
		sum ^= le.Uint32(b)
	}
	last := uint32(0)
	for _, c := range b {
		last = last<<8 | uint32(c)
	}
	return sum ^ last
}
