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
		return part{io.NewSectionReader(z.c, m.data, m.size)}, nil
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
