package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// lzipReader reads the format of lzip 1.24 (2024): members of LZMA with an end mark, then the check sum and the sizes.
type lzipReader struct {
	r      io.Reader
	packed *counted
	lzma   *lzmaStream // nil between members
	sum    uint32
	plain  uint64
	some   bool // a member was read
}

// counted counts the bytes of a member.
type counted struct {
	r io.Reader
	n uint64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += uint64(n)
	return n, err
}

const (
	lzipMagic   = "LZIP\x01"
	lzipTrailer = 20
)

func (z *lzipReader) Read(p []byte) (int, error) {
	for {
		if z.lzma == nil {
			if err := z.member(); err != nil {
				return 0, err
			}
		}
		n, err := z.lzma.Read(p)
		z.sum = crc32.Update(z.sum, crc32.IEEETable, p[:n])
		z.plain += uint64(n)
		if err != io.EOF {
			return n, err
		}
		if err := z.trailer(); err != nil {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
	}
}

// member reads a header: magic, version, and a byte that holds the dictionary's size as a power of two less some sixteenths.
func (z *lzipReader) member() error {
	var h [6]byte
	z.packed = &counted{r: z.r}
	switch n, err := io.ReadFull(z.packed, h[:]); {
	case err == io.EOF && z.some:
		return io.EOF
	case err != nil && err != io.EOF && err != io.ErrUnexpectedEOF:
		return err
	case z.some && (n < len(h) || string(h[:5]) != lzipMagic): // padding, as tapes have it
		return io.EOF
	case n < len(h):
		return io.ErrUnexpectedEOF
	}
	if string(h[:5]) != lzipMagic || h[5]&31 < 12 || h[5]&31 > 29 {
		return errors.New("no lzip member")
	}
	dict := uint32(1) << (h[5] & 31)
	dict -= dict / 16 * uint32(h[5]>>5)
	properties := binary.LittleEndian.AppendUint32([]byte{0x5d}, dict)
	var err error
	z.lzma, err = newLZMAStream(z.packed, properties, -1)
	z.sum, z.plain, z.some = 0, 0, true
	return err
}

// trailer checks what stands behind a member; what was read too far is the next member's.
func (z *lzipReader) trailer() error {
	s := z.lzma
	pos, ok := s.d.finish(s.src[:s.n], s.pos)
	if !ok {
		return errLZMA
	}
	s.pos = pos
	if err := s.fill(); err != nil {
		return err
	}
	if s.n < lzipTrailer {
		return io.ErrUnexpectedEOF
	}
	t := s.src[:lzipTrailer]
	size := z.packed.n - uint64(s.n) + lzipTrailer
	if sum := binary.LittleEndian.Uint32(t); sum != z.sum || binary.LittleEndian.Uint64(t[4:]) != z.plain || binary.LittleEndian.Uint64(t[12:]) != size {
		return fmt.Errorf("lzip member of %d bytes: check sum or size is wrong", z.plain)
	}
	z.r = &behind{rest: s.src[lzipTrailer:s.n], r: z.r}
	z.lzma = nil
	return nil
}

// behind reads what is left of a buffer, then on.
type behind struct {
	rest []byte
	r    io.Reader
}

func (b *behind) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		return b.r.Read(p)
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}
