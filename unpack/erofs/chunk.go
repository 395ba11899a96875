package erofs

import (
	"errors"
	"fmt"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/lazy"
)

const (
	chunkBits    = 0x1f
	chunkIndexes = 0x20 // entries of 8 bytes that name a device too
	noChunk      = 1<<32 - 1
)

// chunks returns a file whose chunks lie where a list says.
func (i *image) chunks(n node) (biopsy.Content, error) {
	if n.extra&^(chunkBits|chunkIndexes) != 0 {
		return nil, fmt.Errorf("chunks of format %#x are not known", n.extra)
	}
	bits := i.bits + uint(n.extra&chunkBits)
	unit := int64(4)
	if n.extra&chunkIndexes != 0 {
		unit = 8
	}
	if bits > 40 {
		return nil, fmt.Errorf("chunks of 2^%d bytes", bits)
	}
	count := (n.size-1)>>bits + 1
	if count > i.end/unit {
		return nil, fmt.Errorf("%d chunks in an image of %d bytes", count, i.end)
	}
	list, err := i.read((n.behind+unit-1)&^(unit-1), count*unit)
	if err != nil {
		return nil, fmt.Errorf("list of chunks: %w", err)
	}
	return &lazy.Content{Length: n.size, At: func(off int64) ([]byte, int64, error) {
		entry := list[off>>bits*unit:][:unit]
		within := off & (1<<bits - 1)
		left := min(1<<bits-within, n.size-off)
		block := le.Uint32(entry[unit-4:])
		switch {
		case block == noChunk:
			return nil, left, nil
		case unit == 8 && le.Uint32(entry) != 0:
			return nil, 0, errors.New("the bytes lie on another device")
		}
		b, err := i.read(int64(block)<<i.bits+within, min(left, 64<<10))
		return b, 0, err
	}}, nil
}
