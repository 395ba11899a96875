package rpmdb

import (
	"encoding/binary"
	"fmt"
)

// RPM's own database, Packages.db (rpm 4.20, lib/backend/ndb): a header, pages of slots, and blobs in blocks of 16 bytes, all
// numbers little-endian.
const (
	ndbMagic    = "RpmP"
	slotMagic   = "Slot"
	blobMagic   = "BlbS"
	ndbPage     = 4096
	ndbHeader   = 32
	ndbSlot     = 16
	ndbBlock    = 16
	ndbBlobHead = 16
)

func walkNDB(f file, yield func(int64, []byte) error) error {
	var head [ndbHeader]byte
	if err := f.read(head[:], 0); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if v := binary.LittleEndian.Uint32(head[4:]); v != 0 {
		return fmt.Errorf("database version %d is not known", v)
	}
	pages := int64(binary.LittleEndian.Uint32(head[12:]))
	if pages > f.size/ndbPage {
		return fmt.Errorf("%d slot pages do not fit in %d bytes", pages, f.size)
	}
	budget := f.size // blobs of a sound database do not overlap
	var page [ndbPage]byte
	var blob []byte
	for p := range pages {
		if err := f.read(page[:], p*ndbPage); err != nil {
			return fmt.Errorf("slot page %d: %w", p, err)
		}
		slots := page[:]
		if p == 0 {
			slots = page[ndbHeader:]
		}
		for ; len(slots) > 0; slots = slots[ndbSlot:] {
			number := binary.LittleEndian.Uint32(slots[4:])
			if string(slots[:4]) != slotMagic || number == 0 {
				continue
			}
			offset := int64(binary.LittleEndian.Uint32(slots[8:])) * ndbBlock
			var err error
			if blob, err = f.ndbBlob(blob, offset, number); err != nil {
				return fmt.Errorf("package %d: %w", number, err)
			}
			if budget -= int64(len(blob)); budget < 0 {
				return fmt.Errorf("package %d: blobs overlap", number)
			}
			if err := yield(offset, blob); err != nil {
				return err
			}
		}
	}
	return nil
}

// ndbBlob reads one package's blob into buf, grown as needed.
func (f file) ndbBlob(buf []byte, offset int64, number uint32) ([]byte, error) {
	var head [ndbBlobHead]byte
	if err := f.read(head[:], offset); err != nil {
		return nil, err
	}
	if string(head[:4]) != blobMagic || binary.LittleEndian.Uint32(head[4:]) != number {
		return nil, fmt.Errorf("no blob at offset %d", offset)
	}
	size := int64(binary.LittleEndian.Uint32(head[12:]))
	if size > f.size-offset {
		return nil, fmt.Errorf("blob of %d bytes at offset %d does not fit", size, offset)
	}
	buf = room(buf, int(size))
	return buf, f.read(buf, offset+ndbBlobHead)
}

// room returns a slice of n bytes, in buf if it fits.
func room(buf []byte, n int) []byte {
	if cap(buf) < n {
		return make([]byte, n)
	}
	return buf[:n]
}
