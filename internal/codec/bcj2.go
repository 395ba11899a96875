package codec

import (
	"bufio"
	"encoding/binary"
	"io"
)

// bcj2Stream undoes 7-Zip's filter BCJ2 for x86 (LZMA SDK 24.09): targets of calls and of jumps stand in streams of their own, and a
// range coder tells which of them were moved there.
type bcj2Stream struct {
	main, call, jump, choices *bufio.Reader
	probs                     [256 + 2]uint16
	rng, code                 uint32
	before                    byte   // the last byte that came out
	at                        uint32 // how many came out
	target                    [4]byte
	owed                      int // bytes of target that were not handed out
	err                       error
}

// NewBCJ2 returns the plain bytes of the four streams.
func NewBCJ2(main, call, jump, choices io.Reader) io.Reader {
	s := &bcj2Stream{main: bufio.NewReader(main), call: bufio.NewReader(call), jump: bufio.NewReader(jump), choices: bufio.NewReader(choices), rng: 1<<32 - 1}
	for i := range s.probs {
		s.probs[i] = probInit
	}
	var b [5]byte
	s.err = whole(s.choices, b[:])
	s.code = binary.BigEndian.Uint32(b[1:])
	return s
}

func (s *bcj2Stream) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if s.owed > 0 {
			p[n] = s.target[4-s.owed]
			s.owed--
			n++
			continue
		}
		if s.err != nil {
			break
		}
		var b byte
		if b, s.err = s.main.ReadByte(); s.err != nil {
			break
		}
		p[n] = b
		n++
		s.at++
		s.err = s.branch(b)
	}
	if n == 0 && len(p) > 0 {
		return 0, s.err
	}
	return n, nil
}

// branch looks at a byte that came out: behind one that begins a call or a jump, its target may follow from elsewhere.
func (s *bcj2Stream) branch(b byte) error {
	before := s.before
	s.before = b
	at := 257 // 0F 80 to 0F 8F: conditional jumps
	switch {
	case b == 0xe8:
		at = int(before)
	case b == 0xe9:
		at = 256
	case before != 0x0f || b&0xf0 != 0x80:
		return nil
	}
	moved, err := s.choice(&s.probs[at])
	if err != nil || !moved {
		return err
	}
	from := s.jump
	if b == 0xe8 {
		from = s.call
	}
	var t [4]byte
	if err := whole(from, t[:]); err != nil {
		return err
	}
	relative := binary.BigEndian.Uint32(t[:]) - (s.at + 4)
	binary.LittleEndian.PutUint32(s.target[:], relative)
	s.owed = 4
	s.at += 4
	s.before = byte(relative >> 24)
	return nil
}

// choice decodes a bit.
func (s *bcj2Stream) choice(p *uint16) (bool, error) {
	if s.rng < rangeTop {
		b, err := s.choices.ReadByte()
		if err != nil {
			return false, io.ErrUnexpectedEOF
		}
		s.rng, s.code = s.rng<<8, s.code<<8|uint32(b)
	}
	v := uint32(*p)
	bound := s.rng >> 11 * v
	if s.code < bound {
		s.rng = bound
		*p = uint16(v + (2048-v)>>5)
		return false, nil
	}
	s.rng, s.code = s.rng-bound, s.code-bound
	*p = uint16(v - v>>5)
	return true, nil
}
