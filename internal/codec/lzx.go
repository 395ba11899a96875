package codec

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// lzxReader unpacks LZX as cabinets hold it (Microsoft, "LZX Data Compression Format" of 1997 and [MS-PATCH] 2.2 of 2018): bits in words
// of 16, the highest first; frames of 32 KiB; blocks that may go on over frames.
type lzxReader struct {
	r    *bufio.Reader
	bits uint32 // the next ones, from the top
	have uint   // how many there are
	past int    // words read behind the end

	window       []byte
	pos          int   // in window
	left         int64 // bytes that are still to come
	out          []byte
	frame        [lzxFrame]byte
	frames       int
	begun        bool
	intelSize    uint32 // 0: calls were left as they are
	intel        bool
	kind         uint32
	blockLeft    int
	odd          bool // a byte of padding follows the block that is stored
	recent       [3]uint32
	mainLengths  [256 + 50*8]byte
	footLengths  [249]byte
	main         huffman
	length, even huffman
	slots        int
	err          error
}

const (
	lzxFrame    = 32 << 10
	lzxVerbatim = 1
	lzxAligned  = 2
	lzxStored   = 3
)

var (
	errLZX   = errors.New("lzx data is damaged")
	lzxSlots = map[int]int{15: 30, 16: 32, 17: 34, 18: 36, 19: 38, 20: 42, 21: 50}
)

// NewLZX returns the size bytes that LZX with a window of 2^windowBits bytes (15 to 21) unpacks to.
func NewLZX(r io.Reader, windowBits int, size int64) (io.Reader, error) {
	slots, ok := lzxSlots[windowBits]
	if !ok {
		return nil, fmt.Errorf("lzx window of %d bits", windowBits)
	}
	return &lzxReader{r: bufio.NewReader(r), window: make([]byte, 1<<windowBits), left: size, slots: slots, recent: [3]uint32{1, 1, 1}}, nil
}

func (z *lzxReader) Read(p []byte) (int, error) {
	if len(z.out) == 0 {
		if z.err == nil {
			z.err = z.next()
		}
		if z.err != nil {
			return 0, z.err
		}
	}
	n := copy(p, z.out)
	z.out = z.out[n:]
	return n, nil
}

// next unpacks a frame.
func (z *lzxReader) next() error {
	if z.left <= 0 {
		return io.EOF
	}
	if !z.begun {
		z.begun = true
		if z.take(1) == 1 {
			z.intelSize = z.take(16)<<16 | z.take(16)
		}
	}
	n := int(min(z.left, lzxFrame))
	start := z.pos
	for end := start + n; z.pos < end; {
		if z.blockLeft == 0 {
			if err := z.block(); err != nil {
				return err
			}
		}
		before := z.pos
		if err := z.run(min(end, z.pos+z.blockLeft)); err != nil {
			return err
		}
		z.blockLeft -= z.pos - before
		if z.past > 2 {
			return io.ErrUnexpectedEOF
		}
	}
	z.align()
	z.out = z.frame[:copy(z.frame[:n], z.window[start:z.pos])]
	z.calls(z.out)
	z.left -= int64(n)
	z.frames++
	z.pos &= len(z.window) - 1
	return nil
}

// fill sees to it that 16 bits are there; behind the end they are zeros.
func (z *lzxReader) fill() {
	for z.have < 16 {
		var b [2]byte
		if n, _ := io.ReadFull(z.r, b[:]); n < 2 {
			z.past++
		}
		z.bits |= uint32(binary.LittleEndian.Uint16(b[:])) << (16 - z.have)
		z.have += 16
	}
}

// take reads n bits, at most 16.
func (z *lzxReader) take(n uint) uint32 {
	if n == 0 {
		return 0
	}
	if z.have < n {
		z.fill()
	}
	v := z.bits >> (32 - n)
	z.bits <<= n
	z.have -= n
	return v
}

// align goes to the next word, as each frame does.
func (z *lzxReader) align() {
	n := z.have & 15
	z.bits <<= n
	z.have -= n
}

func (z *lzxReader) symbol(h *huffman) (int, error) {
	z.fill()
	s, n := h.find(z.bits >> 16)
	if n == 0 {
		return 0, errLZX
	}
	z.bits <<= n
	z.have -= n
	return s, nil
}

// block reads the header of a block.
func (z *lzxReader) block() error {
	if z.odd {
		z.odd = false
		if _, err := z.r.Discard(1); err != nil {
			return io.ErrUnexpectedEOF
		}
	}
	z.kind = z.take(3)
	z.blockLeft = int(z.take(16)<<8 | z.take(8))
	if z.blockLeft == 0 || z.past > 2 {
		return errLZX
	}
	switch z.kind {
	case lzxAligned:
		var lengths [8]byte
		for i := range lengths {
			lengths[i] = byte(z.take(3))
		}
		if err := z.even.build(lengths[:]); err != nil {
			return err
		}
		return z.trees()
	case lzxVerbatim:
		return z.trees()
	case lzxStored:
		return z.stored()
	}
	return errLZX
}

