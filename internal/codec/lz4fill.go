package codec

import (
	"encoding/binary"
	"errors"
	"io"
)

var errLZ4 = errors.New("lz4 data is damaged")

// blockLZ4Fill unpacks an lz4 block (block format 1.6.3 of 2022) until dst is full, whatever stands behind.
func blockLZ4Fill(dst, src []byte) (out int, err error) {
	pos := 0
	length := func(n int) (int, bool) {
		for n >= 15 {
			if pos >= len(src) {
				return 0, false
			}
			b := src[pos]
			pos++
			if n += int(b); b != 255 {
				break
			}
		}
		return n, true
	}
	for out < len(dst) {
		if pos >= len(src) {
			return out, io.ErrUnexpectedEOF
		}
		token := int(src[pos])
		pos++
		n, ok := length(token >> 4)
		if !ok {
			return out, io.ErrUnexpectedEOF
		}
		n = min(n, len(dst)-out)
		if n > len(src)-pos {
			return out, io.ErrUnexpectedEOF
		}
		copy(dst[out:out+n], src[pos:])
		out, pos = out+n, pos+n
		if out == len(dst) {
			break
		}
		if len(src)-pos < 2 {
			return out, io.ErrUnexpectedEOF
		}
		back := int(binary.LittleEndian.Uint16(src[pos:]))
		pos += 2
		if back == 0 || back > out {
			return out, errLZ4
		}
		if n, ok = length(token & 15); !ok {
			return out, io.ErrUnexpectedEOF
		}
		n = min(n+4, len(dst)-out)
		if n <= back {
			copy(dst[out:out+n], dst[out-back:])
		} else {
			for i := range n {
				dst[out+i] = dst[out+i-back]
			}
		}
		out += n
	}
	return out, nil
}
