package archive

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/biopsy-sca/biopsy/internal/codec"
)

// byLocalHeaders goes from one member's own header to the next: the archive's end, and with it the directory, is lost. It ends
// without error where the directory would begin or the bytes end.
func (z *zipArchive) byLocalHeaders(ctx context.Context) error {
	off := int64(0)
	for ctx.Err() == nil {
		m, next, err := z.localMember(ctx, off)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return damage(off, err)
		}
		z.claim(m)
		if err := z.member(m); err != nil {
			return err
		}
		off = next
	}
	return ctx.Err()
}

// localMember reads the header at off; io.EOF says that there is none.
func (z *zipArchive) localMember(ctx context.Context, off int64) (m zipMember, next int64, err error) {
	var h [30]byte
	n, err := z.c.ReadAt(h[:], off)
	if n < 4 || le.Uint32(h[:]) != sigLocal {
		return m, 0, io.EOF
	}
	if n < len(h) {
		return m, 0, err
	}
	nameLen, extraLen := int64(le.Uint16(h[26:])), int64(le.Uint16(h[28:]))
	b := make([]byte, nameLen+extraLen)
	if n, err := z.c.ReadAt(b, off+30); n < len(b) {
		return m, 0, err
	}
	m = zipMember{
		name: string(b[:nameLen]), flags: le.Uint16(h[6:]), method: le.Uint16(h[8:]), crc: le.Uint32(h[14:]),
		packed: int64(le.Uint32(h[18:])), size: int64(le.Uint32(h[22:])), offset: off, data: off + 30 + nameLen + extraLen,
	}
	m.large(b[nameLen:])
	m.offset = off
	if m.flags&8 != 0 && m.crc == 0 && m.packed == 0 {
		next, err = z.measure(ctx, &m)
		return m, next, err
	}
	if left := z.c.Size() - m.data; m.packed < 0 || m.packed > left {
		return m, 0, fmt.Errorf("member %q: %d bytes are missing: %w", m.name, m.packed-left, io.ErrUnexpectedEOF)
	}
	return m, m.data + m.packed, nil
}

// measure unpacks a member whose sizes stand behind it, to find its end.
func (z *zipArchive) measure(ctx context.Context, m *zipMember) (next int64, err error) {
	if m.method != zipDeflate || m.flags&1 != 0 {
		return 0, errors.New("the end of a member is not known")
	}
	p := packedReaders.Get().(*packedReader)
	defer packedReaders.Put(p)
	p.reset(z.c, m.data, z.c.Size()-m.data)
	r, err := codec.NewReader(codec.Deflate, p.Reader)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	sum := crc32.NewIEEE()
	if m.size, err = io.Copy(sum, &cancelled{ctx, &spending{r: r, budget: z.Budget}}); err != nil {
		return 0, fmt.Errorf("member %q: %w", m.name, err)
	}
	if m.packed, err = p.taken(); err != nil {
		return 0, err
	}
	m.crc = sum.Sum32()
	return z.behindDescriptor(*m), nil
}

// behindDescriptor skips the sizes behind a member: with or without a signature, in 32 or 64 bits.
func (z *zipArchive) behindDescriptor(m zipMember) int64 {
	at := m.data + m.packed
	for _, size := range [...]int64{16, 24, 12, 20} {
		var b [4]byte
		n, _ := z.c.ReadAt(b[:], at+size)
		if sig := le.Uint32(b[:]); n == 4 && (sig == sigLocal || sig == sigCentral) {
			return at + size
		}
	}
	return at + 16
}

// cancelled stops a long read when the walk is called off.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