// stored goes to the next word, which is a whole one when the last is used up, and reads the three recent distances.
func (z *lzxReader) stored() error {
	z.intel = true
	if z.have == 0 {
		z.fill()
	}
	if z.have > 16 {
		return errLZX
	}
	z.bits, z.have = 0, 0
	z.odd = z.blockLeft&1 != 0
	var b [12]byte
	if err := whole(z.r, b[:]); err != nil {
		return err
	}
	for i := range z.recent {
		z.recent[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return nil
}

// trees reads the codes of literals and matches, and of lengths.
func (z *lzxReader) trees() error {
	for _, part := range [...][]byte{z.mainLengths[:256], z.mainLengths[256 : 256+z.slots*8], z.footLengths[:]} {
		if err := z.lengths(part); err != nil {
			return err
		}
	}
	if z.mainLengths[0xe8] != 0 {
		z.intel = true
	}
	if err := z.main.build(z.mainLengths[:256+z.slots*8]); err != nil {
		return err
	}
	return z.length.build(z.footLengths[:])
}

// lengths reads how much each code's length differs from the block before.
func (z *lzxReader) lengths(of []byte) error {
	var pre [20]byte
	for i := range pre {
		pre[i] = byte(z.take(4))
	}
	var tree huffman
	if err := tree.build(pre[:]); err != nil {
		return err
	}
	for i := 0; i < len(of); {
		s, err := z.symbol(&tree)
		if err != nil {
			return err
		}
		n := 1
		var value byte
		switch s {
		case 17:
			n = int(z.take(4)) + 4
		case 18:
			n = int(z.take(5)) + 20
		case 19:
			n = int(z.take(1)) + 4
			if s, err = z.symbol(&tree); err != nil || s > 16 {
				return errLZX
			}
			fallthrough
		default:
			value = byte((int(of[i]) - s + 17) % 17)
		}
		if n > len(of)-i {
			return errLZX
		}
		for range n {
			of[i] = value
			i++
		}
	}
	return nil
}

// run unpacks up to a place in the window.
func (z *lzxReader) run(end int) error {
	if z.kind == lzxStored {
		n, err := io.ReadFull(z.r, z.window[z.pos:end])
		z.pos += n
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	for z.pos < end && z.past <= 2 {
		s, err := z.symbol(&z.main)
		if err != nil {
			return err
		}
		if s < 256 {
			z.window[z.pos] = byte(s)
			z.pos++
			continue
		}
		if err := z.match(s-256, end); err != nil {
			return err
		}
	}
	return nil
}

func (z *lzxReader) match(s, end int) error {
	n, slot := s&7, s>>3
	if n == 7 {
		more, err := z.symbol(&z.length)
		if err != nil {
			return err
		}
		n += more
	}
	n += 2
	distance, err := z.distance(slot)
	if err != nil {
		return err
	}
	there := int64(z.frames)*lzxFrame + int64(z.pos&(lzxFrame-1))
	if n > end-z.pos || distance == 0 || int64(distance) > there || int(distance) > len(z.window) {
		return errLZX
	}
	from, mask := z.pos-int(distance), len(z.window)-1
	for i := range n {
		z.window[z.pos+i] = z.window[(from+i)&mask]
	}
	z.pos += n
	return nil
}

// distance reads how far back a match is, or which of the recent distances it repeats.
func (z *lzxReader) distance(slot int) (uint32, error) {
	r := &z.recent
	if slot < 3 {
		d := r[slot]
		r[slot], r[0] = r[0], d
		return d, nil
	}
	base, extra := lzxBase(slot)
	d := base - 2
	if z.kind == lzxAligned && extra >= 3 {
		d += z.take(extra-3) << 3
		s, err := z.symbol(&z.even)
		if err != nil {
			return 0, err
		}
		d += uint32(s)
	} else if extra > 16 {
		d += z.take(extra-16)<<16 | z.take(16)
	} else {
		d += z.take(extra)
	}
	r[2], r[1], r[0] = r[1], r[0], d
	return d, nil
}

// lzxBase is the least distance of a slot, plus two, and how many bits are added to it.
func lzxBase(slot int) (base uint32, extra uint) {
	if slot < 4 {
		return uint32(slot), 0
	}
	if slot >= 36 {
		return uint32(slot-34) << 17, 17
	}
	extra = uint(slot/2 - 1)
	return uint32(2+slot&1) << extra, extra
}

// calls turns the targets of calls (E8) from absolute to relative.
func (z *lzxReader) calls(b []byte) {
	if !z.intel || z.intelSize == 0 || z.frames >= 32768 || len(b) <= 10 {
		return
	}
	at, size := int32(z.frames)*lzxFrame, int32(z.intelSize)
	for i := 0; i < len(b)-10; i++ {
		if b[i] != 0xe8 {
			continue
		}
		target, here := int32(binary.LittleEndian.Uint32(b[i+1:])), at+int32(i)
		switch {
		case target >= 0 && target < size:
			binary.LittleEndian.PutUint32(b[i+1:], uint32(target-here))
		case target < 0 && target >= -here:
			binary.LittleEndian.PutUint32(b[i+1:], uint32(target+size))
		}
		i += 4
	}
}
