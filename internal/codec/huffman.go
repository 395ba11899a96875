package codec

import "errors"

const (
	huffBits = 10 // codes up to this length are found by one look
	huffMax  = 16
)

var errHuffman = errors.New("table of codes is damaged")

// huffman finds canonical codes of at most 16 bits whose highest bit comes first.
type huffman struct {
	look    [1 << huffBits]uint16 // symbol<<4 + length; 0 where the code is longer or there is none
	first   [huffMax + 1]uint32   // the first code of each length,
	count   [huffMax + 1]uint32   // how many there are,
	start   [huffMax + 1]int      // and where they begin in symbols
	symbols []uint16
}

// build makes codes of their lengths; 0 is a symbol that has none. More codes than there is room for are an error; fewer are none until one
// comes that is missing.
func (h *huffman) build(lengths []byte) error {
	clear(h.look[:])
	h.count = [huffMax + 1]uint32{}
	for _, n := range lengths {
		h.count[n]++
	}
	h.count[0] = 0
	code, start := uint32(0), 0
	for n := 1; n <= huffMax; n++ {
		code <<= 1
		h.first[n], h.start[n] = code, start
		code += h.count[n]
		start += int(h.count[n])
		if code > 1<<n {
			return errHuffman
		}
	}
	if cap(h.symbols) < start {
		h.symbols = make([]uint16, len(lengths))
	}
	h.symbols = h.symbols[:start]
	next := h.start
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		i := next[n]
		next[n]++
		h.symbols[i] = uint16(symbol)
		if n <= huffBits {
			at := (h.first[n] + uint32(i-h.start[n])) << (huffBits - n)
			for k := range uint32(1) << (huffBits - n) {
				h.look[at+k] = uint16(symbol)<<4 | uint16(n)
			}
		}
	}
	return nil
}

// find returns the symbol whose code begins these 16 bits, and the code's length; 0 when there is none.
func (h *huffman) find(bits uint32) (symbol int, n uint) {
	if e := h.look[bits>>(16-huffBits)]; e != 0 {
		return int(e >> 4), uint(e & 15)
	}
	for n := huffBits + 1; n <= huffMax; n++ {
		if i := bits>>(16-n) - h.first[n]; i < h.count[n] {
			return int(h.symbols[h.start[n]+int(i)]), uint(n)
		}
	}
	return 0, 0
}
