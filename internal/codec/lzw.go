package codec

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// lzwReader reads what compress(1) writes (ncompress 5.0, 2021): codes of 9 up to 16 bits, in groups of eight that a change of width
// cuts short. Codes of 9 bits only, which programs disagree about, are refused.
type lzwReader struct {
	r        *bufio.Reader
	maxBits  uint
	clears   bool // code 256 forgets the table
	bits     uint // width of codes
	next     int  // code that the table takes next
	previous int  // the last code; -1 behind the start or a clearing
	first    byte // first byte of what the last code stood for
	prefix   [1 << 16]uint16
	suffix   [1 << 16]byte
	group    [16]byte // the codes that are at hand
	at, end  uint     // in bits
	out      [1 << 16]byte
	left     []byte // of out
	err      error
}

var errLZW = errors.New("compress data is damaged")

const lzwClear = 256

func newLZW(r io.Reader) (io.Reader, error) {
	z := &lzwReader{r: bufio.NewReaderSize(r, 16<<10), bits: 9, previous: -1}
	var h [3]byte
	if err := whole(z.r, h[:]); err != nil {
		return nil, err
	}
	z.maxBits, z.clears = uint(h[2]&31), h[2]&0x80 != 0
	if h[0] != 0x1f || h[1] != 0x9d || z.maxBits < 10 || z.maxBits > 16 || h[2]&0x60 != 0 {
		return nil, fmt.Errorf("no compress stream: % x", h)
	}
	for i := range 256 {
		z.suffix[i] = byte(i)
	}
	z.forget()
	return z, nil
}

func (z *lzwReader) forget() {
	z.next, z.previous, z.bits = lzwClear, -1, 9
	if z.clears {
		z.next++
	}
}

func (z *lzwReader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(z.left) == 0 {
			if z.err == nil {
				z.err = z.code()
			}
			if z.err != nil {
				break
			}
		}
		k := copy(p[n:], z.left)
		z.left = z.left[k:]
		n += k
	}
	if n == 0 && len(p) > 0 {
		return 0, z.err
	}
	return n, nil
}

// code unpacks one code.
func (z *lzwReader) code() error {
	c, err := z.read()
	if err != nil {
		return err
	}
	if c == lzwClear && z.clears {
		z.forget()
		z.at = z.end
		return nil
	}
	if z.previous < 0 {
		if c > 255 {
			return errLZW
		}
		z.previous, z.first, z.out[0] = c, byte(c), byte(c)
		z.left = z.out[:1]
		return nil
	}
	if c > z.next || c == z.next && z.next >= 1<<z.maxBits || c == lzwClear && z.clears {
		return errLZW
	}
	i, at := len(z.out), c
	if c == z.next { // the code that is just being made
		i--
		z.out[i], at = z.first, z.previous
	}
	for at > 255 {
		i--
		z.out[i], at = z.suffix[at], int(z.prefix[at])
	}
	i--
	z.out[i] = byte(at)
	z.first, z.left = byte(at), z.out[i:]
	z.learn()
	z.previous = c
	return nil
}

// learn gives the last code, with the byte that followed it, a code of its own.
func (z *lzwReader) learn() {
	if z.next >= 1<<z.maxBits {
		return
	}
	z.prefix[z.next], z.suffix[z.next] = uint16(z.previous), z.first
	z.next++
}

// read returns the next code. A group is as many bytes as the codes have bits; the last one of a stream may be shorter.
func (z *lzwReader) read() (int, error) {
	if z.next > 1<<z.bits-1 && z.bits < z.maxBits {
		z.bits++
		z.at = z.end
	}
	if z.at+z.bits > z.end {
		n, err := io.ReadFull(z.r, z.group[:z.bits])
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return 0, err
		}
		z.at, z.end = 0, uint(n)*8
		if z.end < z.bits {
			return 0, io.EOF
		}
	}
	b := z.group[z.at/8:]
	v := uint32(b[0]) | uint32(b[1])<<8
	if len(b) > 2 {
		v |= uint32(b[2]) << 16
	}
	v = v >> (z.at % 8) & (1<<z.bits - 1)
	z.at += z.bits
	return int(v), nil
}
