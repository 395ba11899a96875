package codec

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxDictionary bounds the dictionary of streams that name their own: 7-Zip's largest level takes as much. It is taken only as far
// as bytes come out.
const maxDictionary = 256 << 20

const (
	lzmaPacked = 64 << 10 // of packed bytes in memory: a chunk of LZMA2, and more than LZMA looks ahead
	leastSlack = 256 << 10
)

// window holds what came out last of a stream: the dictionary, and what nobody has read yet.
type window struct {
	b         []byte
	dict, max int64 // bytes of the dictionary; the window's largest size
	base      int   // where the dictionary begins
	out, read int   // what came out, and what of it was read
	left      int64 // bytes that are still to come; -1 when nobody knows
}

func newWindow(dict, size int64) (window, error) {
	if size >= 0 {
		dict = min(dict, size)
	}
	dict = max(dict, 4096)
	if dict > maxDictionary {
		return window{}, fmt.Errorf("lzma: a dictionary of %d bytes, which is more than the limit of %d", dict, maxDictionary)
	}
	w := window{dict: dict, max: dict + max(dict/4, leastSlack), left: size}
	return w, nil
}

// room returns up to where bytes may come out: at least one more than are there, and no more than will come.
func (w *window) room() int {
	if w.out == len(w.b) {
		w.grow()
	}
	end := len(w.b)
	if w.left >= 0 && int64(end-w.out) > w.left {
		end = w.out + int(w.left)
	}
	return end
}

// grow makes room: more memory up to the largest size, then by forgetting what is older than the dictionary. Places keep their
// remainder by 16, which literals and lengths are told apart by.
func (w *window) grow() {
	if n := int64(len(w.b)); n < w.max {
		larger := make([]byte, min(max(2*n, 64<<10), w.max))
		copy(larger, w.b[:w.out])
		w.b = larger
		return
	}
	shift := w.base
	if old := w.out - w.base - int(w.dict) - 16; old > 0 {
		shift += old &^ 15
	}
	copy(w.b, w.b[shift:w.out])
	w.out, w.read, w.base = w.out-shift, w.read-shift, 0
}

// take hands bytes out that were not read yet.
func (w *window) take(p []byte) int {
	n := copy(p, w.b[w.read:w.out])
	w.read += n
	return n
}

// came counts what the decoder made.
func (w *window) came(out int) {
	if w.left >= 0 {
		w.left -= int64(out - w.out)
	}
	w.out = out
}

// owed writes the rest of a match that had no room.
func (w *window) owed(d *lzmaDecoder, limit int) {
	n := min(d.pending, limit-w.out)
	back := int(d.rep[0]) + 1
	for i := w.out; i < w.out+n; i++ {
		w.b[i] = w.b[i-back]
	}
	d.pending -= n
	w.came(w.out + n)
}

// lzmaStream unpacks LZMA without header.
type lzmaStream struct {
	r      io.Reader
	d      lzmaDecoder
	w      window
	src    []byte
	pos, n int  // in src
	ended  bool // r has no more
	err    error
}

// NewLZMA returns the plain bytes of LZMA whose five bytes of properties and whose size stand elsewhere; size -1 is unknown, and
// ends at the mark. Its memory is what comes out, at most 256 MiB and a quarter.
func NewLZMA(r io.Reader, properties []byte, size int64) (io.Reader, error) {
	return newLZMAStream(r, properties, size)
}

// newLZMA reads the header of the "alone" format.
func newLZMA(r io.Reader) (io.Reader, error) {
	var h [lzmaHeader]byte
	if err := whole(r, h[:]); err != nil {
		return nil, err
	}
	if dict := binary.LittleEndian.Uint32(h[1:]); dict > maxWindow {
		return nil, fmt.Errorf("lzma: a dictionary of %d bytes, which is more than the limit of %d", dict, maxWindow)
	}
	size := binary.LittleEndian.Uint64(h[5:])
	if size != 1<<64-1 && size > 1<<62 {
		return nil, errLZMA
	}
	return newLZMAStream(r, h[:5], int64(size))
}

func newLZMAStream(r io.Reader, properties []byte, size int64) (*lzmaStream, error) {
	if len(properties) != 5 {
		return nil, errLZMAProp
	}
	w, err := newWindow(int64(binary.LittleEndian.Uint32(properties[1:])), size)
	if err != nil {
		return nil, err
	}
	s := &lzmaStream{r: r, w: w, src: make([]byte, lzmaPacked)}
	if err := s.d.anyProperties(properties[0]); err != nil {
		return nil, err
	}
	s.d.reset()
	if err := s.fill(); err != nil {
		return nil, err
	}
	if err := s.d.start(s.src[:s.n]); err != nil {
		return nil, err
	}
	s.pos = 5
	return s, nil
}

// fill reads on; what was not used yet moves to the front.
func (s *lzmaStream) fill() error {
	s.n = copy(s.src, s.src[s.pos:s.n])
	s.pos = 0
	k, err := io.ReadFull(s.r, s.src[s.n:])
	s.n += k
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		s.ended, err = true, nil
	}
	return err
}

