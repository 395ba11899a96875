package archive

import (
	"context"
	"errors"
	"hash/crc32"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// solid is files that were packed together and come out of a decoder one behind the other. What nobody wants is not unpacked, unless
// something wanted stands behind it.
type solid struct {
	*members
	ctx   context.Context
	start func() (io.Reader, error)
	r     io.Reader // nil until a file is opened
	at    int64     // how far r was read
	err   error     // why it cannot be read on
}

// member opens a run of the bytes, until the yield returns. sum is its CRC-32; nil when there is none.
func (s *solid) member(offset, size int64, sum *uint32) func() (biopsy.Content, error) {
	return func() (biopsy.Content, error) {
		if err := s.seek(offset); err != nil {
			return nil, err
		}
		c, err := s.keep(s, size, sum)
		if err != nil && s.at < offset+size {
			s.err = err
		}
		return c, err
	}
}

// Read counts how far was read.
func (s *solid) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	s.at += int64(n)
	return n, err
}

// seek goes to an offset; backwards by beginning again, which the budget counts.
func (s *solid) seek(offset int64) error {
	if s.r == nil && s.err == nil || offset < s.at {
		r, err := s.start()
		s.r, s.at, s.err = &cancelled{s.ctx, &spending{r: r, budget: s.Budget}}, 0, err
	}
	if s.err == nil {
		_, s.err = io.Copy(io.Discard, &exactly{r: s, left: offset - s.at})
	}
	return s.err
}

// keep takes size bytes of r, and holds them against their sum.
func (m *members) keep(r io.Reader, size int64, want *uint32) (biopsy.Content, error) {
	sum := crc32.NewIEEE()
	c, err := m.Spool.Keep(io.TeeReader(&exactly{r: r, left: size}, sum), m.Limits.FileSize)
	if err != nil {
		return nil, err
	}
	if want != nil && sum.Sum32() != *want {
		return nil, errors.Join(errors.New("checksum is wrong"), c.Close())
	}
	return c, nil
}
