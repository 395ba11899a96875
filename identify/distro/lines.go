package distro

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// maxLine bounds one line of a database. The longest dependency lines of real distributions stay below 64 KiB.
const maxLine = 1 << 20

// lines hands out a file line by line, without line ends.
type lines struct {
	r    *bufio.Reader
	n    int // number of the line handed out last, from 1
	long []byte
}

func readLines(in biopsy.Input) *lines {
	size := int(min(max(in.Size(), 512), 32<<10))
	return &lines{r: bufio.NewReaderSize(in.Reader(), size)}
}

// next returns a line that is valid until the following call. io.EOF comes after the last one.
func (l *lines) next() ([]byte, error) {
	b, err := l.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		b, err = l.rest(b)
	}
	if err != nil && (err != io.EOF || len(b) == 0) {
		return nil, err
	}
	l.n++
	return bytes.TrimRight(b, "\r\n"), nil
}

// rest completes a line that is longer than the buffer.
func (l *lines) rest(b []byte) ([]byte, error) {
	l.long = append(l.long[:0], b...)
	for {
		b, err := l.r.ReadSlice('\n')
		l.long = append(l.long, b...)
		if err != bufio.ErrBufferFull {
			return l.long, err
		}
		if len(l.long) > maxLine {
			return nil, fmt.Errorf("line %d is longer than %d bytes", l.n+1, maxLine)
		}
	}
}
