package squashfs

import (
	"fmt"
	"io/fs"
)

// Kinds of inode that matter; links, devices, pipes and sockets are passed over.
const (
	kindDir     = 1
	kindFile    = 2
	kindLongDir = 8
	kindLong    = 9
)

// node is an inode of a file or directory.
type node struct {
	kind   int
	mode   fs.FileMode
	size   int64  // of a directory: of its listing
	start  int64  // of a file: offset of its blocks; of a directory: of its metadata block in the table
	offset int    // of a file: within the fragment block; of a directory: within the metadata block
	frag   uint32 // noBlock: none
	blocks cursor // the list of block lengths
}

// node reads an inode. Of other kinds only kind and mode are filled.
func (i *image) node(ref uint64) (node, error) {
	c, err := i.inode(ref)
	if err != nil {
		return node{}, err
	}
	read := i.newNode
	if i.major == 3 {
		read = i.oldNode
	}
	n, err := read(&c)
	if err != nil {
		return n, err
	}
	if n.size < 0 || n.start < 0 {
		return n, fmt.Errorf("inode %#x: a size or offset above 2^63", ref)
	}
	n.blocks = c
	return n, nil
}

// newNode reads an inode of version 4, whose header has 16 bytes.
func (i *image) newNode(c *cursor) (node, error) {
	var b [56]byte
	if err := c.read(b[:16]); err != nil {
		return node{}, err
	}
	n := node{kind: int(le.Uint16(b[:])), mode: mode(le.Uint16(b[2:])), frag: noBlock}
	switch n.kind {
	case kindDir:
		if err := c.read(b[16:32]); err != nil {
			return n, err
		}
		n.start, n.size, n.offset = int64(le.Uint32(b[16:])), int64(le.Uint16(b[24:])), int(le.Uint16(b[26:]))
	case kindLongDir:
		if err := c.read(b[16:40]); err != nil {
			return n, err
		}
		n.size, n.start, n.offset = int64(le.Uint32(b[20:])), int64(le.Uint32(b[24:])), int(le.Uint16(b[34:]))
	case kindFile:
		if err := c.read(b[16:32]); err != nil {
			return n, err
		}
		n.start, n.frag, n.offset, n.size = int64(le.Uint32(b[16:])), le.Uint32(b[20:]), int(le.Uint32(b[24:])), int64(le.Uint32(b[28:]))
	case kindLong:
		if err := c.read(b[16:56]); err != nil {
			return n, err
		}
		n.start, n.size = int64(le.Uint64(b[16:])), int64(le.Uint64(b[24:]))
		n.frag, n.offset = le.Uint32(b[44:]), int(le.Uint32(b[48:]))
	}
	return n, nil
}

// mode turns the bits of Unix into ours.
func mode(m uint16) fs.FileMode {
	f := fs.FileMode(m & 0o777)
	if m&0o4000 != 0 {
		f |= fs.ModeSetuid
	}
	if m&0o2000 != 0 {
		f |= fs.ModeSetgid
	}
	if m&0o1000 != 0 {
		f |= fs.ModeSticky
	}
	return f
}
