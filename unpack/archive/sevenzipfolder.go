package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// szFolder is packed bytes and the decoders that they go through.
type szFolder struct {
	coders []szCoder
	packed []int // inputs that are fed from the archive, in the order of their bytes there
	first  int   // number of the first packed stream
	sizes  []int64
	sum    uint32
	summed bool
}

// szCoder is a decoder with one output. Inputs of all coders are counted together.
type szCoder struct {
	method     uint64
	properties []byte
	in         int   // its first input
	from       []int // for each input the coder that feeds it; -1 is the archive
	feeds      bool  // its output is another's input
}

const szCoders = 32 // of one folder, as 7-Zip itself allows

// Methods (Methods.txt of the LZMA SDK).
const (
	szCopy     = 0
	szDelta    = 0x03
	szLZMA2    = 0x21
	szLZMA     = 0x030101
	szBCJ      = 0x03030103
	szBCJ2     = 0x0303011b
	szPPC      = 0x03030205
	szIA64     = 0x03030401
	szARM      = 0x03030501
	szThumb    = 0x03030701
	szSPARC    = 0x03030805
	szDeflate  = 0x040108
	szBzip2    = 0x040202
	szZstd     = 0x04f71101
	szLZ4      = 0x04f71104
	szAES      = 0x06f10701
	szBranches = 10 // methods 4 to 10 are filters, by the numbers that xz gives them too
)

var szFilters = map[uint64]uint64{szBCJ: 4, szPPC: 5, szIA64: 6, szARM: 7, szThumb: 8, szSPARC: 9}

var szUnreadable = map[uint64]string{
	0x0b: "RISC-V filter", 0x030401: "PPMd", 0x040109: "Deflate64", 0x04f71102: "Brotli", 0x04f71105: "LZ5", 0x04f71106: "Lizard", szAES: "AES",
}

// readSzFolder reads coders, which coder feeds which input, and which inputs the archive feeds.
func readSzFolder(in *szBytes) (f szFolder) {
	n := in.number()
	if n == 0 || n > szCoders {
		in.fail()
		return f
	}
	inputs := 0
	for range n {
		flags := in.byte()
		var c szCoder
		for _, b := range in.take(uint64(flags & 0xf)) {
			c.method = c.method<<8 | uint64(b)
		}
		k := uint64(1)
		if flags&0x10 != 0 {
			k = in.number()
			if out := in.number(); out != 1 { // two were last written in 2005
				in.fail()
			}
		}
		if flags&0x20 != 0 {
			c.properties = in.take(in.number())
		}
		if k == 0 || k > szCoders || flags&0xc0 != 0 || flags&0xf > 8 {
			in.fail()
			return f
		}
		c.in = inputs
		for range k {
			c.from = append(c.from, -1)
		}
		inputs += int(k)
		f.coders = append(f.coders, c)
	}
	f.bind(in, inputs)
	return f
}

// bind reads the pairs of input and output, and the inputs that are left.
func (f *szFolder) bind(in *szBytes, inputs int) {
	bound := make([]bool, inputs)
	for range len(f.coders) - 1 {
		to, from := in.number(), in.number()
		if to >= uint64(inputs) || from >= uint64(len(f.coders)) || bound[to] || f.coders[from].feeds {
			in.fail()
			return
		}
		bound[to], f.coders[from].feeds = true, true
		for i := range f.coders {
			if c := &f.coders[i]; int(to) >= c.in && int(to) < c.in+len(c.from) {
				c.from[int(to)-c.in] = int(from)
			}
		}
	}
	left := inputs - (len(f.coders) - 1)
	switch {
	case left < 1:
		in.fail()
	case left == 1:
		for i := range bound {
			if !bound[i] {
				f.packed = []int{i}
			}
		}
	default:
		for range left {
			i := in.number()
			if i >= uint64(inputs) || bound[i] {
				in.fail()
				return
			}
			bound[i] = true
			f.packed = append(f.packed, int(i))
		}
	}
}

// last is the coder whose output is the folder's; -1 when there is none.
func (f *szFolder) last() int {
	for i := range f.coders {
		if !f.coders[i].feeds {
			return i
		}
	}
	return -1
}

// size is how many bytes come out of the folder.
func (f *szFolder) size() int64 {
	if i := f.last(); i >= 0 && i < len(f.sizes) {
		return f.sizes[i]
	}
	return 0
}

