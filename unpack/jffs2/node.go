package jffs2

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/biopsy-sca/biopsy/internal/flash"
)

// The kinds of node; flagAccurate is cleared in a node that was made obsolete in place.
const (
	typeName     = 0xe001
	typeInode    = 0xe002
	typeClean    = 0x2003
	typePadding  = 0x2004
	typeSummary  = 0x2006
	typeXattr    = 0xe008
	typeXref     = 0xe009
	flagAccurate = 0x2000
)

const (
	magic      = 0x1985
	align      = 4 // nodes begin at multiples of it
	headerSize = 12
	nameSize   = 40 // before the name
	inodeSize  = 68 // before the data
	rootInode  = 1
	// maxPlain bounds the unpacked data of one node: a page of the machine that wrote it, 64 KiB at most.
	maxPlain = 64 << 10
)

// node is one node of the log.
type node struct {
	header
	at    int64
	order binary.ByteOrder
	body  []byte // from its header on; valid until the next node is read
}

type header struct {
	kind     uint16
	obsolete bool
	total    uint32
}

// parseHeader reads the first 12 bytes of a node.
func parseHeader(b []byte, order binary.ByteOrder) (header, bool) {
	if order.Uint16(b) != magic {
		return header{}, false
	}
	h := header{kind: order.Uint16(b[2:]), total: order.Uint32(b[4:])}
	h.obsolete = h.kind&flagAccurate == 0
	h.kind |= flagAccurate
	var sum [8]byte // the checksum counts the node as accurate
	copy(sum[:], b[:8])
	order.PutUint16(sum[2:], h.kind)
	return h, h.total >= headerSize && flash.CRC0(sum[:]) == order.Uint32(b[8:])
}

// room is what the node takes on flash.
func (n node) room() int64 { return (int64(n.total) + align - 1) &^ (align - 1) }

// fixed is how many bytes a kind of node has at least.
func (h header) fixed() int {
	switch h.kind {
	case typeName:
		return nameSize
	case typeInode:
		return inodeSize
	}
	return headerSize
}

// sound compares the checksums of names and inodes, and of their data.
func (n node) sound() bool {
	switch {
	case len(n.body) < n.fixed():
		return false
	case n.kind == typeName:
		return flash.CRC0(n.body[:32]) == n.order.Uint32(n.body[32:]) && len(n.body) >= nameSize+int(n.body[28]) &&
			flash.CRC0(n.body[nameSize:][:n.body[28]]) == n.order.Uint32(n.body[36:])
	case n.kind == typeInode:
		packed := n.order.Uint32(n.body[48:])
		return flash.CRC0(n.body[:60]) == n.order.Uint32(n.body[64:]) && int64(packed) <= int64(len(n.body)-inodeSize) &&
			flash.CRC0(n.body[inodeSize:][:packed]) == n.order.Uint32(n.body[60:])
	}
	return true
}

// scanner goes from node to node.
type scanner struct {
	window *flash.Window
	order  binary.ByteOrder
	at     int64
	reach  int64 // how far the next node may be; 0 is no bound
	gap    int64 // bytes before the last node that are neither node nor blank
	free   int64 // blank bytes before the last node
}

// maxNode bounds one node: no larger than the largest erase block.
const maxNode = 16 << 20

// next returns the next node with a valid header, or io.EOF.
func (s *scanner) next() (node, error) {
	s.gap, s.free = 0, 0
	for s.reach == 0 || s.gap+s.free <= s.reach {
		b, err := s.window.Rest(s.at)
		if err != nil {
			return node{}, err
		}
		if s.window.Size()-s.at < headerSize {
			return node{}, io.EOF
		}
		if b[0] == 0xff {
			blank, err := s.window.Blank(s.at, s.window.Size())
			if err != nil {
				return node{}, err
			}
			if blank &^= align - 1; blank > 0 {
				s.at, s.free = s.at+blank, s.free+blank
				continue
			}
		}
		n, ok, err := s.node()
		if err != nil || ok {
			return n, err
		}
		s.skip()
	}
	return node{}, io.EOF
}

// node reads the node at s.at if there is one, and goes behind it.
func (s *scanner) node() (node, bool, error) {
	b, err := s.window.Bytes(s.at, headerSize)
	if err != nil {
		return node{}, false, err
	}
	h, ok := parseHeader(b, s.order)
	n := node{header: h, at: s.at, order: s.order}
	if !ok || h.total > maxNode || s.at+int64(h.total) > s.window.Size() {
		return node{}, false, nil
	}
	want := headerSize
	if h.kind == typeName || h.kind == typeInode {
		want = int(h.total)
	}
	if n.body, err = s.window.Bytes(s.at, want); err != nil {
		return node{}, false, err
	}
	s.at += n.room()
	return n, true, nil
}

// skip goes to where the next node may begin: behind at least four bytes that are none.
func (s *scanner) skip() {
	var want [2]byte
	s.order.PutUint16(want[:], magic)
	start := s.at
	s.at = min(s.at+align, s.window.Size())
	b, err := s.window.Rest(s.at)
	if err != nil {
		s.gap += s.at - start
		return
	}
	for i := 0; i+align <= len(b); i += align {
		if b[i] == want[0] && b[i+1] == want[1] || b[i] == 0xff && bytes.HasPrefix(b[i:], []byte{0xff, 0xff, 0xff, 0xff}) {
			s.at += int64(i)
			s.gap += s.at - start
			return
		}
	}
	s.at = min(s.at+int64(max(len(b)&^(align-1), align)), s.window.Size())
	s.gap += s.at - start
}

// inodeFields are what an inode node says.
type inodeFields struct {
	ino, version         uint32
	mode, isize          uint32
	offset, packed, size uint32
	method               byte
}

func parseInode(b []byte, order binary.ByteOrder) inodeFields {
	return inodeFields{
		ino: order.Uint32(b[12:]), version: order.Uint32(b[16:]), mode: order.Uint32(b[20:]), isize: order.Uint32(b[28:]),
		offset: order.Uint32(b[44:]), packed: order.Uint32(b[48:]), size: order.Uint32(b[52:]), method: b[56],
	}
}

var errMany = errors.New("more nodes than we can hold")
