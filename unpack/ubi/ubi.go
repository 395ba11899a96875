// Package ubi opens UBI images: volumes on raw flash chips.
//
// What comes in: an image, or a dump of a NAND chip with the spare bytes of its pages (Linux 6.12, drivers/mtd/ubi/ubi-media.h). What
// goes out: its volumes as they would be read on the device, each a member "NAME.ubifs" or "NAME.bin" whose logical blocks are
// looked up when they are read. Of several copies of a block the newest valid one counts. It reads two headers of each erase block and
// the volume table; data only where a checksum decides.
package ubi

import (
	"context"
	"errors"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash"
)

// Image is one UBI device.
var Image = biopsy.Unpacker{
	Name:   "ubi",
	Match:  func(_ biopsy.File, head []byte) bool { _, ok := parseErase(head); return ok },
	Magics: []biopsy.Magic{{Bytes: []byte("UBI#\x01\x00\x00\x00")}},
	Extent: extent,
	Unpack: unpack,
}

// extent takes erase blocks as long as they are of one device.
func extent(c io.ReaderAt, off, max int64) (int64, bool) {
	d, err := find(c, off, off+max)
	if err != nil || d.start != off {
		return 0, false
	}
	return d.end - off, true
}

func unpack(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	d, err := find(c, 0, c.Size())
	if err != nil {
		return err
	}
	d.UnpackOptions, d.content = u, c
	if u.Ledger != nil {
		var spans flash.Spans
		spans.Add(d.start, biopsy.BytesUnknown, "")
		spans.Add(d.end-d.start, biopsy.BytesParsed, d.String())
		spans.Add(c.Size()-d.end, biopsy.BytesUnknown, "")
		u.Ledger(spans)
	}
	return d.unpack(ctx)
}

var errNone = errors.New("no UBI header")
