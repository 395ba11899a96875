// Package disk opens images of whole disks.
//
// What comes in: raw disks with a partition table, MBR with logical partitions or GPT (UEFI 2.10, 2022), and the disks of virtual
// machines and phones: qcow2 versions 2 and 3 (QEMU 8, 2023), VMDK sparse extents (VMware 5.0, 2011), VDI 1.1 (VirtualBox), VHD 1.0 (2006),
// VHDX 1.0 (2012) and Android sparse images 1.0. What goes out: their partitions, and what is not empty between them, as members
// named for what they hold: "part1.ext4", "unpartitioned-0x5000.bin". A disk without partitions is one member. Bytes are read where they lie
// when somebody asks for them, so an image of any size costs no memory and no space. It never decrypts, joins images that need
// another file, or replays a log.
package disk

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

var le, be = binary.LittleEndian, binary.BigEndian

// reader is what all of this reads from: an image, or a disk inside it.
type reader interface {
	io.ReaderAt
	Size() int64
}

// virtual yields what is on a disk that an image stores in its own way: partitions, or all of it.
func virtual(ctx context.Context, f biopsy.File, d reader, u biopsy.UnpackOptions) error {
	t, err := readTable(d, u.Gap)
	if err != nil {
		return err
	}
	if t != nil {
		t.budget = u.Budget
		_, err := t.yield(ctx, d, u)
		return err
	}
	name := path.Base(f.Path)
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	name, err = treepath.Clean(name)
	if err != nil {
		name = "disk"
	}
	return member(name, d, 0, d.Size(), u)
}

// member yields a run of bytes of a disk, with an ending that says what is in it.
func member(name string, d reader, off, size int64, u biopsy.UnpackOptions) error {
	kind := sniff(d, off, size)
	m := biopsy.File{Path: name + "." + kind, Size: size, Mode: 0o644, Open: func() (biopsy.Content, error) {
		return section{io.NewSectionReader(d, off, size)}, nil
	}}
	if u.Limits.FileSize > 0 && size > u.Limits.FileSize {
		m.Size = -1 // nothing is unpacked: the limit of all files together holds, that of one file does not
	}
	return u.Yield(m)
}

// section is a run of bytes of a disk; the walk closes the image.
type section struct{ *io.SectionReader }

func (section) Close() error { return nil }

// all is the ledger of an image of which every byte has a meaning to its format.
func all(c biopsy.Content, what string, u biopsy.UnpackOptions) {
	if u.Ledger != nil && c.Size() > 0 {
		u.Ledger([]biopsy.Span{{Size: c.Size(), Status: biopsy.BytesParsed, What: what}})
	}
}

// room is how many bytes of tables, and of unpacked blocks, one image keeps in memory.
const room = 4 << 20

// mapped is a disk whose blocks lie anywhere in an image, packed or not. It may be read from several goroutines.
type mapped struct {
	src     reader
	size    int64 // of the disk
	block   int64
	locate  func(i int64) (place, error)
	tables  *lazy.Cache
	unpacks *lazy.Cache
}

// place tells where a block of a disk is. The zero value is a block of zeros.
type place struct {
	stored bool
	from   int64                  // offset in the image, when stored
	unpack func() ([]byte, error) // makes the block, when it is packed; nil otherwise
}

func newMapped(src reader, size, block int64) *mapped {
	return &mapped{src: src, size: size, block: block, tables: lazy.NewCache(room), unpacks: lazy.NewCache(room)}
}

// Size returns the disk's size in bytes.
func (m *mapped) Size() int64 { return m.size }

// ReadAt makes mapped an io.ReaderAt.
func (m *mapped) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("negative offset %d", off)
	}
	if off >= m.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > m.size-off {
		p, end = p[:m.size-off], io.EOF
	}
	for n := 0; n < len(p); {
		i, skip := (off+int64(n))/m.block, (off+int64(n))%m.block
		part := p[n:min(int64(len(p)), int64(n)+m.block-skip)]
		if err := m.read(part, i, skip); err != nil {
			return n, fmt.Errorf("disk offset %d: %w", off+int64(n), err)
		}
		n += len(part)
	}
	return len(p), end
}

// read fills p from byte skip of block i.
func (m *mapped) read(p []byte, i, skip int64) error {
	at, err := m.locate(i)
	switch {
	case err != nil:
		return err
	case at.unpack != nil:
		b, err := m.unpacks.Block(i, at.unpack, nil)
		if err == nil && skip+int64(len(p)) > int64(len(b)) {
			err = fmt.Errorf("block %d unpacks to %d bytes: %w", i, len(b), io.ErrUnexpectedEOF)
		}
		if err != nil {
			return err
		}
		copy(p, b[skip:])
		return nil
	case at.stored:
		return readAt(m.src, p, at.from+skip)
	}
	clear(p)
	return nil
}

// table returns size bytes of the image at off, which are asked for often.
func (m *mapped) table(off, size int64) ([]byte, error) {
	return m.tables.Block(off, func() ([]byte, error) {
		if off < 0 || size > m.src.Size() || off > m.src.Size()-size {
			return nil, fmt.Errorf("table of %d bytes at offset %d: %w", size, off, io.ErrUnexpectedEOF)
		}
		b := make([]byte, size)
		return b, readAt(m.src, b, off)
	}, nil)
}

// readAt fills b, or says where the image ends.
func readAt(r io.ReaderAt, b []byte, off int64) error {
	if off < 0 {
		return fmt.Errorf("offset %d is beyond any image", off)
	}
	if n, err := r.ReadAt(b, off); n < len(b) {
		if err == io.EOF || err == nil {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("at offset %d: %w", off, err)
	}
	return nil
}

// maxDisk is the largest disk taken, 1 PiB: no sum of offsets can overflow.
const maxDisk = 1 << 50

// isPower tells whether n is a power of two from low to high.
func isPower(n, low, high int64) bool { return n >= low && n <= high && n&(n-1) == 0 }
