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
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash"
)

// Image is one UBI device, or several behind each other.
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
	var spans flash.Spans
	for at, n := int64(0), 0; at < c.Size(); n++ {
		d, err := find(c, at, c.Size())
		if err != nil && n == 0 {
			return err
		}
		if err != nil && err != errNone {
			u.Gap(biopsy.Gap{Place: biopsy.Place{Offset: at}, Reason: err.Error()})
		}
		if err != nil {
			break
		}
		if err := between(c, at, d.start, u, &spans); err != nil {
			return err
		}
		d.UnpackOptions, d.content = u, c
		if n > 0 {
			d.folder = fmt.Sprintf("ubi-0x%x/", d.start)
		}
		if err := d.unpack(ctx); err != nil {
			return err
		}
		spans.Add(d.end-d.start, biopsy.BytesParsed, d.String())
		at = d.end
	}
	n := len(spans)
	end := spans[n-1].Offset + spans[n-1].Size
	if err := between(c, end, c.Size(), u, &spans); err != nil {
		return err
	}
	if u.Ledger != nil {
		u.Ledger(spans)
	}
	return nil
}

// between yields what stands before, between and behind devices, unless it is blank.
func between(c biopsy.Content, from, to int64, u biopsy.UnpackOptions, spans *flash.Spans) error {
	if from >= to {
		return nil
	}
	w := flash.NewWindow(io.NewSectionReader(c, from, to-from), to-from)
	blank, err := w.Blank(0, to-from)
	if err != nil {
		return err
	}
	spans.Add(blank, biopsy.BytesPadding, "")
	if from += blank; from == to {
		return nil
	}
	spans.Add(to-from, biopsy.BytesUnknown, "")
	return u.Yield(biopsy.File{Path: fmt.Sprintf("between-0x%x.bin", from), Size: to - from, Mode: 0o644, Open: func() (biopsy.Content, error) {
		return part{io.NewSectionReader(c, from, to-from)}, nil
	}})
}

// part is a run of bytes of the container.
type part struct{ *io.SectionReader }

func (part) Close() error { return nil }

var errNone = errors.New("no UBI header")
