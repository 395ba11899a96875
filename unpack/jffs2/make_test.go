package jffs2

import (
	"encoding/binary"

	"github.com/biopsy-sca/biopsy/internal/flash"
)

// maker writes an image node by node, as the file system would.
type maker struct {
	order binary.ByteOrder
	image []byte
}

// node appends a node; its header is filled in.
func (m *maker) node(kind uint16, body []byte) int {
	at := len(m.image)
	m.order.PutUint16(body, magic)
	m.order.PutUint16(body[2:], kind)
	m.order.PutUint32(body[4:], uint32(len(body)))
	m.order.PutUint32(body[8:], flash.CRC0(body[:8]))
	m.image = append(m.image, body...)
	for len(m.image)%align != 0 {
		m.image = append(m.image, 0xff)
	}
	return at
}

func (m *maker) clean() { m.node(typeClean, make([]byte, headerSize)) }

// name says that a directory has a name for an inode.
func (m *maker) name(parent, version, ino uint32, name string, kind byte) int {
	b := make([]byte, nameSize+len(name))
	m.order.PutUint16(b, magic)
	m.order.PutUint16(b[2:], typeName)
	m.order.PutUint32(b[4:], uint32(len(b)))
	m.order.PutUint32(b[8:], flash.CRC0(b[:8]))
	m.order.PutUint32(b[12:], parent)
	m.order.PutUint32(b[16:], version)
	m.order.PutUint32(b[20:], ino)
	b[28], b[29] = byte(len(name)), kind
	copy(b[nameSize:], name)
	m.order.PutUint32(b[32:], flash.CRC0(b[:32]))
	m.order.PutUint32(b[36:], flash.CRC0([]byte(name)))
	return m.node(typeName, b)
}

// data says that an inode of a size has bytes at an offset.
func (m *maker) data(ino, version, isize, offset, size uint32, method byte, packed []byte) int {
	b := make([]byte, inodeSize+len(packed))
	m.order.PutUint16(b, magic)
	m.order.PutUint16(b[2:], typeInode)
	m.order.PutUint32(b[4:], uint32(len(b)))
	m.order.PutUint32(b[8:], flash.CRC0(b[:8]))
	for i, v := range map[int]uint32{12: ino, 16: version, 20: 0o100644, 28: isize, 44: offset, 48: uint32(len(packed)), 52: size} {
		m.order.PutUint32(b[i:], v)
	}
	b[56] = method
	copy(b[inodeSize:], packed)
	m.order.PutUint32(b[60:], flash.CRC0(packed))
	m.order.PutUint32(b[64:], flash.CRC0(b[:60]))
	return m.node(typeInode, b)
}

// packRtime packs as rtime does.
func packRtime(b []byte) []byte {
	var out []byte
	var last [256]int
	for n := 0; n < len(b); {
		c := b[n]
		n++
		from, run := last[c], 0
		last[c] = n
		for run < 255 && n+run < len(b) && b[from+run] == b[n+run] {
			run++
		}
		out = append(out, c, byte(run))
		n += run
	}
	return out
}

// rubinPacker is the arithmetic coder that rubinCoder undoes.
type rubinPacker struct {
	q, p int64
	out  []byte
	bits int
}

func (r *rubinPacker) push(bit bool) {
	if r.bits%8 == 0 {
		r.out = append(r.out, 0)
	}
	if bit {
		r.out[r.bits/8] |= 0x80 >> (r.bits % 8)
	}
	r.bits++
}

func (r *rubinPacker) code(zero, all int64, bit byte) {
	for r.q >= rubinHalf || r.p+r.q <= rubinHalf {
		r.push(r.q&rubinHalf != 0)
		r.q = r.q & (rubinHalf - 1) << 1
		r.p <<= 1
	}
	cut := min(max(zero*r.p/all, 1), r.p-1)
	if bit == 0 {
		r.p = cut
		return
	}
	r.q += cut
	r.p -= cut
}

func packRubin(b []byte, divider int64, odds [8]int) []byte {
	r := rubinPacker{p: 2 * rubinHalf}
	for _, c := range b {
		for j, odd := range odds {
			r.code(divider-int64(odd), divider, c>>j&1)
		}
	}
	for range 16 {
		r.push(r.q&rubinHalf != 0)
		r.q = r.q & (rubinHalf - 1) << 1
	}
	return r.out
}
