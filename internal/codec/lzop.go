package codec

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
)

// lzopReader reads the format of lzop 1.04 (2017): blocks of LZO1X with their sizes and check sums.
type lzopReader struct {
	r           *bufio.Reader
	flags       uint32
	block, left []byte
	err         error
}

const (
	lzopMagic = "\x89LZO\x00\r\n\x1a\n"

	// Flags: which sums stand before a block, of plain (D) and of packed (C) bytes.
	lzopAdlerD = 1 << 0
	lzopAdlerC = 1 << 1
	lzopExtra  = 1 << 6
	lzopCRCD   = 1 << 8
	lzopCRCC   = 1 << 9
	lzopFilter = 1 << 11

	lzopBlock = 64 << 20 // the format's own limit
)

func newLzop(r io.Reader) (io.Reader, error) {
	z := &lzopReader{r: bufio.NewReaderSize(r, 64<<10)}
	h := make([]byte, len(lzopMagic)+2+2+2+1+1+4) // versions of the file, the library and the reader; method, level, flags
	if err := whole(z.r, h); err != nil {
		return nil, err
	}
	if string(h[:len(lzopMagic)]) != lzopMagic {
		return nil, errors.New("no lzop stream")
	}
	version, method := binary.BigEndian.Uint16(h[9:]), h[15]
	z.flags = binary.BigEndian.Uint32(h[17:])
	switch {
	case version < 0x0940:
		return nil, fmt.Errorf("lzop stream of version 0x%x", version)
	case method < 1 || method > 3:
		return nil, fmt.Errorf("lzop stream of method %d", method)
	case z.flags&lzopFilter != 0:
		return nil, errors.New("lzop stream with a filter")
	}
	const modeAndTime = 12
	if err := z.skip(modeAndTime); err != nil {
		return nil, err
	}
	name, err := z.r.ReadByte()
	if err != nil {
		return nil, err
	}
	if err := z.skip(int64(name) + 4); err != nil { // and the header's check sum
		return nil, err
	}
	if z.flags&lzopExtra != 0 {
		n, err := z.number()
		if err != nil {
			return nil, err
		}
		if err := z.skip(int64(n) + 4); err != nil {
			return nil, err
		}
	}
	return z, nil
}

func (z *lzopReader) skip(n int64) error {
	_, err := io.CopyN(io.Discard, z.r, n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (z *lzopReader) number() (uint32, error) {
	var b [4]byte
	err := whole(z.r, b[:])
	return binary.BigEndian.Uint32(b[:]), err
}

func (z *lzopReader) Read(p []byte) (int, error) {
	for len(z.left) == 0 {
		if z.err == nil {
			z.left, z.err = z.next()
		}
		if z.err != nil {
			return 0, z.err
		}
	}
	n := copy(p, z.left)
	z.left = z.left[n:]
	return n, nil
}

// next unpacks a block; io.EOF behind the last.
func (z *lzopReader) next() ([]byte, error) {
	plain, err := z.number()
	if err != nil {
		return nil, err
	}
	if plain == 0 {
		return nil, io.EOF
	}
	packed, err := z.number()
	if err != nil {
		return nil, err
	}
	if plain > lzopBlock || packed > plain || packed == 0 || int64(plain) > int64(packed)*256+64 { // more than LZO can say
		return nil, fmt.Errorf("lzop block of %d bytes packed in %d", plain, packed)
	}
	var sums [4]uint32
	for i, f := range [...]uint32{lzopAdlerD, lzopCRCD, lzopAdlerC, lzopCRCC} {
		if z.flags&f != 0 && (i < 2 || packed < plain) {
			if sums[i], err = z.number(); err != nil {
				return nil, err
			}
		}
	}
	src, err := io.ReadAll(io.LimitReader(z.r, int64(packed)))
	if err != nil {
		return nil, err
	}
	if len(src) < int(packed) {
		return nil, io.ErrUnexpectedEOF
	}
	out := src
	if packed < plain {
		if cap(z.block) < int(plain) {
			z.block = make([]byte, plain)
		}
		n, err := Block(LZO, z.block[:plain], src)
		if err == nil && n != int(plain) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		out = z.block[:plain]
	}
	if z.flags&lzopAdlerD != 0 && adler32.Checksum(out) != sums[0] || z.flags&lzopCRCD != 0 && crc32.ChecksumIEEE(out) != sums[1] {
		return nil, errors.New("lzop block: wrong check sum")
	}
	return out, nil
}
