package boot

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Android opens boot images of versions 0 to 4, and VendorBoot their companions of versions 3 and 4 (Android Open Source Project,
// bootimg.h of 2021).
var (
	Android = biopsy.Unpacker{
		Name:   "bootimg",
		Match:  func(_ biopsy.File, head []byte) bool { _, ok := androidParts(head); return ok },
		Magics: []biopsy.Magic{{Bytes: []byte("ANDROID!")}},
		Extent: extentOf(androidParts),
		Unpack: openParts("Android boot image", androidParts),
	}
	VendorBoot = biopsy.Unpacker{
		Name:   "vendorboot",
		Match:  func(_ biopsy.File, head []byte) bool { _, ok := vendorParts(head); return ok },
		Magics: []biopsy.Magic{{Bytes: []byte("VNDRBOOT")}},
		Extent: extentOf(vendorParts),
		Unpack: openParts("Android vendor boot image", vendorParts),
	}
)

// piece is a part that a header names. An empty name is the header itself, "-" is what nobody needs to look at.
type piece struct {
	name      string
	off, size int64
}

// headerSize is what headers that list pieces are given to see.
const headerSize = 4096

func androidParts(h []byte) ([]piece, bool) {
	if len(h) < 1660 || string(h[:8]) != "ANDROID!" {
		return nil, false
	}
	n := func(at int) int64 { return int64(le.Uint32(h[at:])) }
	version := n(40)
	if version == 3 || version == 4 {
		sizes := []piece{{"", 0, n(20)}, {"kernel", 0, n(8)}, {"ramdisk", 0, n(12)}}
		if version == 4 {
			sizes = append(sizes, piece{"-signature", 0, n(1580)})
		}
		return paged(sizes, 4096), n(20) >= 1580 && n(20) <= 4096
	}
	page := n(36)
	if page < 512 || page > 64<<10 || page&(page-1) != 0 {
		return nil, false
	}
	sizes := []piece{{"", 0, 608}, {"kernel", 0, n(8)}, {"ramdisk", 0, n(16)}, {"second", 0, n(24)}}
	switch version {
	case 0:
	case 1:
		sizes = append(sizes, piece{"dtbo", 0, n(1632)})
	case 2:
		sizes = append(sizes, piece{"dtbo", 0, n(1632)}, piece{"dtb", 0, n(1648)})
	default:
		sizes = append(sizes, piece{"dt", 0, version}) // before there were versions, Qualcomm kept the size of device trees here
	}
	return paged(sizes, page), n(8) > 0
}

func vendorParts(h []byte) ([]piece, bool) {
	if len(h) < 2128 || string(h[:8]) != "VNDRBOOT" {
		return nil, false
	}
	n := func(at int) int64 { return int64(le.Uint32(h[at:])) }
	version, page := n(8), n(12)
	if version < 3 || version > 4 || page < 2048 || page > 64<<10 || page&(page-1) != 0 {
		return nil, false
	}
	sizes := []piece{{"", 0, n(2096)}, {"ramdisk", 0, n(24)}, {"dtb", 0, n(2100)}}
	if version == 4 {
		sizes = append(sizes, piece{"-table", 0, n(2112)}, piece{"-bootconfig", 0, n(2124)})
	}
	return paged(sizes, page), n(2096) >= 2112 && n(2096) <= 2*4096
}

// paged lays pieces out one behind the other, each from a new page on.
func paged(list []piece, page int64) []piece {
	at := int64(0)
	for i := range list {
		list[i].off = at
		at += align(list[i].size, page)
	}
	return list
}

// extentOf makes an Extent of a header's list of pieces. The last piece's padding may be missing.
func extentOf(parts func([]byte) ([]piece, bool)) func(io.ReaderAt, int64, int64) (int64, bool) {
	return func(r io.ReaderAt, off, max int64) (int64, bool) {
		list, ok := parts(header(r, off, max, headerSize))
		if !ok {
			return 0, false
		}
		end := int64(0)
		for _, p := range list {
			if p.off < 0 || p.size < 0 || p.off > max || p.size > max-p.off {
				return 0, false
			}
			end = larger(end, p.off+p.size)
		}
		return end, end > 0
	}
}

// larger is max where that word is a limit.
func larger(a, b int64) int64 { return max(a, b) }

// openParts makes an Unpack of a header's list of pieces.
func openParts(what string, parts func([]byte) ([]piece, bool)) func(context.Context, biopsy.File, biopsy.Content, biopsy.UnpackOptions) error {
	return func(_ context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		m := &image{UnpackOptions: u, c: c}
		list, ok := parts(header(c, 0, c.Size(), headerSize))
		if !ok {
			return fmt.Errorf("%s: %w", what, io.ErrUnexpectedEOF)
		}
		for _, p := range list {
			switch {
			case p.name == "":
				m.is(p.off, p.size, biopsy.BytesParsed, what)
			case p.name[0] == '-':
				m.is(p.off, p.size, biopsy.BytesParsed, p.name[1:])
			default:
				if err := m.piece(p); err != nil {
					return err
				}
			}
		}
		return m.end()
	}
}

// piece yields one, that is to be searched in turn when its name says so.
func (m *image) piece(p piece) error {
	if name, ok := strings.CutSuffix(p.name, ".img"); ok {
		return m.composite(name, p.off, p.size)
	}
	return m.part(p.name, p.off, p.size)
}