func (s *lzmaStream) Read(p []byte) (int, error) {
	for s.w.read == s.w.out && s.err == nil {
		s.err = s.more()
	}
	if n := s.w.take(p); n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, s.err
}

// more unpacks up to where the window is full or the packed bytes are used up.
func (s *lzmaStream) more() error {
	if s.w.left == 0 || s.d.marked {
		return s.atEnd()
	}
	limit := s.w.room()
	if s.w.owed(&s.d, limit); s.w.out == limit {
		return nil
	}
	if !s.ended && s.n-s.pos <= 2*inputMargin {
		if err := s.fill(); err != nil {
			return err
		}
	}
	var out int
	var err error
	if s.ended {
		out, s.pos, err = s.d.run(s.w.b[:limit], s.w.base, s.w.out, s.src[:s.n], s.pos, true)
	} else {
		out, s.pos, err = s.d.symbols(s.w.b[:limit], s.w.base, s.w.out, s.src[:s.n], s.pos, s.n-inputMargin, true)
	}
	s.w.came(out)
	return err
}

func (s *lzmaStream) atEnd() error {
	if s.w.left > 0 {
		return io.ErrUnexpectedEOF
	}
	if s.d.pending > 0 {
		return errLarge
	}
	return io.EOF
}

// lzma2Stream unpacks LZMA2 without container.
type lzma2Stream struct {
	r            io.Reader
	d            lzmaDecoder
	w            window
	chunk        []byte // packed bytes of one chunk
	pos          int
	left         int // plain bytes of the chunk that are missing
	stored       bool
	fresh, known bool // a dictionary was begun, properties are known
	err          error
}

// NewLZMA2 returns the plain bytes of LZMA2 whose byte of properties and whose size stand elsewhere; size -1 is unknown.
func NewLZMA2(r io.Reader, property byte, size int64) (io.Reader, error) {
	if property > 40 {
		return nil, errLZMAProp
	}
	dict := int64(1<<32 - 1)
	if property < 40 {
		dict = int64(2|property&1) << (property/2 + 11)
	}
	w, err := newWindow(dict, size)
	if err != nil {
		return nil, err
	}
	return &lzma2Stream{r: r, w: w}, nil
}

func (s *lzma2Stream) Read(p []byte) (int, error) {
	for s.w.read == s.w.out && s.err == nil {
		s.err = s.more()
	}
	if n := s.w.take(p); n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, s.err
}

func (s *lzma2Stream) more() error {
	if s.w.left == 0 {
		return io.EOF
	}
	if s.left == 0 {
		return s.next()
	}
	limit := min(s.w.room(), s.w.out+s.left)
	before := s.w.out
	if s.stored {
		n := copy(s.w.b[before:limit], s.chunk[s.pos:])
		s.pos += n
		s.left -= n
		s.w.came(before + n)
		return nil
	}
	if s.w.owed(&s.d, limit); s.w.out < limit {
		out, pos, err := s.d.run(s.w.b[:limit], s.w.base, s.w.out, s.chunk, s.pos, true)
		s.pos = pos
		s.w.came(out)
		if err != nil {
			return err
		}
		if s.d.marked {
			return errLZMA
		}
	}
	if s.left -= s.w.out - before; s.left > 0 {
		return nil
	}
	if used, whole := s.d.finish(s.chunk, s.pos); !whole || used != len(s.chunk) || s.d.pending > 0 {
		return errLZMA
	}
	return nil
}

// next reads a chunk: control byte, sizes minus one, properties where the control byte announces them.
func (s *lzma2Stream) next() error {
	var h [6]byte
	if err := whole(s.r, h[:1]); err != nil {
		return err
	}
	control, size := h[0], 3
	switch {
	case control == 0:
		return io.EOF
	case control >= 0xc0:
		size = 6
	case control >= 0x80:
		size = 5
	}
	if err := whole(s.r, h[1:size]); err != nil {
		return err
	}
	if control == 1 || control >= 0xe0 {
		s.w.base, s.fresh = s.w.out, true
	}
	if !s.fresh || control > 2 && control < 0x80 {
		return errLZMA
	}
	s.left, s.pos, s.stored = int(binary.BigEndian.Uint16(h[1:]))+1, 0, control < 0x80
	packed := s.left
	if !s.stored {
		s.left += int(control&0x1f) << 16
		packed = int(binary.BigEndian.Uint16(h[3:])) + 1
	}
	if s.chunk == nil {
		s.chunk = make([]byte, 0, lzmaPacked)
	}
	s.chunk = s.chunk[:packed]
	if err := whole(s.r, s.chunk); err != nil || s.stored {
		return err
	}
	if control >= 0xc0 {
		if err := s.d.properties(h[5]); err != nil {
			return err
		}
		s.known = true
	}
	if !s.known {
		return errLZMA
	}
	if control >= 0xa0 {
		s.d.reset()
	}
	s.pos = 5
	return s.d.start(s.chunk)
}

// whole fills b; that there is nothing is an early end too.
func whole(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
