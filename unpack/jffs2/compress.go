package jffs2

import (
	"errors"
	"fmt"

	"github.com/biopsy-sca/biopsy/internal/codec"
)

// The methods of compression.
const (
	methodNone    = 0
	methodZero    = 1 // no bytes on flash
	methodRtime   = 2
	methodRubin   = 3
	methodCopy    = 4
	methodDynamic = 5
	methodZlib    = 6
	methodLZO     = 7
)

// plain unpacks src into all of dst.
func plain(method byte, dst, src []byte) error {
	var n int
	var err error
	switch method {
	case methodNone, methodCopy:
		n = copy(dst, src)
	case methodRtime:
		n, err = rtime(dst, src)
	case methodRubin:
		n = rubin(dst, src, 1043, [8]int{277, 249, 290, 267, 229, 341, 212, 241})
	case methodDynamic:
		n, err = dynamicRubin(dst, src)
	case methodZlib:
		n, err = codec.Block(codec.Zlib, dst, src)
		if n == len(dst) { // the node's own checksum has told that the bytes are right
			err = nil
		}
	case methodLZO:
		n, err = codec.Block(codec.LZO, dst, src)
	default:
		return fmt.Errorf("packed by method %d, which we do not know", method)
	}
	if err == nil && n < len(dst) {
		err = fmt.Errorf("unpacks to %d bytes instead of %d", n, len(dst))
	}
	return err
}

var errCutOff = errors.New("packed bytes break off")

// rtime is a run-length method: each byte is followed by how many bytes to repeat from behind its last occurrence.
func rtime(dst, src []byte) (int, error) {
	var last [256]int
	n := 0
	for n < len(dst) {
		if len(src) < 2 {
			return n, errCutOff
		}
		b, repeat := src[0], int(src[1])
		src = src[2:]
		dst[n] = b
		n++
		from := last[b]
		last[b] = n
		if repeat > len(dst)-n {
			return n, errors.New("repeats more bytes than there is room for")
		}
		for ; repeat > 0; repeat-- { // a run may repeat what it has just made
			dst[n] = dst[from]
			n++
			from++
		}
	}
	return n, nil
}

// dynamicRubin reads the odds of the eight bits of a byte, then the bytes.
func dynamicRubin(dst, src []byte) (int, error) {
	if len(src) < 8 {
		return 0, errCutOff
	}
	var odds [8]int
	for i := range odds {
		odds[i] = int(src[i])
	}
	return rubin(dst, src[8:], 256, odds), nil
}

// rubinHalf is the upper bit of the 16-bit registers of the arithmetic coder.
const rubinHalf = 1 << 15

// rubinCoder is a binary arithmetic decoder with fixed odds for each of the eight bits of a byte.
type rubinCoder struct {
	src        []byte
	bit        int
	q, p, code int64
}

// rubin fills dst. Bits beyond the end of src read as zero, as an encoder leaves them off.
func rubin(dst, src []byte, divider int64, odds [8]int) int {
	c := rubinCoder{src: src, p: 2 * rubinHalf}
	for range 16 {
		c.code = c.code*2 + c.pull()
	}
	for i := range dst {
		var b byte
		for j, odd := range odds {
			b |= c.decode(divider-int64(odd), divider) << j
		}
		dst[i] = b
	}
	return len(dst)
}

func (c *rubinCoder) pull() int64 {
	i := c.bit >> 3
	if i >= len(c.src) {
		return 0
	}
	b := c.src[i] >> (7 - c.bit&7) & 1
	c.bit++
	return int64(b)
}

// decode returns one bit; zero has odds of zero in all.
func (c *rubinCoder) decode(zero, all int64) byte {
	for c.q >= rubinHalf || c.p+c.q <= rubinHalf {
		c.q = c.q & (rubinHalf - 1) << 1
		c.p <<= 1
		c.code = c.code&(rubinHalf-1)<<1 + c.pull()
	}
	cut := min(max(zero*c.p/all, 1), c.p-1)
	if c.code < c.q+cut {
		c.p = cut
		return 0
	}
	c.q += cut
	c.p -= cut
	return 1
}
