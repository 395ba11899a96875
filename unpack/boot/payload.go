package boot

import (
	"bytes"
	"cmp"
	"compress/bzip2"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// Payload opens full updates of Android and ChromeOS (update_engine's update_metadata.proto, version 2 of 2024): each partition is a member
// NAME.img. What an update only changes in a partition cannot be seen without the old one: a gap.
var Payload = biopsy.Unpacker{
	Name:   "payload",
	Match:  func(_ biopsy.File, head []byte) bool { return payloadManifest(head) > 0 },
	Magics: []biopsy.Magic{{Bytes: []byte("CrAU\x00\x00\x00\x00\x00\x00\x00\x02")}},
	Extent: func(r io.ReaderAt, off, max int64) (int64, bool) {
		n := payloadManifest(header(r, off, max, payloadHeader))
		return 0, n > 0 && n <= max-payloadHeader
	},
	Unpack: openPayload,
}

const (
	payloadHeader = 24
	maxManifest   = 64 << 20
	maxOperation  = 64 << 20 // bytes of a partition that one operation fills; update_engine writes 2 MiB
)

// payloadManifest is the size of the manifest; 0 when the header does not hold up.
func payloadManifest(h []byte) int64 {
	if len(h) < payloadHeader || string(h[:4]) != "CrAU" || be.Uint64(h[4:]) != 2 {
		return 0
	}
	n := be.Uint64(h[12:])
	if n > maxManifest {
		return 0
	}
	return int64(n)
}

// partition is one that an update brings.
type partition struct {
	name string
	size int64
	ops  []operation
}

// operation fills blocks of a partition. Offsets count from the first byte behind the manifest's signature.
type operation struct {
	kind, off, size int64
	start, blocks   int64
	scattered       bool
}

// Kinds of operation that need no old partition.
const (
	opReplace = 0
	opBzip2   = 1
	opZero    = 6
	opDiscard = 7
	opXZ      = 8
)

func openPayload(_ context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	h := header(c, 0, c.Size(), payloadHeader)
	size := payloadManifest(h)
	manifest := header(c, payloadHeader, c.Size()-payloadHeader, int(size))
	if size == 0 || int64(len(manifest)) < size {
		return fmt.Errorf("payload: %w", io.ErrUnexpectedEOF)
	}
	block, parts, err := readManifest(manifest)
	if err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	data := payloadHeader + size + int64(be.Uint32(h[20:]))
	m.is(0, data, biopsy.BytesParsed, "update manifest")
	end := data
	for _, p := range parts {
		if why := p.unfit(block, c.Size()-data); why != "" {
			m.lost(p.name, 0, why, max(p.size, 0))
			continue
		}
		for _, o := range p.ops {
			end = max(end, data+o.off+o.size)
		}
		err := m.yield(biopsy.File{Path: slug(p.name) + ".img", Size: p.size, Open: func() (biopsy.Content, error) {
			return m.Spool.Keep(io.LimitReader(&opReader{c: c, data: data, block: block, ops: p.ops, left: p.size}, p.size), m.Limits.FileSize)
		}})
		if err != nil {
			return err
		}
	}
	m.is(data, end-data, biopsy.BytesParsed, "partitions")
	return m.end()
}

// unfit tells why a partition cannot be put together; "" when it can.
func (p *partition) unfit(block, room int64) string {
	slices.SortStableFunc(p.ops, func(a, b operation) int { return cmp.Compare(a.start, b.start) })
	at := int64(0)
	for _, o := range p.ops {
		switch {
		case o.kind != opReplace && o.kind != opBzip2 && o.kind != opZero && o.kind != opDiscard && o.kind != opXZ:
			return "update of a partition that it does not hold as a whole"
		case o.scattered || o.start < at || o.blocks <= 0 || o.blocks > maxOperation/block && o.kind != opZero && o.kind != opDiscard || o.start+o.blocks > p.size/block+1:
			return "partition of an update whose operations do not follow each other"
		case o.off < 0 || o.size < 0 || o.off > room || o.size > room-o.off:
			return "partition of an update that lies outside of the file"
		}
		at = o.start + o.blocks
	}
	return ""
}

// opReader puts a partition together, from its first block to its last.
type opReader struct {
	c           io.ReaderAt
	data, block int64
	ops         []operation
	at          int64 // bytes made
	left        int64 // bytes of the partition that are missing
	buf         []byte
	zeros       int64
}

func (r *opReader) Read(p []byte) (int, error) {
	for len(r.buf) == 0 && r.zeros == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := 0
	if r.zeros > 0 {
		n = int(min(int64(len(p)), r.zeros))
		clear(p[:n])
		r.zeros -= int64(n)
	} else {
		n = copy(p, r.buf)
		r.buf = r.buf[n:]
	}
	r.left -= int64(n)
	return n, nil
}

// next makes the bytes of one operation, or of the hole before it.
func (r *opReader) next() error {
	if len(r.ops) == 0 {
		if r.zeros = r.left; r.zeros <= 0 {
			return io.EOF
		}
		return nil
	}
	o := r.ops[0]
	if hole := o.start*r.block - r.at; hole > 0 {
		r.zeros, r.at = hole, r.at+hole
		return nil
	}
	r.ops = r.ops[1:]
	size := o.blocks * r.block
	r.at += size
	if o.kind == opZero || o.kind == opDiscard {
		r.zeros = size
		return nil
	}
	src := header(r.c, r.data+o.off, o.size, int(min(o.size, 2*maxOperation)))
	r.buf = make([]byte, size)
	n, err := unpackOp(o.kind, r.buf, src)
	if err == nil && n < len(r.buf) && o.kind != opReplace {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("block %d of the partition: %w", o.start, err)
	}
	return nil
}

func unpackOp(kind int64, dst, src []byte) (int, error) {
	switch kind {
	case opXZ:
		return codec.Block(codec.XZ, dst, src)
	case opBzip2:
		return io.ReadFull(bzip2.NewReader(bytes.NewReader(src)), dst)
	}
	return copy(dst, src), nil
}

var errProto = errors.New("manifest is damaged")

// protoField visits the fields of a protocol buffers message: numbers, and runs of bytes.
func protoField(b []byte, visit func(field uint64, n int64, run []byte) error) error {
	for len(b) > 0 {
		key, k := binary.Uvarint(b)
		if k <= 0 {
			return errProto
		}
		b = b[k:]
		var n uint64
		var run []byte
		switch key & 7 {
		case 0:
			if n, k = binary.Uvarint(b); k <= 0 {
				return errProto
			}
			b = b[k:]
		case 2:
			n, k = binary.Uvarint(b)
			if k <= 0 || n > uint64(len(b)-k) {
				return errProto
			}
			run, b = b[k:k+int(n)], b[k+int(n):]
		case 1, 5:
			size := map[uint64]int{1: 8, 5: 4}[key&7]
			if len(b) < size {
				return errProto
			}
			b = b[size:]
		default:
			return errProto
		}
		if n > 1<<50 {
			return errProto
		}
		if err := visit(key>>3, int64(n), run); err != nil {
			return err
		}
	}
	return nil
}

// readManifest reads DeltaArchiveManifest: block size (3) and partitions (13).
func readManifest(b []byte) (block int64, parts []partition, err error) {
	block = 4096
	err = protoField(b, func(field uint64, n int64, run []byte) error {
		switch field {
		case 3:
			block = n
		case 13:
			p, err := readPartition(run)
			parts = append(parts, p)
			return err
		}
		return nil
	})
	if block < 512 || block > 1<<20 {
		return 0, nil, errProto
	}
	return block, parts, err
}

// readPartition reads PartitionUpdate: name (1), size (7.1), operations (8).
func readPartition(b []byte) (p partition, err error) {
	err = protoField(b, func(field uint64, n int64, run []byte) error {
		switch field {
		case 1:
			p.name = string(run)
		case 7:
			return protoField(run, func(field uint64, n int64, _ []byte) error {
				if field == 1 {
					p.size = n
				}
				return nil
			})
		case 8:
			o, err := readOperation(run)
			p.ops = append(p.ops, o)
			return err
		}
		return nil
	})
	return p, err
}

// readOperation reads InstallOperation: type (1), data (2, 3), and where they go (6).
func readOperation(b []byte) (o operation, err error) {
	extents := 0
	err = protoField(b, func(field uint64, n int64, run []byte) error {
		switch field {
		case 1:
			o.kind = n
		case 2:
			o.off = n
		case 3:
			o.size = n
		case 6:
			extents++
			return protoField(run, func(field uint64, n int64, _ []byte) error {
				switch field {
				case 1:
					o.start = n
				case 2:
					o.blocks = n
				}
				return nil
			})
		}
		return nil
	})
	o.scattered = extents != 1
	return o, err
}
