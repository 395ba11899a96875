package codec

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// The LZMA format as the LZMA specification of Igor Pavlov (2015) defines it. Blocks are unpacked in place: what is already out
// is the dictionary, so nothing is copied and no dictionary's size must be believed.

// Where each group of probabilities begins.
const (
	probMatch    = 0 // 12 states of 16 positions
	probRep      = probMatch + 12*16
	probRep0     = probRep + 12
	probRep1     = probRep0 + 12
	probRep2     = probRep1 + 12
	probRep0Long = probRep2 + 12
	probSlot     = probRep0Long + 12*16
	probSpecial  = probSlot + 4*64
	probAlign    = probSpecial + 128
	probLen      = probAlign + 16
	probRepLen   = probLen + lenProbs
	probAll      = 2048 // a power of two at or above the sum: indices are masked, which spares their check

	// Inside a length's group.
	lenChoice2 = 1
	lenLow     = 2
	lenMid     = lenLow + 16*8
	lenHigh    = lenMid + 16*8
	lenProbs   = lenHigh + 256
)

const (
	rangeTop   = 1 << 24
	probInit   = 1 << 10
	literalSet = 0x300
	// inputMargin is more than the packed bytes that one symbol can take (20).
	inputMargin = 32
)

var (
	errLZMA     = errors.New("lzma data is damaged")
	errLZMAProp = errors.New("lzma properties are invalid")
)

// lzmaDecoder unpacks runs of LZMA symbols.
type lzmaDecoder struct {
	probs      [probAll]uint16
	literals   []uint16
	lc, lp, pb uint32
	state      uint32
	rep        [4]uint32 // distances minus one
	rng, code  uint32
	marked     bool // the end mark was seen
	pending    int  // bytes of the last match that had no room
}

var lzmaDecoders = sync.Pool{New: func() any { return new(lzmaDecoder) }}

// properties takes the byte that holds lc, lp and pb. As in XZ Utils, lc and lp are 4 at most together: more would make a small
// block cost megabytes.
func (d *lzmaDecoder) properties(b byte) error {
	if err := d.anyProperties(b); err != nil {
		return err
	}
	if d.lc+d.lp > 4 {
		return errLZMAProp
	}
	return nil
}

// anyProperties takes all that the format allows: 6 MiB of memory at most.
func (d *lzmaDecoder) anyProperties(b byte) error {
	d.lc, d.lp, d.pb = uint32(b%9), uint32(b/9%5), uint32(b/45)
	if d.pb > 4 {
		return errLZMAProp
	}
	return nil
}

// reset forgets all that was learnt.
func (d *lzmaDecoder) reset() {
	n := literalSet << (d.lc + d.lp)
	if cap(d.literals) < n {
		d.literals = make([]uint16, n)
	}
	d.literals = d.literals[:n]
	for i := range d.probs {
		d.probs[i] = probInit
	}
	for i := range d.literals {
		d.literals[i] = probInit
	}
	d.state, d.rep, d.marked, d.pending = 0, [4]uint32{}, false, 0
}

// start reads the first five bytes of a run.
func (d *lzmaDecoder) start(src []byte) error {
	if len(src) < 5 {
		return io.ErrUnexpectedEOF
	}
	if src[0] != 0 {
		return errLZMA
	}
	d.rng, d.code = 1<<32-1, binary.BigEndian.Uint32(src[1:])
	return nil
}

// run unpacks symbols from src[pos:] to dst[out:] until dst is full or the end mark comes; base is where the dictionary begins in
// dst. It returns where it stands in both. cut allows a match to be longer than the room that is left.
func (d *lzmaDecoder) run(dst []byte, base, out int, src []byte, pos int, cut bool) (int, int, error) {
	if fast := len(src) - inputMargin; pos < fast {
		var err error
		if out, pos, err = d.symbols(dst, base, out, src, pos, fast, cut); err != nil || out == len(dst) || d.marked {
			return out, pos, err
		}
	}
	// The last bytes are unpacked from a copy with zeros behind it.
	var tail [3 * inputMargin]byte
	left := copy(tail[:], src[pos:])
	out, p, err := d.symbols(dst, base, out, tail[:], 0, left+1, cut)
	if err == nil && p > left || err == nil && out < len(dst) && !d.marked {
		err = io.ErrUnexpectedEOF
	}
	return out, pos + min(p, left), err
}

