package codec

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
)

// The .xz file format, version 1.2.1 (2024).

var (
	errXZ      = errors.New("xz data is damaged")
	errXZCheck = errors.New("xz data is damaged: wrong check sum")
)

const xzHeader = 12 // bytes of a stream's header

// blockXZ unpacks one stream. Its index and footer, which add nothing to the check sums of its blocks, are not read.
func blockXZ(dst, src []byte) (n int, err error) {
	if len(src) < xzHeader {
		return 0, io.ErrUnexpectedEOF
	}
	if !bytes.HasPrefix(src, []byte("\xfd7zXZ\x00\x00")) || src[7] > 15 || crc32.ChecksumIEEE(src[6:8]) != binary.LittleEndian.Uint32(src[8:]) {
		return 0, errXZ
	}
	check := src[7]
	for pos := xzHeader; ; {
		if pos >= len(src) {
			return n, io.ErrUnexpectedEOF
		}
		if src[pos] == 0 {
			return n, nil // the index
		}
		made, taken, err := xzOneBlock(dst[n:], src[pos:], check)
		n += made
		pos += taken
		if err != nil {
			return n, err
		}
	}
}

// xzOneBlock unpacks a block with its header and check.
func xzOneBlock(dst, src []byte, check byte) (made, taken int, err error) {
	size := (int(src[0]) + 1) * 4
	if size > len(src) {
		return 0, 0, io.ErrUnexpectedEOF
	}
	header := src[:size]
	if crc32.ChecksumIEEE(header[:size-4]) != binary.LittleEndian.Uint32(header[size-4:]) {
		return 0, 0, errXZCheck
	}
	filters, err := xzFilters(header[:size-4])
	if err != nil {
		return 0, 0, err
	}
	made, taken, err = lzma2(dst, src[size:])
	if err != nil {
		return made, size, err
	}
	for i := len(filters) - 1; i >= 0; i-- {
		filters[i].undo(dst[:made])
	}
	taken = (size + taken + 3) &^ 3
	if err := xzCheck(check, dst[:made], src[min(taken, len(src)):]); err != nil {
		return made, taken, err
	}
	return made, taken + xzCheckSizes[check], nil
}

// xzCheckSizes are the lengths of the kinds of check, known or not.
var xzCheckSizes = [16]int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}

var crc64Table = crc64.MakeTable(crc64.ECMA)

// xzCheck compares the check behind a block. Kinds that nobody has defined are taken as they are.
func xzCheck(kind byte, plain, behind []byte) error {
	size := xzCheckSizes[kind]
	if size > len(behind) {
		return io.ErrUnexpectedEOF
	}
	var h hash.Hash
	switch kind {
	case 1:
		if crc32.ChecksumIEEE(plain) != binary.LittleEndian.Uint32(behind) {
			return errXZCheck
		}
		return nil
	case 4:
		if crc64.Checksum(plain, crc64Table) != binary.LittleEndian.Uint64(behind) {
			return errXZCheck
		}
		return nil
	case 10:
		h = sha256.New()
	default:
		return nil
	}
	h.Write(plain)
	if !bytes.Equal(h.Sum(nil), behind[:size]) {
		return errXZCheck
	}
	return nil
}

// xzFilters reads a block's header up to its check and returns the filters before LZMA2.
func xzFilters(header []byte) ([]branchFilter, error) {
	flags, rest := header[1], header[2:]
	if flags&0x3c != 0 {
		return nil, errXZ
	}
	for _, size := range [...]byte{0x40, 0x80} { // packed, unpacked
		if flags&size == 0 {
			continue
		}
		if _, err := vli(&rest); err != nil {
			return nil, err
		}
	}
	var filters []branchFilter
	for i := 0; ; i++ {
		id, err := vli(&rest)
		if err != nil {
			return nil, err
		}
		size, err := vli(&rest)
		if err != nil || size > uint64(len(rest)) {
			return nil, errXZ
		}
		props := rest[:size]
		rest = rest[size:]
		last := i == int(flags&3)
		switch {
		case id == 0x21 && last && size == 1:
			return filters, nil
		case id == 0x21 || last:
			return nil, errXZ
		}
		f, err := newBranchFilter(id, props)
		if err != nil {
			return nil, err
		}
		filters = append(filters, f)
	}
}

// vli reads a number of up to 63 bits.
func vli(b *[]byte) (uint64, error) {
	n, size := binary.Uvarint(*b)
	if size <= 0 || size > 9 {
		return 0, errXZ
	}
	*b = (*b)[size:]
	return n, nil
}

// lzma2 unpacks the chunks of a block and returns how far they go in both.
func lzma2(dst, src []byte) (out, pos int, err error) {
	d := lzmaDecoders.Get().(*lzmaDecoder)
	defer lzmaDecoders.Put(d)
	base := 0
	fresh, known := false, false // a dictionary was begun, properties are known
	for {
		if pos >= len(src) {
			return out, pos, io.ErrUnexpectedEOF
		}
		control := src[pos]
		if control == 0 {
			return out, pos + 1, nil
		}
		header := 3
		if control >= 0x80 {
			header = 5
			if control >= 0xc0 {
				header = 6
			}
		}
		if len(src)-pos < header {
			return out, pos, io.ErrUnexpectedEOF
		}
		h := src[pos : pos+header]
		pos += header
		if control == 1 || control >= 0xe0 {
			base, fresh = out, true
		}
		if !fresh || control > 2 && control < 0x80 {
			return out, pos, errXZ
		}
		plain := int(binary.BigEndian.Uint16(h[1:])) + 1
		packed := plain
		if control >= 0x80 {
			plain += int(control&0x1f) << 16
			packed = int(binary.BigEndian.Uint16(h[3:])) + 1
		}
		if plain > len(dst)-out {
			return out, pos, errLarge
		}
		if packed > len(src)-pos {
			return out, pos, io.ErrUnexpectedEOF
		}
		chunk := src[pos : pos+packed]
		pos += packed
		if control < 0x80 {
			copy(dst[out:], chunk)
			out += plain
			continue
		}
		if control >= 0xc0 {
			if err := d.properties(h[5]); err != nil {
				return out, pos, err
			}
			known = true
		}
		if !known {
			return out, pos, errXZ
		}
		if control >= 0xa0 {
			d.reset()
		}
		if err := d.start(chunk); err != nil {
			return out, pos, err
		}
		end, used, err := d.run(dst[:out+plain], base, out, chunk, 5, false)
		if err != nil {
			return end, pos, err
		}
		used, whole := d.finish(chunk, used)
		if !whole || end != out+plain || used != packed {
			return end, pos, errLZMA
		}
		out = end
	}
}
