package flash

import (
	"io"
	"sync"
)

// Geometry is how a dump of a chip interleaves pages and their spare bytes (OOB). The zero value has none.
type Geometry struct{ Page, Spare int64 }

// Geometries are those of chips on the market, the commonest first.
var Geometries = []Geometry{{2048, 64}, {512, 16}, {4096, 128}, {2048, 128}, {4096, 224}, {4096, 256}, {4096, 218}, {2048, 112}, {8192, 256}, {8192, 448}, {8192, 512}, {8192, 640}, {8192, 744}, {16384, 1280}}

// Raw returns where a byte of the pages is in the dump.
func (g Geometry) Raw(off int64) int64 {
	if g.Page == 0 {
		return off
	}
	return off/g.Page*(g.Page+g.Spare) + off%g.Page
}

// Net returns how many bytes of pages a dump of size bytes holds.
func (g Geometry) Net(size int64) int64 {
	if g.Page == 0 {
		return size
	}
	whole := g.Page + g.Spare
	return size/whole*g.Page + min(size%whole, g.Page)
}

// Strip returns the pages of r without their spare bytes.
func (g Geometry) Strip(r io.ReaderAt) io.ReaderAt {
	if g.Page == 0 {
		return r
	}
	return pages{r, g}
}

type pages struct {
	r io.ReaderAt
	g Geometry
}

// pageBuffers hold pages with their spare bytes on the way.
var pageBuffers = sync.Pool{New: func() any { return new([128 << 10]byte) }}

// ReadAt makes pages an io.ReaderAt.
func (s pages) ReadAt(p []byte, off int64) (n int, err error) {
	buf := pageBuffers.Get().(*[128 << 10]byte)
	defer pageBuffers.Put(buf)
	whole := s.g.Page + s.g.Spare
	for n < len(p) && err == nil {
		at := off + int64(n)
		inPage := at % s.g.Page
		run := min((inPage+int64(len(p)-n)+s.g.Page-1)/s.g.Page, int64(len(buf))/whole)
		var got int
		got, err = s.r.ReadAt(buf[:run*whole-s.g.Spare-inPage], s.g.Raw(at))
		for raw := -inPage; raw < int64(got); raw += whole {
			from, to := max(raw, 0), min(raw+s.g.Page, int64(got))
			n += copy(p[n:], buf[from:max(from, to)])
		}
	}
	if n == len(p) {
		err = nil
	}
	return n, err
}
