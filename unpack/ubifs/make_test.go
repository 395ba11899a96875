package ubifs

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/flash"
)

// small reads testdata/small.ubifs.gz, made by mkfs.ubifs -m 512 -e 15872 -c 40 -x zlib out of three files.
func small(t testing.TB) []byte {
	t.Helper()
	f, err := os.Open("testdata/small.ubifs.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// maker writes to a volume as the file system would between two commits.
type maker struct {
	image []byte
	super
	seq uint64
	bud []byte // the block that the journal is written to
	log int    // where the log goes on
}

func newMaker(t testing.TB) *maker {
	b := small(t)
	s, ok := parseSuper(b)
	if !ok {
		t.Fatal("testdata/small.ubifs.gz has no superblock")
	}
	m := &maker{image: b, super: s, seq: 1 << 20}
	m.log = firstLog * int(s.block)
	for m.image[m.log] != 0xff {
		m.log += int(s.minIO)
	}
	return m
}

// node makes a node out of its body behind the header.
func (m *maker) node(kind byte, body []byte) []byte {
	b := append(make([]byte, headerSize), body...)
	m.seq++
	le.PutUint32(b, magic)
	le.PutUint64(b[8:], m.seq)
	le.PutUint32(b[16:], uint32(len(b)))
	b[20] = kind
	le.PutUint32(b[4:], flash.CRC1(b[8:]))
	return b
}

// write appends a node to the journal, and begins a new block where there is no room.
func (m *maker) write(kind byte, body []byte) {
	if len(m.bud)+headerSize+len(body)+8 > int(m.block) {
		m.flush()
	}
	m.bud = append(m.bud, m.node(kind, body)...)
	for len(m.bud)%8 != 0 {
		m.bud = append(m.bud, 0xce)
	}
}

func (m *maker) name(parent uint32, name string, inum uint64, kind byte) {
	b := make([]byte, nameSize-headerSize+len(name)+1)
	le.PutUint32(b, parent)
	le.PutUint32(b[4:], keyName<<29|uint32(len(name)))
	le.PutUint64(b[16:], inum)
	b[25] = kind
	le.PutUint16(b[26:], uint16(len(name)))
	copy(b[32:], name)
	m.write(nodeName, b)
}

func (m *maker) inode(inum uint32, size uint64, links, mode, flags uint32) {
	b := make([]byte, inodeSize-headerSize)
	le.PutUint32(b, inum)
	le.PutUint64(b[24:], size)
	le.PutUint32(b[68:], links)
	le.PutUint32(b[80:], mode)
	le.PutUint32(b[84:], flags)
	m.write(nodeInode, b)
}

func (m *maker) data(inum, block uint32, plain []byte) {
	b := make([]byte, dataSize-headerSize)
	le.PutUint32(b, inum)
	le.PutUint32(b[4:], keyData<<29|block)
	le.PutUint32(b[16:], uint32(len(plain)))
	m.write(nodeData, append(b, plain...))
}

func (m *maker) truncate(inum uint32, size uint64) {
	b := make([]byte, truncateSize-headerSize)
	le.PutUint32(b, inum)
	le.PutUint64(b[24:], size)
	m.write(nodeTruncate, b)
}

// flush puts the journal into a new block, and a reference to it into the log.
func (m *maker) flush() {
	blank := bytes.Repeat([]byte{0xff}, int(m.block))
	lnum := len(m.image) / len(blank)
	m.image = append(m.image, append(m.bud, blank[len(m.bud):]...)...)
	m.bud = nil
	b := make([]byte, refSize-headerSize)
	le.PutUint32(b, uint32(lnum))
	copy(m.image[m.log:], m.node(nodeRef, b))
	m.log += int(m.minIO)
}
