package archive

import (
	"errors"
	"hash/crc32"
	"io"
	"sync"
)

// stored is a member that is not packed. Whoever reads it from its start to its end learns at the end when the checksum is wrong.
type stored struct {
	*io.SectionReader
	crc uint32 // what the directory says

	mu   sync.Mutex
	at   int64 // read without a hole up to here
	sum  uint32
	fail bool
}

func (*stored) Close() error { return nil }

func (s *stored) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.SectionReader.ReadAt(p, off)
	if s.wrong(p[:n], off) {
		return n, errors.New("checksum is wrong")
	}
	return n, err
}

// wrong tells whether the bytes reach the end of a member whose sum is not the directory's.
func (s *stored) wrong(b []byte, off int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := off + int64(len(b))
	if off <= s.at && end > s.at {
		s.sum = crc32.Update(s.sum, crc32.IEEETable, b[s.at-off:])
		s.at = end
		s.fail = end == s.Size() && s.sum != s.crc
	}
	return s.fail && end == s.Size()
}
