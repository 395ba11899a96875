package codec

import (
	"fmt"
	"io"
)

// filterStream undoes a filter as bytes go by.
type filterStream struct {
	r     io.Reader
	undo  func(b []byte, start uint32) int // returns how many bytes it is done with
	start uint32                           // address of buf[done]
	buf   []byte
	read  int // what was handed out,
	done  int // what the filter is done with,
	n     int // and what is there
	err   error
}

// NewBranch returns the bytes of r without the filter that the .xz file format, and 7-Zip too, gives an id: 4 x86, 5 PowerPC, 6 IA-64,
// 7 ARM, 8 Thumb, 9 SPARC, 10 ARM64.
func NewBranch(r io.Reader, id uint64, properties []byte) (io.Reader, error) {
	f, err := newBranchFilter(id, properties)
	if err != nil {
		return nil, err
	}
	s := &filterStream{r: r, start: f.start, buf: make([]byte, 32<<10)}
	switch id {
	case 4:
		s.undo = (&x86Memory{last: -1}).undo
	case 8:
		s.undo = thumbUndo
	default:
		step := 4
		if id == 6 {
			step = 16
		}
		s.undo = func(b []byte, start uint32) int {
			n := len(b) &^ (step - 1)
			f.decode(b[:n], start)
			return n
		}
	}
	return s, nil
}

func (s *filterStream) Read(p []byte) (int, error) {
	for s.read == s.done {
		if s.err != nil {
			return 0, s.err
		}
		s.more()
	}
	n := copy(p, s.buf[s.read:s.done])
	s.read += n
	return n, nil
}

// more reads on; the last bytes, too few for an instruction, are as they are.
func (s *filterStream) more() {
	left := copy(s.buf, s.buf[s.done:s.n])
	k, err := io.ReadFull(s.r, s.buf[left:])
	s.read, s.n = 0, left+k
	s.done = s.undo(s.buf[:s.n], s.start)
	s.start += uint32(s.done)
	if err == nil {
		return
	}
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	if err == io.EOF {
		s.done = s.n
	}
	s.err = err
}

// NewDelta returns the bytes of r, each of which is told by what it adds to the one a distance (1 to 256) before.
func NewDelta(r io.Reader, distance int) (io.Reader, error) {
	if distance < 1 || distance > 256 {
		return nil, fmt.Errorf("delta filter of distance %d", distance)
	}
	return &deltaStream{r: r, distance: distance}, nil
}

type deltaStream struct {
	r        io.Reader
	distance int
	past     [256]byte
	at       byte
}

func (d *deltaStream) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	for i := range p[:n] {
		p[i] += d.past[byte(int(d.at)-d.distance)]
		d.past[d.at] = p[i]
		d.at++
	}
	return n, err
}