// finish takes the byte that the encoder's last shift may have left, and tells whether the run ended as it should.
func (d *lzmaDecoder) finish(src []byte, pos int) (int, bool) {
	if d.rng < rangeTop && pos < len(src) {
		d.rng, d.code = d.rng<<8, d.code<<8|uint32(src[pos])
		pos++
	}
	return pos, d.code == 0
}

// symbols is run while pos is below last, which leaves inputMargin bytes of src. The decoder's registers are in local variables
// and the range coder's steps are written out, for this loop is what opening firmware takes its time for.
func (d *lzmaDecoder) symbols(dst []byte, base, out int, src []byte, pos, last int, cut bool) (int, int, error) {
	probs := &d.probs
	rng, code := d.rng, d.code
	state := d.state
	rep0 := d.rep[0]
	posMask, litMask := uint32(1)<<d.pb-1, uint32(1)<<d.lp-1
	var failed error

	for out < len(dst) && pos < last {
		at := uint32(out - base)
		posState := at & posMask

		p := &probs[(probMatch+state<<4+posState)&(probAll-1)]
		if rng < rangeTop {
			rng, code = rng<<8, code<<8|uint32(src[pos])
			pos++
		}
		v := uint32(*p)
		bound := rng >> 11 * v
		if code < bound {
			rng = bound
			*p = uint16(v + (2048-v)>>5)
			before := uint32(0)
			if out > base {
				before = uint32(dst[out-1])
			}
			lit := d.literals[literalSet*((at&litMask)<<d.lc+before>>(8-d.lc)):][:literalSet]
			var symbol uint32
			if state < 7 {
				symbol, rng, code, pos = literal(lit, rng, code, src, pos)
			} else {
				if uint(rep0) >= uint(out-base) {
					failed = errLZMA
					break
				}
				symbol, rng, code, pos = matchedLiteral(lit, uint32(dst[out-int(rep0)-1]), rng, code, src, pos)
			}
			dst[out] = byte(symbol)
			out++
			switch {
			case state < 4:
				state = 0
			case state < 10:
				state -= 3
			default:
				state -= 6
			}
			continue
		}
		rng, code = rng-bound, code-bound
		*p = uint16(v - v>>5)

		var length uint32
		p = &probs[(probRep+state)&(probAll-1)]
		if rng < rangeTop {
			rng, code = rng<<8, code<<8|uint32(src[pos])
			pos++
		}
		v = uint32(*p)
		bound = rng >> 11 * v
		if code < bound {
			rng = bound
			*p = uint16(v + (2048-v)>>5)
			d.rep[3], d.rep[2], d.rep[1] = d.rep[2], d.rep[1], rep0
			length, rng, code, pos = matchLength(probs, probLen, posState, rng, code, src, pos)
			rep0, rng, code, pos = distance(probs, length, rng, code, src, pos)
			if state < 7 {
				state = 7
			} else {
				state = 10
			}
			if rep0 == 1<<32-1 {
				d.marked = true
				break
			}
		} else {
			rng, code = rng-bound, code-bound
			*p = uint16(v - v>>5)
			var b uint32
			b, rng, code, pos = bit(probs, probRep0+state, rng, code, src, pos)
			if b == 0 {
				b, rng, code, pos = bit(probs, probRep0Long+state<<4+posState, rng, code, src, pos)
				if b == 0 {
					length = 1
				}
			} else {
				b, rng, code, pos = bit(probs, probRep1+state, rng, code, src, pos)
				if b == 0 {
					rep0, d.rep[1] = d.rep[1], rep0
				} else {
					b, rng, code, pos = bit(probs, probRep2+state, rng, code, src, pos)
					if b == 0 {
						rep0, d.rep[1], d.rep[2] = d.rep[2], rep0, d.rep[1]
					} else {
						rep0, d.rep[1], d.rep[2], d.rep[3] = d.rep[3], rep0, d.rep[1], d.rep[2]
					}
				}
			}
			if length == 1 {
				if state < 7 {
					state = 9
				} else {
					state = 11
				}
			} else {
				length, rng, code, pos = matchLength(probs, probRepLen, posState, rng, code, src, pos)
				if state < 7 {
					state = 8
				} else {
					state = 11
				}
			}
		}

		if uint(rep0) >= uint(out-base) {
			failed = errLZMA
			break
		}
		n := int(length)
		if n > len(dst)-out {
			if !cut {
				failed = errLarge
				break
			}
			n = len(dst) - out
			d.pending = int(length) - n
		}
		from := out - int(rep0) - 1
		if n <= int(rep0)+1 {
			copy(dst[out:out+n], dst[from:from+n])
		} else {
			for i := range dst[out : out+n] {
				dst[out+i] = dst[from+i]
			}
		}
		out += n
	}
	d.rng, d.code, d.state, d.rep[0] = rng, code, state, rep0
	return out, pos, failed
}

