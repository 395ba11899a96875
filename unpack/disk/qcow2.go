package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// QCOW2 opens a disk of QEMU.
var QCOW2 = biopsy.Unpacker{
	Name:  "qcow2",
	Match: func(_ biopsy.File, head []byte) bool { return len(head) >= 72 && string(head[:4]) == "QFI\xfb" },
	Unpack: func(ctx context.Context, f biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		d, err := openQCOW2(c)
		if err != nil {
			return err
		}
		all(c, "qcow2", u)
		return virtual(ctx, f, d, u)
	},
}

// qcow2 is the part of a header that says where clusters are.
type qcow2 struct {
	*mapped
	l1      []byte
	perL2   int64
	bits    uint // of a cluster
	packing codec.Format
}

func openQCOW2(c reader) (*mapped, error) {
	var h [112]byte
	if n, err := c.ReadAt(h[:], 0); n < 72 {
		return nil, fmt.Errorf("read header: %w", err)
	}
	version, bits, size := be.Uint32(h[4:]), be.Uint32(h[20:]), int64(be.Uint64(h[24:]))
	switch {
	case version != 2 && version != 3:
		return nil, fmt.Errorf("version %d, which we do not know", version)
	case bits < 9 || bits > 21 || size < 0 || size > maxDisk:
		return nil, fmt.Errorf("header: disk of %d bytes in clusters of 2^%d", size, bits)
	case be.Uint32(h[32:]) != 0:
		return nil, errors.New("encrypted")
	case be.Uint64(h[8:]) != 0:
		return nil, fmt.Errorf("holds only what differs from another file%s, which is not here", backing(c, h[:]))
	}
	q := &qcow2{mapped: newMapped(c, size, 1<<bits), bits: uint(bits), perL2: 1 << bits / 8, packing: codec.Deflate}
	if err := q.version3(version, h[:]); err != nil {
		return nil, err
	}
	span := q.perL2 * q.block
	need := (size + span - 1) / span * 8
	if need > int64(be.Uint32(h[36:]))*8 || need > c.Size() || need > 64<<20 {
		return nil, fmt.Errorf("header: %d entries do not map a disk of %d bytes", be.Uint32(h[36:]), size)
	}
	q.l1 = make([]byte, need)
	if err := readAt(c, q.l1, int64(be.Uint64(h[40:]))); err != nil {
		return nil, fmt.Errorf("first table: %w", err)
	}
	q.locate = q.cluster
	return q.mapped, nil
}

// version3 looks at the features that only version 3 has.
func (q *qcow2) version3(version uint32, h []byte) error {
	if version < 3 {
		return nil
	}
	features := be.Uint64(h[72:])
	switch {
	case features&4 != 0:
		return errors.New("its bytes are in another file, which is not here")
	case features&^uint64(0xb) != 0:
		return fmt.Errorf("uses features %#x, which we cannot read", features&^uint64(0xb))
	case features&8 != 0 && h[104] == 1:
		q.packing = codec.Zstd
	case features&8 != 0 && h[104] != 0:
		return fmt.Errorf("packed by method %d, which we do not know", h[104])
	}
	return nil
}

func backing(c reader, h []byte) string {
	n := be.Uint32(h[16:])
	if n == 0 || n > 1023 {
		return ""
	}
	name := make([]byte, n)
	if readAt(c, name, int64(be.Uint64(h[8:]))) != nil {
		return ""
	}
	return fmt.Sprintf(" (%q)", name)
}

// offsetBits are those of a table's entry that hold an offset.
const offsetBits = 0x00fffffffffffe00

// cluster tells where cluster i is.
func (q *qcow2) cluster(i int64) (place, error) {
	at := int64(be.Uint64(q.l1[i/q.perL2*8:]) & offsetBits)
	if at == 0 {
		return place{}, nil
	}
	l2, err := q.table(at, q.block)
	if err != nil {
		return place{}, err
	}
	e := be.Uint64(l2[i%q.perL2*8:])
	switch {
	case e&(1<<62) != 0:
		return q.packed(e), nil
	case e&1 != 0 || e&offsetBits == 0:
		return place{}, nil
	}
	return place{stored: true, from: int64(e & offsetBits)}, nil
}

// packed takes the entry of a packed cluster: its offset, then how many more sectors than one it touches.
func (q *qcow2) packed(e uint64) place {
	shift := 62 - (q.bits - 8)
	from := int64(e & (1<<shift - 1))
	size := int64(e&(1<<62-1)>>shift+1)*512 - from%512
	return place{unpack: func() ([]byte, error) {
		if from > q.src.Size() {
			return nil, fmt.Errorf("packed cluster at offset %d: %w", from, io.ErrUnexpectedEOF)
		}
		b := make([]byte, min(size, q.src.Size()-from))
		if err := readAt(q.src, b, from); err != nil {
			return nil, err
		}
		out, err := inflate(q.packing, b, q.block)
		if err != nil {
			return nil, fmt.Errorf("packed cluster at offset %d: %w", from, err)
		}
		return out, nil
	}}
}

// inflate unpacks size bytes from b, behind which anything may follow.
func inflate(f codec.Format, b []byte, size int64) ([]byte, error) {
	r, err := codec.NewReader(f, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out := make([]byte, size)
	n, err := io.ReadFull(r, out)
	if err != nil {
		return nil, fmt.Errorf("%d of %d bytes: %w", n, size, err)
	}
	return out, nil
}
