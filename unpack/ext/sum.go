package ext

import "hash/crc32"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crc32c goes on with a checksum as the format has it: without the inversions at both ends.
func crc32c(sum uint32, b []byte) uint32 { return ^crc32.Update(^sum, castagnoli, b) }

func crc32cWord(sum, word uint32) uint32 {
	var b [4]byte
	le.PutUint32(b[:], word)
	return crc32c(sum, b[:])
}

// crc16 is CRC-16/ARC, reflected polynomial 0xa001, which group descriptors had before metadata_csum.
func crc16(sum uint16, b []byte) uint16 {
	for _, c := range b {
		sum ^= uint16(c)
		for range 8 {
			sum = sum>>1 ^ 0xa001*(sum&1)
		}
	}
	return sum
}

// descSum tells whether a group descriptor's checksum, at 0x1e, is right; true when it has none.
func (v *volume) descSum(b []byte, group uint32) bool {
	want := le.Uint16(b[0x1e:])
	if v.sums {
		sum := crc32cWord(v.seed, group)
		sum = crc32c(sum, b[:0x1e])
		sum = crc32c(sum, []byte{0, 0})
		return uint16(crc32c(sum, b[0x20:])) == want
	}
	if v.ro&roGroupSum == 0 {
		return true
	}
	sum := crc16(0xffff, v.uuid[:])
	sum = crc16(sum, le.AppendUint32(nil, group))
	sum = crc16(sum, b[:0x1e])
	return crc16(sum, b[0x20:]) == want
}

// inodeSeed begins the checksums of an inode and of what belongs to it.
func (v *volume) inodeSeed(number, generation uint32) uint32 {
	return crc32cWord(crc32cWord(v.seed, number), generation)
}

// inodeSum tells whether an inode's checksum is right; its low half stands at 0x7c, its high half at 0x82 when there is room.
func (v *volume) inodeSum(b []byte, seed uint32) bool {
	if !v.sums {
		return true
	}
	sum := crc32c(seed, b[:0x7c])
	sum = crc32c(sum, []byte{0, 0})
	sum = crc32c(sum, b[0x7e:0x80])
	low := le.Uint16(b[0x7c:])
	if len(b) == 128 {
		return uint16(sum) == low
	}
	sum = crc32c(sum, b[0x80:0x82])
	if le.Uint16(b[0x80:]) < 4 {
		return uint16(crc32c(sum, b[0x82:])) == low
	}
	sum = crc32c(sum, []byte{0, 0})
	return crc32c(sum, b[0x84:]) == uint32(low)|uint32(le.Uint16(b[0x82:]))<<16
}

// dirSum tells whether a directory block's checksum is right. It stands in an entry without inode or name at the end; inner blocks of an
// index have another form and count as right.
func (v *volume) dirSum(b []byte, seed uint32) bool {
	tail := b[len(b)-12:]
	if !v.sums || le.Uint32(tail) != 0 || le.Uint16(tail[4:]) != 12 || tail[6] != 0 || tail[7] != 0xde {
		return true
	}
	return crc32c(seed, b[:len(b)-12]) == le.Uint32(tail[8:])
}