// bit decodes one bit.
func bit(probs *[probAll]uint16, at, rng, code uint32, src []byte, pos int) (uint32, uint32, uint32, int) {
	if rng < rangeTop {
		rng, code = rng<<8, code<<8|uint32(src[pos])
		pos++
	}
	p := &probs[at&(probAll-1)]
	v := uint32(*p)
	bound := rng >> 11 * v
	if code < bound {
		*p = uint16(v + (2048-v)>>5)
		return 0, bound, code, pos
	}
	*p = uint16(v - v>>5)
	return 1, rng - bound, code - bound, pos
}

// literal decodes a byte behind a literal, without branches that nobody can foretell: below is all ones for a bit that is 0.
func literal(lit []uint16, rng, code uint32, src []byte, pos int) (uint32, uint32, uint32, int) {
	p := (*[literalSet]uint16)(lit)
	symbol := uint32(1)
	for symbol < 0x100 {
		if rng < rangeTop {
			rng, code = rng<<8, code<<8|uint32(src[pos])
			pos++
		}
		v := uint32(p[symbol])
		bound := rng >> 11 * v
		diff := uint64(code) - uint64(bound)
		below := uint32(diff >> 32)
		code = uint32(diff) + bound&below
		rng = (rng - bound) + (bound<<1-rng)&below
		p[symbol] = uint16(int32(v) - (int32(v)+int32(below&0xfffff81f))>>5)
		symbol = symbol<<1 + 1 + below
	}
	return symbol, rng, code, pos
}

// matchedLiteral decodes a byte behind a match, where the byte that would have continued the match helps to guess.
func matchedLiteral(lit []uint16, match, rng, code uint32, src []byte, pos int) (uint32, uint32, uint32, int) {
	p := (*[literalSet]uint16)(lit)
	symbol, offset := uint32(1), uint32(0x100)
	for symbol < 0x100 {
		if rng < rangeTop {
			rng, code = rng<<8, code<<8|uint32(src[pos])
			pos++
		}
		match <<= 1
		hint := match & offset
		at := offset + hint + symbol
		v := uint32(p[at])
		bound := rng >> 11 * v
		diff := uint64(code) - uint64(bound)
		below := uint32(diff >> 32)
		code = uint32(diff) + bound&below
		rng = (rng - bound) + (bound<<1-rng)&below
		p[at] = uint16(int32(v) - (int32(v)+int32(below&0xfffff81f))>>5)
		symbol = symbol<<1 + 1 + below
		offset &= hint ^ below
	}
	return symbol, rng, code, pos
}

// tree decodes n bits, highest first.
func tree(probs *[probAll]uint16, base, n, rng, code uint32, src []byte, pos int) (uint32, uint32, uint32, int) {
	symbol := uint32(1)
	for end := uint32(1) << n; symbol < end; {
		if rng < rangeTop {
			rng, code = rng<<8, code<<8|uint32(src[pos])
			pos++
		}
		p := &probs[(base+symbol)&(probAll-1)]
		v := uint32(*p)
		bound := rng >> 11 * v
		diff := uint64(code) - uint64(bound)
		below := uint32(diff >> 32)
		code = uint32(diff) + bound&below
		rng = (rng - bound) + (bound<<1-rng)&below
		*p = uint16(int32(v) - (int32(v)+int32(below&0xfffff81f))>>5)
		symbol = symbol<<1 + 1 + below
	}
	return symbol - 1<<n, rng, code, pos
}