func (f *szFolder) encrypted() bool {
	for _, c := range f.coders {
		if c.method == szAES {
			return true
		}
	}
	return false
}

// unreadable tells why nothing can come out; "" when it can.
func (f *szFolder) unreadable() string {
	if f.encrypted() {
		return "encrypted"
	}
	for _, c := range f.coders {
		if what := szUnreadable[c.method]; what != "" {
			return "packed by " + what + ", which we cannot read"
		}
	}
	return ""
}

// open starts the decoders.
func (f *szFolder) open(c biopsy.Content, s szStreams) (io.Reader, error) {
	if why := f.unreadable(); why != "" {
		return nil, errors.New(why)
	}
	if len(f.sizes) != len(f.coders) || f.last() < 0 {
		return nil, errSz
	}
	if err := f.affordable(); err != nil {
		return nil, err
	}
	return f.output(f.last(), c, s)
}

// maxSzWindows bounds the memory of all decoders of a folder together: one of the largest kind, or some of the usual ones.
const maxSzWindows = 400 << 20

func (f *szFolder) affordable() error {
	sum := int64(0)
	for i, c := range f.coders {
		dict := int64(0)
		switch {
		case c.method == szLZMA && len(c.properties) == 5:
			dict = int64(le.Uint32(c.properties[1:]))
		case c.method == szLZMA2 && len(c.properties) == 1 && c.properties[0] <= 40:
			p := c.properties[0]
			dict = int64(2|p&1) << (p/2 + 11)
		}
		sum += min(dict, f.sizes[i]) / 4 * 5
	}
	if sum > maxSzWindows {
		return fmt.Errorf("needs %d bytes of memory to unpack, more than the limit of %d", sum, maxSzWindows)
	}
	return nil
}

// output is what comes out of a coder. No circle can be reached: each output feeds one input only, and the last coder's none.
func (f *szFolder) output(i int, c biopsy.Content, s szStreams) (io.Reader, error) {
	coder := f.coders[i]
	var in []io.Reader
	for k, from := range coder.from {
		if from >= 0 {
			r, err := f.output(from, c, s)
			if err != nil {
				return nil, err
			}
			in = append(in, &exactly{r: r, left: f.sizes[from]})
			continue
		}
		r, err := f.stored(coder.in+k, c, s)
		if err != nil {
			return nil, err
		}
		in = append(in, r)
	}
	return coder.decoder(in, f.sizes[i])
}

// stored is a packed stream of the archive.
func (f *szFolder) stored(input int, c biopsy.Content, s szStreams) (io.Reader, error) {
	for i, p := range f.packed {
		if p != input {
			continue
		}
		n := f.first + i
		if n >= len(s.packed) || s.offset(n) < 0 || s.offset(n) > c.Size() || s.packed[n] > c.Size()-s.offset(n) {
			return nil, fmt.Errorf("packed bytes of a folder: %w", io.ErrUnexpectedEOF)
		}
		return bufio.NewReaderSize(io.NewSectionReader(c, s.offset(n), s.packed[n]), 32<<10), nil
	}
	return nil, errSz
}

func (c *szCoder) decoder(in []io.Reader, size int64) (io.Reader, error) {
	if c.method == szBCJ2 && len(in) == 4 {
		return codec.NewBCJ2(in[0], in[1], in[2], in[3]), nil
	}
	if len(in) != 1 {
		return nil, errSz
	}
	id, isFilter := szFilters[c.method]
	if c.method >= 4 && c.method <= szBranches {
		id, isFilter = c.method, true
	}
	switch {
	case isFilter:
		return codec.NewBranch(in[0], id, c.properties)
	case c.method == szCopy:
		return in[0], nil
	case c.method == szLZMA:
		return codec.NewLZMA(in[0], c.properties, size)
	case c.method == szLZMA2 && len(c.properties) == 1:
		return codec.NewLZMA2(in[0], c.properties[0], size)
	case c.method == szDelta && len(c.properties) == 1:
		return codec.NewDelta(in[0], int(c.properties[0])+1)
	}
	for method, format := range map[uint64]codec.Format{szDeflate: codec.Deflate, szBzip2: codec.Bzip2, szZstd: codec.Zstd, szLZ4: codec.LZ4} {
		if method == c.method {
			return codec.NewReader(format, in[0])
		}
	}
	return nil, fmt.Errorf("packed by method %x, which we cannot read", c.method)
}
