package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"sync"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// inMemory is the size up to which an opened member is unpacked into memory.
const inMemory = 4 << 20

// open unpacks a member. Its size and checksum must be what the directory says.
func (z *zipArchive) open(m zipMember) (biopsy.Content, error) {
	if m.data == 0 {
		var err error
		if m.data, err = z.dataOffset(m); err != nil {
			return nil, err
		}
	}
	if m.method == zipStored {
		if m.size != m.packed {
			return nil, fmt.Errorf("stored member of %d bytes says it has %d", m.packed, m.size)
		}
		return &stored{SectionReader: io.NewSectionReader(z.c, m.data, m.size), crc: m.crc}, nil
	}
	packed := packedReaders.Get().(*packedReader)
	defer packedReaders.Put(packed)
	packed.reset(z.c, m.data, m.packed)
	r, err := codec.NewReader(zipFormat(m.method), packed.Reader)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if m.size <= inMemory {
		return unpackInMemory(r, m)
	}
	sum := crc32.NewIEEE()
	c, err := z.Spool.Keep(io.TeeReader(r, sum), m.size)
	if err != nil {
		return nil, err
	}
	if err := m.check(c.Size(), sum); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// claim tells the ledger what the bytes of a member are: its own header, what is packed, and the sizes that may follow.
func (z *zipArchive) claim(m zipMember) {
	if z.Ledger == nil || m.offset < 0 || m.packed < 0 || m.offset > z.c.Size() {
		return
	}
	at := m.data
	if at == 0 {
		var err error
		if at, err = z.dataOffset(m); err != nil {
			return // its opening will say why
		}
	}
	status := biopsy.BytesParsed
	if m.flags&1 != 0 {
		status = biopsy.BytesEncrypted
	}
	z.is(m.offset, at-m.offset, biopsy.BytesParsed, "zip")
	z.is(at, m.packed, status, "zip")
	if m.flags&8 != 0 {
		m.data = at
		z.is(at+m.packed, z.behindDescriptor(m)-at-m.packed, biopsy.BytesParsed, "zip")
	}
}

// claimDirectory does the same for the directory, the signature that Android puts before it, and a script before the first member.
func (z *zipArchive) claimDirectory(d directory) {
	const magic, frame = "APK Sig Block 42", 8 + 8 + 16 // its size stands at both ends
	z.is(d.start, d.end-d.start, biopsy.BytesParsed, "zip")
	var b [24]byte
	if n, _ := z.c.ReadAt(b[:], max(d.start-24, 0)); n == len(b) && string(b[8:]) == magic {
		if size := le.Uint64(b[:]); size >= frame-8 && size+8 <= uint64(d.start) {
			z.is(d.start-int64(size)-8, int64(size)+8, biopsy.BytesParsed, "APK signature")
		}
	}
	if n, _ := z.c.ReadAt(b[:2], 0); n == 2 && string(b[:2]) == "#!" {
		z.is(0, d.base, biopsy.BytesParsed, "start script")
	}
}

// dataOffset reads the member's own header, which alone tells where its bytes begin.
func (z *zipArchive) dataOffset(m zipMember) (int64, error) {
	var h [30]byte
	if n, err := z.c.ReadAt(h[:], m.offset); n < len(h) {
		return 0, damage(m.offset, err)
	}
	if le.Uint32(h[:]) != sigLocal {
		return 0, damage(m.offset, errors.New("no member's header"))
	}
	at := m.offset + int64(len(h)) + int64(le.Uint16(h[26:])) + int64(le.Uint16(h[28:]))
	if left := z.c.Size() - at; m.packed > left {
		return 0, damage(at, fmt.Errorf("%d bytes of the member are missing: %w", m.packed-left, io.ErrUnexpectedEOF))
	}
	return at, nil
}

func zipFormat(method uint16) codec.Format {
	switch method {
	case zipBzip2:
		return codec.Bzip2
	case zipZstd:
		return codec.Zstd
	case zipXZ:
		return codec.XZ
	}
	return codec.Deflate
}

func unpackInMemory(r io.Reader, m zipMember) (biopsy.Content, error) {
	b := make([]byte, m.size)
	n, err := io.ReadFull(r, b)
	if err == nil {
		var more [1]byte
		if k, _ := r.Read(more[:]); k > 0 {
			return nil, fmt.Errorf("more than the %d bytes that the directory says", m.size)
		}
	} else if err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	sum := crc32.NewIEEE()
	sum.Write(b[:n])
	return content{bytes.NewReader(b)}, m.check(int64(n), sum)
}

// check holds what came out against the directory.
func (m zipMember) check(size int64, sum hash.Hash32) error {
	switch {
	case size != m.size:
		return fmt.Errorf("%d bytes came out, the directory says %d", size, m.size)
	case sum.Sum32() != m.crc:
		return errors.New("checksum is wrong")
	}
	return nil
}

// content is an unpacked member in memory.
type content struct{ *bytes.Reader }

func (content) Close() error { return nil }

// packedReader reads a member's packed bytes through a buffer, from which a decoder of deflate takes no more than it needs.
type packedReader struct {
	*bufio.Reader
	bytes *io.SectionReader
}

var packedReaders = sync.Pool{New: func() any { return &packedReader{Reader: bufio.NewReaderSize(nil, 16<<10)} }}

func (p *packedReader) reset(src io.ReaderAt, start, size int64) {
	p.bytes = io.NewSectionReader(src, start, size)
	p.Reset(p.bytes)
}

// taken tells how many bytes the decoder took.
func (p *packedReader) taken() (int64, error) {
	n, err := p.bytes.Seek(0, io.SeekCurrent)
	return n - int64(p.Buffered()), err
}
