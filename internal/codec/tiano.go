package codec

import (
	"encoding/binary"
	"io"
)

// tianoReader unpacks what UEFI firmware is packed by (UEFI Specification 2.10 of 2022, section 19): blocks of literals and matches, each
// with three tables of codes, bits from the highest. Two variants differ in the width of the number of codes for distances.
type tianoReader struct {
	src          []byte
	bits         uint64 // the next ones, from the top
	have         uint
	past         int // bytes read behind the end
	left         int // codes of the block
	chars, pairs tianoTable
	distanceBits uint
}

// tianoTable is codes, or one symbol that takes no bits.
type tianoTable struct {
	huffman
	only   int // -1 when there are codes
	length [tianoChars]byte
}

const (
	tianoChars    = 510 // literals, and lengths of 3 to 256
	tianoLengths  = 19  // codes for lengths of codes
	tianoShortest = 3
	tianoHeader   = 8 // packed and unpacked size
)

// tianoSizes reads the header before what is packed.
func tianoSizes(src []byte) (packed, plain uint32) {
	return binary.LittleEndian.Uint32(src), binary.LittleEndian.Uint32(src[4:])
}

// blockTiano unpacks a stream with its header into dst, which must be as large as the header says.
func blockTiano(dst, src []byte, distanceBits uint) (int, error) {
	if len(src) < tianoHeader {
		return 0, io.ErrUnexpectedEOF
	}
	packed, plain := tianoSizes(src)
	if src = src[tianoHeader:]; uint64(packed) > uint64(len(src)) {
		return 0, io.ErrUnexpectedEOF
	}
	if uint64(plain) > uint64(len(dst)) {
		return 0, errLarge
	}
	z := tianoReader{src: src[:packed], distanceBits: distanceBits}
	dst = dst[:plain]
	n := 0
	for n < len(dst) {
		c, err := z.char()
		if err != nil {
			return n, err
		}
		if c < 256 {
			dst[n] = byte(c)
			n++
			continue
		}
		if n, err = z.match(dst, n, c-256+tianoShortest); err != nil {
			return n, err
		}
	}
	return n, nil
}

// match copies what came before; one that is longer than the room is cut, as other decoders do.
func (z *tianoReader) match(dst []byte, n, length int) (int, error) {
	s, err := z.symbol(&z.pairs)
	if err != nil {
		return n, err
	}
	distance := s
	if s > 1 {
		distance = 1<<(s-1) + int(z.take(uint(s-1)))
	}
	from := n - distance - 1
	if from < 0 {
		return n, errHuffman
	}
	for range min(length, len(dst)-n) {
		dst[n] = dst[from]
		n, from = n+1, from+1
	}
	return n, nil
}

func (z *tianoReader) fill() {
	for z.have <= 56 {
		var b byte
		if len(z.src) > 0 {
			b, z.src = z.src[0], z.src[1:]
		} else {
			z.past++
		}
		z.bits |= uint64(b) << (56 - z.have)
		z.have += 8
	}
}

// take reads n bits, at most 31.
func (z *tianoReader) take(n uint) uint32 {
	if z.have < n {
		z.fill()
	}
	v := z.bits >> 1 >> (63 - n)
	z.bits <<= n
	z.have -= n
	return uint32(v)
}

func (z *tianoReader) symbol(t *tianoTable) (int, error) {
	if z.have < huffMax {
		z.fill()
	}
	if z.have < uint(z.past)*8 { // bits were used that are not there
		return 0, io.ErrUnexpectedEOF
	}
	if t.only >= 0 {
		return t.only, nil
	}
	s, n := t.find(uint32(z.bits >> 48))
	if n == 0 {
		return 0, errHuffman
	}
	z.bits <<= n
	z.have -= n
	return s, nil
}

// char decodes a literal or a length; a new block's tables come first.
func (z *tianoReader) char() (int, error) {
	if z.left == 0 {
		if z.left = int(z.take(16)); z.left == 0 {
			z.left = 1 << 16
		}
		var lengths tianoTable
		if err := z.table(&lengths, tianoLengths, 5, 3); err != nil {
			return 0, err
		}
		if err := z.charTable(&lengths); err != nil {
			return 0, err
		}
		if err := z.table(&z.pairs, 1<<z.distanceBits-1, z.distanceBits, -1); err != nil {
			return 0, err
		}
	}
	z.left--
	return z.symbol(&z.chars)
}

// table reads lengths of three bits, or more in unary; behind the first three, as special says, how many zeros follow.
func (z *tianoReader) table(t *tianoTable, most int, width uint, special int) error {
	n := int(z.take(width))
	if t.only = -1; n == 0 {
		t.only = int(z.take(width))
		return nil
	}
	lengths := t.length[:most]
	clear(lengths)
	for i := 0; i < n; {
		length := z.take(3)
		for length >= 7 && z.take(1) == 1 {
			if length++; length > huffMax {
				return errHuffman
			}
		}
		if i >= most {
			return errHuffman
		}
		lengths[i] = byte(length)
		if i++; i == special {
			i += int(z.take(2))
		}
	}
	return t.build(lengths)
}

// charTable reads the lengths of the codes of literals and lengths, with runs of zeros.
func (z *tianoReader) charTable(by *tianoTable) error {
	const width = 9
	n := int(z.take(width))
	t := &z.chars
	if t.only = -1; n == 0 {
		t.only = int(z.take(width))
		return nil
	}
	clear(t.length[:])
	for i := 0; i < n; {
		s, err := z.symbol(by)
		if err != nil {
			return err
		}
		if i >= tianoChars {
			return errHuffman
		}
		switch s {
		case 0:
			i++
		case 1:
			i += int(z.take(4)) + 3
		case 2:
			i += int(z.take(width)) + 20
		default:
			if s > 2+huffMax {
				return errHuffman
			}
			t.length[i] = byte(s - 2)
			i++
		}
	}
	return t.build(t.length[:])
}
