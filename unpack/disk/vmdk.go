package disk

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// VMDK opens a disk of VMware that is one file: monolithicSparse or streamOptimized.
var VMDK = biopsy.Unpacker{
	Name: "vmdk",
	Match: func(_ biopsy.File, head []byte) bool {
		return len(head) >= 512 && (string(head[:4]) == "KDMV" || strings.HasPrefix(string(head[:64]), "# Disk DescriptorFile"))
	},
	Unpack: func(ctx context.Context, f biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		d, err := openVMDK(c)
		if err != nil {
			return err
		}
		all(c, "vmdk", u)
		return virtual(ctx, f, d, u)
	},
}

type vmdk struct {
	*mapped
	gd     []byte // of all grain tables, in sectors
	perGT  int64
	packed bool
}

func openVMDK(c reader) (*mapped, error) {
	var h [512]byte
	if err := readAt(c, h[:], 0); err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	if string(h[:4]) != "KDMV" {
		return nil, errors.New("describes a disk whose bytes are in other files")
	}
	if le.Uint64(h[56:]) == 1<<64-1 { // written as a stream: the header that knows the tables is the last but one sector
		if err := readAt(c, h[:], c.Size()-1024); err != nil || string(h[:4]) != "KDMV" {
			return nil, errors.New("the stream's footer is missing, the image may be cut off")
		}
	}
	if err := alone(c, h[:]); err != nil {
		return nil, err
	}
	version, flags := le.Uint32(h[4:]), le.Uint32(h[8:])
	capacity, grain, perGT := int64(le.Uint64(h[12:])), int64(le.Uint64(h[20:])), int64(le.Uint32(h[44:]))
	switch {
	case version < 1 || version > 3:
		return nil, fmt.Errorf("version %d, which we do not know", version)
	case capacity < 0 || capacity > maxDisk/512 || !isPower(grain, 8, 2048) || !isPower(perGT, 1, 4096):
		return nil, fmt.Errorf("header: disk of %d sectors in grains of %d, %d to a table", capacity, grain, perGT)
	case flags&(1<<16) != 0 && le.Uint16(h[77:]) != 1:
		return nil, fmt.Errorf("packed by method %d, which we do not know", le.Uint16(h[77:]))
	}
	v := &vmdk{mapped: newMapped(c, capacity*512, grain*512), perGT: perGT, packed: flags&(1<<16) != 0}
	need := (capacity + grain*perGT - 1) / (grain * perGT) * 4
	if need > c.Size() || need > 64<<20 {
		return nil, fmt.Errorf("header: tables of %d bytes in an image of %d", need, c.Size())
	}
	v.gd = make([]byte, need)
	if at := le.Uint64(h[56:]); at > maxDisk/512 {
		return nil, fmt.Errorf("header: tables at sector %d", at)
	} else if err := readAt(c, v.gd, int64(at)*512); err != nil {
		return nil, fmt.Errorf("grain directory: %w", err)
	}
	v.locate = v.grain
	return v.mapped, nil
}

// alone looks into the text inside the image whether it needs a parent.
func alone(c reader, h []byte) error {
	at, size := le.Uint64(h[28:]), le.Uint64(h[36:])
	if at == 0 || at > maxDisk/512 || size == 0 {
		return nil
	}
	text := make([]byte, min(size, 40)*512)
	if err := readAt(c, text, int64(at)*512); err != nil {
		return fmt.Errorf("descriptor: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if strings.EqualFold(key, "parentCID") && !strings.EqualFold(value, "ffffffff") {
			return errors.New("holds only what differs from another file, which is not here")
		}
	}
	return nil
}

// grain tells where grain i is.
func (v *vmdk) grain(i int64) (place, error) {
	gt := int64(le.Uint32(v.gd[i/v.perGT*4:]))
	if gt == 0 {
		return place{}, nil
	}
	t, err := v.table(gt*512, v.perGT*4)
	if err != nil {
		return place{}, err
	}
	at := int64(le.Uint32(t[i%v.perGT*4:])) * 512
	switch {
	case at <= 512: // 0 was never written, 1 is written with zeros
		return place{}, nil
	case !v.packed:
		return place{stored: true, from: at}, nil
	}
	return place{unpack: func() ([]byte, error) { return v.unpack(i, at) }}, nil
}

// unpack unpacks a grain: its sector, the size of the stream, a zlib stream, whose header of two bytes says nothing. The last grain may be short.
func (v *vmdk) unpack(i, at int64) ([]byte, error) {
	var h [12]byte
	if err := readAt(v.src, h[:], at); err != nil {
		return nil, err
	}
	size := int64(le.Uint32(h[8:]))
	if sector := le.Uint64(h[:]); sector != uint64(i*v.block/512) || size < 2 || size > 2*v.block || size > v.src.Size()-at {
		return nil, fmt.Errorf("grain at offset %d: %d bytes for sector %d", at, size, sector)
	}
	b := make([]byte, size)
	if err := readAt(v.src, b, at+12); err != nil {
		return nil, err
	}
	out, err := inflate(codec.Deflate, b[2:], min(v.block, v.size-i*v.block))
	if err != nil {
		return nil, fmt.Errorf("grain at offset %d: %w", at, err)
	}
	return out, nil
}
