package codec

import (
	"encoding/binary"
	"fmt"
)

// Packers for programs turn the targets of calls from relative to absolute, for the same target is then the same bytes. A
// branchFilter turns them back.
type branchFilter struct {
	start  uint32 // address of the first byte
	decode func(b []byte, start uint32)
}

func (f branchFilter) undo(b []byte) { f.decode(b, f.start) }

// newBranchFilter returns the filter that the .xz file format gives an id (section 5.3.2).
func newBranchFilter(id uint64, props []byte) (branchFilter, error) {
	var f branchFilter
	switch id {
	case 4:
		f.decode = branchX86
	case 5:
		f.decode = branchPowerPC
	case 6:
		f.decode = branchIA64
	case 7:
		f.decode = branchARM
	case 8:
		f.decode = branchThumb
	case 9:
		f.decode = branchSPARC
	case 10:
		f.decode = branchARM64
	default:
		return f, fmt.Errorf("xz filter %d is not known", id)
	}
	switch len(props) {
	case 0:
	case 4:
		f.start = binary.LittleEndian.Uint32(props)
	default:
		return f, errXZ
	}
	return f, nil
}

func branchX86(b []byte, start uint32) {
	x := x86Memory{last: -1}
	x.undo(b, start)
}

// x86Memory is what the filter for x86 remembers: a bit for each of the last three places, and the last candidate.
type x86Memory struct {
	seen uint32
	last int // counts from the first byte of what comes next
}

// undo finds E8 and E9 (call, jmp) whose target's highest byte is 00 or FF. Bytes of earlier candidates that overlap decide whether
// one counts. It returns how many bytes it is done with: the others want to be seen again with what follows them.
func (x *x86Memory) undo(b []byte, start uint32) int {
	signed := func(c byte) bool { return c == 0 || c == 0xff }
	seen, last, i := x.seen, x.last, 0
	for ; i+4 < len(b); i++ {
		if b[i]&0xfe != 0xe8 {
			continue
		}
		gap := i - last
		last = i
		if gap > 3 {
			seen = 0
		} else if seen = seen << (gap - 1) & 7; seen != 0 {
			overlap := b[i+4-branchBits[seen]]
			if seen == 3 || seen > 4 || signed(overlap) {
				seen = seen<<1&7 | 1
				continue
			}
		}
		if !signed(b[i+4]) {
			seen = seen<<1&7 | 1
			continue
		}
		target := binary.LittleEndian.Uint32(b[i+1:])
		var relative uint32
		for {
			relative = target - (start + uint32(i) + 5)
			if seen == 0 {
				break
			}
			shift := branchBits[seen] * 8
			if !signed(byte(relative >> (24 - shift))) {
				break
			}
			target = relative ^ (1<<(32-shift) - 1)
		}
		relative &= 0x1ffffff
		relative |= -(relative & 0x1000000)
		binary.LittleEndian.PutUint32(b[i+1:], relative)
		i += 4
	}
	x.seen, x.last = seen, max(last-i, -8)
	return i
}

// branchBits is the place of the highest bit of the x86 filter's memory.
var branchBits = [8]int{0, 1, 2, 2, 3, 3, 3, 3}

func branchARM(b []byte, start uint32) {
	for i := 0; i+4 <= len(b); i += 4 {
		if b[i+3] == 0xeb { // bl
			v := binary.LittleEndian.Uint32(b[i:])
			binary.LittleEndian.PutUint32(b[i:], v&0xff000000|(v<<2-(start+uint32(i)+8))>>2&0xffffff)
		}
	}
}

func branchThumb(b []byte, start uint32) { thumbUndo(b, start) }

// thumbUndo returns how many bytes it is done with, as the filter for x86 does.
func thumbUndo(b []byte, start uint32) int {
	i := 0
	for ; i+4 <= len(b); i += 2 {
		if b[i+1]&0xf8 != 0xf0 || b[i+3]&0xf8 != 0xf8 { // the two halves of bl
			continue
		}
		v := uint32(b[i+1]&7)<<19 | uint32(b[i])<<11 | uint32(b[i+3]&7)<<8 | uint32(b[i+2])
		v = (v<<1 - (start + uint32(i) + 4)) >> 1
		b[i+1], b[i] = 0xf0|byte(v>>19&7), byte(v>>11)
		b[i+3], b[i+2] = 0xf8|byte(v>>8&7), byte(v)
		i += 2
	}
	return i
}

func branchPowerPC(b []byte, start uint32) {
	for i := 0; i+4 <= len(b); i += 4 {
		if v := binary.BigEndian.Uint32(b[i:]); v&0xfc000003 == 0x48000001 { // bl
			binary.BigEndian.PutUint32(b[i:], 0x48000001|(v&0x3fffffc-(start+uint32(i)))&0x3fffffc)
		}
	}
}

func branchSPARC(b []byte, start uint32) {
	for i := 0; i+4 <= len(b); i += 4 {
		v := binary.BigEndian.Uint32(b[i:])
		if v>>22 != 0x100 && v>>22 != 0x1ff { // call
			continue
		}
		v = (v<<2 - (start + uint32(i))) >> 2
		binary.BigEndian.PutUint32(b[i:], (0x40000000-v&0x400000)|0x40000000|v&0x3fffff)
	}
}

func branchARM64(b []byte, start uint32) {
	for i := 0; i+4 <= len(b); i += 4 {
		v, pc := binary.LittleEndian.Uint32(b[i:]), start+uint32(i)
		switch {
		case v>>26 == 0x25: // bl
			v = 0x94000000 | (v-pc>>2)&0x3ffffff
		case v&0x9f000000 == 0x90000000: // adrp
			page := v>>29&3 | v>>3&0x1ffffc
			if (page+0x20000)&0x1c0000 != 0 {
				continue
			}
			page -= pc >> 12
			v = v&0x9000001f | page&3<<29 | page&0x3fffc<<3 | -(page&0x20000)&0xe00000
		default:
			continue
		}
		binary.LittleEndian.PutUint32(b[i:], v)
	}
}

// branchIA64 looks at the three instructions of each bundle whose template has a branch there.
func branchIA64(b []byte, start uint32) {
	const branches = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x04\x06\x06\x00\x00\x07\x07\x04\x04\x00\x00\x04\x04\x00\x00"
	for i := 0; i+16 <= len(b); i += 16 {
		slots := branches[b[i]&0x1f]
		for slot := range 3 {
			if slots>>slot&1 == 0 {
				continue
			}
			first := 5 + 41*slot
			at, shift := b[i+first>>3:], first&7
			var raw uint64
			for k := range 6 {
				raw |= uint64(at[k]) << (8 * k)
			}
			v := raw >> shift
			if v>>37&15 != 5 || v>>9&7 != 0 {
				continue
			}
			target := uint32(v>>13&0xfffff) | uint32(v>>36&1)<<20
			target = (target<<4 - (start + uint32(i))) >> 4
			v = v&^(uint64(0x8fffff)<<13) | uint64(target&0xfffff)<<13 | uint64(target&0x100000)<<16
			raw = raw&(1<<shift-1) | v<<shift
			for k := range 6 {
				at[k] = byte(raw >> (8 * k))
			}
		}
	}
}
