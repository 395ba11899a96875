package codec

import (
	"encoding/binary"
	"io"

	"github.com/pierrec/lz4/v4"
)

// newLZ4 adds what the decoder does not look for: that a frame has its end mark, four zero bytes, perhaps before a checksum of
// four more. Legacy frames have none.
func newLZ4(r io.Reader) io.ReadCloser {
	t := &tail{r: r}
	return io.NopCloser(&lz4Reader{lz4.NewReader(t), t})
}

type lz4Reader struct {
	*lz4.Reader
	tail *tail
}

func (l *lz4Reader) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if err == io.EOF && !l.tail.marked() {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// tail remembers the first and the last bytes that went through it.
type tail struct {
	r     io.Reader
	head  []byte
	last8 uint64
	n     int64
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.n += int64(n)
	if missing := 5 - len(t.head); missing > 0 {
		t.head = append(t.head, p[:min(n, missing)]...)
	}
	for _, b := range p[max(0, n-8):n] {
		t.last8 = t.last8<<8 | uint64(b)
	}
	return n, err
}

// marked tells whether the bytes end as a frame does. Bit 2 of the byte behind the magic announces the checksum.
func (t *tail) marked() bool {
	if len(t.head) < 5 {
		return false
	}
	if binary.LittleEndian.Uint32(t.head) != 0x184d2204 {
		return true
	}
	if t.head[4]&4 != 0 {
		return t.n >= 15 && t.last8>>32 == 0
	}
	return t.n >= 11 && uint32(t.last8) == 0
}
