package fat

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/runs"
)

// chain finds the clusters of a file. want is how many the file must have, -1 when the chain alone tells; no more than most are taken.
func (v *volume) chain(e entry, want, most int64) (*runs.Builder, error) {
	b := runs.New(v.src, v.there)
	f := fatReader{volume: v}
	most = min(most, v.clusters)
	if want == 0 || e.first == 0 && want < 0 {
		return b, nil
	}
	for n, c := int64(0), e.first; ; n++ {
		if n == most {
			if want < 0 && !e.contiguous {
				return nil, errors.New("chain of clusters is too long, or goes in a circle")
			}
			return b, nil
		}
		if int64(c) < 2 || int64(c) >= v.clusters+2 {
			return nil, fmt.Errorf("cluster %d of %d, after %d others", c, v.clusters, n)
		}
		size := v.cluster
		if want >= 0 {
			size = min(size, e.valid-n*v.cluster)
		}
		if err := b.Add(n*v.cluster, size, v.data+(int64(c)-2)*v.cluster); err != nil {
			return nil, fmt.Errorf("cluster %d: %w", c, err)
		}
		if e.contiguous {
			c++
			continue
		}
		next, err := f.next(c)
		switch {
		case err != nil:
			return nil, err
		case !v.last(next):
			c = next
		case n+1 < most && want >= 0:
			return nil, fmt.Errorf("chain of clusters ends after %d of %d", n+1, want)
		default:
			return b, nil
		}
	}
}

// last tells whether an entry ends a chain.
func (v *volume) last(next uint32) bool {
	switch v.kind {
	case 12:
		return next >= 0xff8
	case 16:
		return next >= 0xfff8
	case 32:
		return next >= 0x0ffffff8
	}
	return next == 0xffffffff
}

// fatReader reads entries of the first table through a buffer. One goroutine uses it.
type fatReader struct {
	*volume
	at  int64
	n   int64
	buf [4096 + 8]byte
}

// next returns the entry of cluster c.
func (f *fatReader) next(c uint32) (uint32, error) {
	off := int64(c) * 4
	switch f.kind {
	case 12:
		off = int64(c) * 3 / 2
	case 16:
		off = int64(c) * 2
	}
	if off < f.at || off+4 > f.at+f.n {
		f.at = off &^ 4095
		f.n = min(int64(len(f.buf)), f.fatSize-f.at)
		if f.n <= 0 {
			return 0, fmt.Errorf("cluster %d is not in the table", c)
		}
		n, err := f.src.ReadAt(f.buf[:f.n], f.fat+f.at)
		if n == 0 {
			f.n = 0
			return 0, fmt.Errorf("table at offset %d: %w", f.fat+f.at, short(err))
		}
		f.n = int64(n)
		clear(f.buf[n:])
	}
	b := f.buf[off-f.at:]
	switch f.kind {
	case 12:
		return uint32(le.Uint16(b)>>(c&1*4)) & 0xfff, nil
	case 16:
		return uint32(le.Uint16(b)), nil
	case 32:
		return le.Uint32(b) & 0x0fffffff, nil
	}
	return le.Uint32(b), nil
}

// ledger says which clusters the table has in use. exFAT marks them in a bitmap instead, which files need not stand in the table for: its
// clusters all count as used.
func (w *walker) ledger(ctx context.Context) []biopsy.Span {
	s, end := runs.NewSpans(w.src), min(w.size, w.there)
	s.Used(min(w.data, end), "fat")
	f := fatReader{volume: w.volume}
	for c := int64(0); c < w.clusters && w.kind != 64; c++ {
		if c%65536 == 0 && ctx.Err() != nil {
			break
		}
		next, err := f.next(uint32(c + 2))
		if err != nil {
			break // the end is said to be cut off already
		}
		if to := min(w.data+(c+1)*w.cluster, end); next != 0 {
			s.Used(to, "fat")
		} else if more, err := f.next(uint32(c + 3)); err != nil || more != 0 || c+1 == w.clusters {
			s.Free(to)
		}
	}
	if w.kind == 64 {
		s.Used(min(w.data+w.clusters*w.cluster, end), "exfat")
	}
	s.Free(w.there)
	return s.Done()
}

func readAt(r io.ReaderAt, b []byte, off int64) error {
	if n, err := r.ReadAt(b, off); n < len(b) {
		return fmt.Errorf("at offset %d: %w", off, short(err))
	}
	return nil
}

// short words the end of an image as one that came too early.
func short(err error) error {
	if err == io.EOF || err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}
