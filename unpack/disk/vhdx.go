package disk

import (
	"context"
	"errors"
	"fmt"

	"github.com/biopsy-sca/biopsy"
)

// VHDX opens a disk of Hyper-V ([MS-VHDX] 2021).
var VHDX = biopsy.Unpacker{
	Name:  "vhdx",
	Match: func(_ biopsy.File, head []byte) bool { return len(head) >= 8 && string(head[:8]) == "vhdxfile" },
	Unpack: func(ctx context.Context, f biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		if dirtyVHDX(c) {
			u.Gap(biopsy.Gap{Reason: "the log holds changes that are not in the disk yet; it is not replayed"})
		}
		d, err := openVHDX(c)
		if err != nil {
			return err
		}
		all(c, "vhdx", u)
		return virtual(ctx, f, d, u)
	},
}

// The ids of regions and metadata, as they stand in the file.
const (
	guidBAT      = "\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08"
	guidMetadata = "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e"
	guidFile     = "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b"
	guidSize     = "\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8"
	guidSector   = "\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f"
)

// dirtyVHDX tells whether the newer of the two headers names a log.
func dirtyVHDX(c reader) bool {
	var newest uint64
	dirty := false
	for _, at := range [...]int64{64 << 10, 128 << 10} {
		var h [64]byte
		if readAt(c, h[:], at) == nil && string(h[:4]) == "head" && le.Uint64(h[8:]) >= newest {
			newest, dirty = le.Uint64(h[8:]), [16]byte(h[48:]) != [16]byte{}
		}
	}
	return dirty
}

// findVHDX finds entries by their ids in a table whose entries have 32 bytes from byte first.
func findVHDX(b []byte, first, count int) map[string][]byte {
	found := map[string][]byte{}
	for i := range count {
		at := first + 32*i
		if at+32 > len(b) {
			break
		}
		found[string(b[at:at+16])] = b[at+16 : at+32]
	}
	return found
}

func openVHDX(c reader) (*mapped, error) {
	b := make([]byte, 64<<10)
	if err := readAt(c, b, 192<<10); err != nil {
		return nil, fmt.Errorf("region table: %w", err)
	}
	if string(b[:4]) != "regi" {
		return nil, errors.New("no region table")
	}
	regions := findVHDX(b, 16, int(min(le.Uint32(b[8:]), 2047)))
	bat, metadata := regions[guidBAT], regions[guidMetadata]
	if bat == nil || metadata == nil {
		return nil, errors.New("region table names no blocks or no metadata")
	}
	m := make([]byte, 64<<10)
	at := int64(le.Uint64(metadata))
	if at > maxDisk {
		return nil, fmt.Errorf("metadata at offset %d", at)
	}
	if err := readAt(c, m, at); err != nil || string(m[:8]) != "metadata" {
		return nil, fmt.Errorf("no metadata at offset %d", at)
	}
	items := findVHDX(m, 32, int(le.Uint16(m[10:])))
	item := func(guid string, size int) ([]byte, error) {
		e, v := items[guid], make([]byte, size)
		if e == nil {
			return nil, errors.New("metadata says neither sizes nor kind")
		}
		return v, readAt(c, v, at+int64(le.Uint32(e)))
	}
	file, err1 := item(guidFile, 8)
	size, err2 := item(guidSize, 8)
	sector, err3 := item(guidSector, 4)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if le.Uint32(file[4:])&2 != 0 {
		return nil, errors.New("holds only what differs from another file, which is not here")
	}
	return blocksVHDX(c, int64(le.Uint64(bat)), int64(le.Uint64(size)), int64(le.Uint32(file)), int64(le.Uint32(sector)))
}

// blocksVHDX reads the table of blocks, in which an entry for a bitmap follows those of each chunk of blocks.
func blocksVHDX(c reader, bat, size, block, sector int64) (*mapped, error) {
	if size < 0 || size > maxDisk || !isPower(block, 1<<20, 256<<20) || sector != 512 && sector != 4096 {
		return nil, fmt.Errorf("metadata: disk of %d bytes in blocks of %d", size, block)
	}
	m := newMapped(c, size, block)
	chunk := (1 << 23) * sector / block
	m.locate = func(i int64) (place, error) {
		const page = 4096
		off := (i + i/chunk) * 8
		t, err := m.table(bat+off&^(page-1), page)
		if err != nil {
			return place{}, err
		}
		e := le.Uint64(t[off%page:])
		if state := e & 7; state != 6 {
			return place{}, nil // not there, or zeros
		}
		return place{stored: true, from: int64(e >> 20 << 20)}, nil
	}
	return m, nil
}
