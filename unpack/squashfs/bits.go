package squashfs

import "encoding/binary"

// fields takes the bit fields of version 3 one after the other: in big-endian images they begin at a byte's highest bit.
type fields struct {
	b   []byte
	at  int // bits
	big bool
}

func (s super) fields(b []byte) *fields {
	return &fields{b: b, big: s.order == binary.ByteOrder(binary.BigEndian)}
}

// next returns a field of n bits, at most 64. The caller has as many.
func (f *fields) next(n int) (v uint64) {
	for k := range n {
		bit := f.at + k
		if f.big {
			v = v<<1 | uint64(f.b[bit/8]>>(7-bit%8)&1)
		} else {
			v |= uint64(f.b[bit/8]>>(bit%8)&1) << k
		}
	}
	f.at += n
	return v
}

// oldNode reads an inode of version 3, whose header has 12 bytes.
func (i *image) oldNode(c *cursor) (node, error) {
	var b [40]byte
	if err := c.read(b[:12]); err != nil {
		return node{}, err
	}
	f := i.fields(b[:])
	n := node{kind: int(f.next(4)), mode: mode(uint16(f.next(12))), frag: noBlock}
	sizes := map[int]int{kindDir: 28, kindLongDir: 31, kindFile: 32, kindLong: 40}
	if err := c.read(b[12:max(12, sizes[n.kind])]); err != nil {
		return n, err
	}
	f.at = 12 * 8
	switch n.kind {
	case kindDir, kindLongDir:
		f.next(32) // links
		width := 19
		if n.kind == kindLongDir {
			width = 27
		}
		n.size, n.offset, n.start = int64(f.next(width)), int(f.next(13)), int64(f.next(32))
	case kindFile:
		n.start, n.frag, n.offset, n.size = int64(f.next(64)), uint32(f.next(32)), int(f.next(32)), int64(f.next(32))
	case kindLong:
		f.next(32) // links
		n.start, n.frag, n.offset, n.size = int64(f.next(64)), uint32(f.next(32)), int(f.next(32)), int64(f.next(64))
	}
	return n, nil
}

// dirRun is what stands before the entries of a directory whose inodes lie in one block.
type dirRun struct {
	count, size int64 // entries; bytes of this header
	block       uint64
}

func (i *image) dirRun(c *cursor) (dirRun, error) {
	var b [12]byte
	if i.major == 4 {
		err := c.read(b[:])
		return dirRun{int64(le.Uint32(b[:])) + 1, 12, uint64(le.Uint32(b[4:]))}, err
	}
	err := c.read(b[:9])
	f := i.fields(b[:])
	return dirRun{int64(f.next(8)) + 1, 9, f.next(32)}, err
}

// dirEntry is an entry without its name.
type dirEntry struct {
	offset uint64 // of the inode in its block
	kind   int
	name   int // bytes
	size   int64
}

func (i *image) dirEntry(c *cursor) (dirEntry, error) {
	var b [8]byte
	if i.major == 4 {
		err := c.read(b[:])
		return dirEntry{uint64(le.Uint16(b[:])), int(le.Uint16(b[4:])), int(le.Uint16(b[6:])) + 1, 8}, err
	}
	err := c.read(b[:5])
	f := i.fields(b[:])
	return dirEntry{f.next(13), int(f.next(3)), int(f.next(8)) + 1, 5}, err
}