// reverseTree decodes n bits, lowest first.
func reverseTree(probs *[probAll]uint16, base, n, rng, code uint32, src []byte, pos int) (uint32, uint32, uint32, int) {
	symbol, value := uint32(1), uint32(0)
	for i := uint32(0); i < n; i++ {
		var b uint32
		b, rng, code, pos = bit(probs, base+symbol, rng, code, src, pos)
		symbol = symbol<<1 | b
		value |= b << i
	}
	return value, rng, code, pos
}

// matchLength decodes a length of 2 to 273.
func matchLength(probs *[probAll]uint16, base, posState, rng, code uint32, src []byte, pos int) (n, _, _ uint32, _ int) {
	var b uint32
	if b, rng, code, pos = bit(probs, base, rng, code, src, pos); b == 0 {
		n, rng, code, pos = tree(probs, base+lenLow+posState<<3, 3, rng, code, src, pos)
		return n + 2, rng, code, pos
	}
	if b, rng, code, pos = bit(probs, base+lenChoice2, rng, code, src, pos); b == 0 {
		n, rng, code, pos = tree(probs, base+lenMid+posState<<3, 3, rng, code, src, pos)
		return n + 10, rng, code, pos
	}
	n, rng, code, pos = tree(probs, base+lenHigh, 8, rng, code, src, pos)
	return n + 18, rng, code, pos
}

// distance decodes a distance minus one; all ones is the end mark.
func distance(probs *[probAll]uint16, length, rng, code uint32, src []byte, pos int) (uint32, uint32, uint32, int) {
	slot, rng, code, pos := tree(probs, probSlot+min(length-2, 3)<<6, 6, rng, code, src, pos)
	if slot < 4 {
		return slot, rng, code, pos
	}
	n := slot>>1 - 1
	dist := (2 | slot&1) << n
	var low uint32
	if slot < 14 {
		low, rng, code, pos = reverseTree(probs, probSpecial+dist-slot-1, n, rng, code, src, pos)
		return dist + low, rng, code, pos
	}
	for i := n - 4; i > 0; i-- { // bits of even chance
		if rng < rangeTop {
			rng, code = rng<<8, code<<8|uint32(src[pos])
			pos++
		}
		rng >>= 1
		code -= rng
		below := uint32(int32(code) >> 31)
		code += rng & below
		low = low<<1 + 1 + below
	}
	dist += low << 4
	low, rng, code, pos = reverseTree(probs, probAlign, 4, rng, code, src, pos)
	return dist + low, rng, code, pos
}

// lzmaHeader is the length of the "alone" format's header: properties, dictionary's size, unpacked size.
const lzmaHeader = 13

// blockLZMA unpacks a block with header. A size that is not known ends at the mark or where dst is full.
func blockLZMA(dst, src []byte) (int, error) {
	if len(src) < lzmaHeader {
		return 0, io.ErrUnexpectedEOF
	}
	size := binary.LittleEndian.Uint64(src[5:])
	if size != 1<<64-1 {
		if size > uint64(len(dst)) {
			return 0, errLarge
		}
		dst = dst[:size]
	}
	return lzmaRun(dst, src[0], src[lzmaHeader:], false)
}

// blockMicroLZMA fills dst; the range coder's first byte, always zero, is replaced by the inverted properties.
func blockMicroLZMA(dst, src []byte) (int, error) {
	if len(src) < 5 {
		return 0, io.ErrUnexpectedEOF
	}
	first := src[0]
	body := append(make([]byte, 0, len(src)), src...)
	body[0] = 0
	return lzmaRun(dst, ^first, body, true)
}

func lzmaRun(dst []byte, props byte, src []byte, cut bool) (int, error) {
	d := lzmaDecoders.Get().(*lzmaDecoder)
	defer lzmaDecoders.Put(d)
	if err := d.properties(props); err != nil {
		return 0, err
	}
	d.reset()
	if err := d.start(src); err != nil {
		return 0, err
	}
	n, _, err := d.run(dst, 0, 0, src, 5, cut)
	return n, err
}
