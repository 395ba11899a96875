package ubi

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash"
)

// device is one UBI device inside an image. Its fields do not change once its volumes are yielded.
type device struct {
	biopsy.UnpackOptions
	content    biopsy.Content
	start, end int64 // in the image
	stride     int64 // from one erase block to the next in the image, spare bytes included
	eraseHeader
	geometry flash.Geometry
}

// String tells what the device's bytes are.
func (d device) String() string {
	s := fmt.Sprintf("erase blocks of %d bytes", d.geometry.Net(d.stride))
	if d.geometry.Page != 0 {
		s += fmt.Sprintf(", %d spare bytes behind each page of %d", d.geometry.Spare, d.geometry.Page)
	}
	return s
}

const (
	minBlock = 4 << 10 // of NOR chips; pages of NAND chips stand in blocks of at least 16 KiB
	maxBlock = 32 << 20
	// maxBad is how many erase blocks without header may stand between those of one device: bad ones, or erased ones.
	maxBad = 256
)

// find looks for the next device between two offsets, and for its end.
func find(c io.ReaderAt, from, to int64) (device, error) {
	w := flash.NewWindow(io.NewSectionReader(c, from, to-from), to-from)
	first, h, err := nextErase(w, 0, to-from)
	if err != nil {
		return device{}, err
	}
	d := device{start: from + first, eraseHeader: h}
	if d.stride, err = stride(w, first, h); err != nil {
		return device{}, err
	}
	d.end = from + d.last(w, first)
	d.geometry = d.spare(c)
	d.widen(c, to)
	return d, nil
}

// nextErase finds the first valid header in a range. Headers stand at multiples of 16 bytes whatever the geometry.
func nextErase(w *flash.Window, at, end int64) (int64, eraseHeader, error) {
	magic := []byte("UBI#\x01")
	for at < end {
		b, err := w.Rest(at)
		if err != nil {
			return 0, eraseHeader{}, err
		}
		b = b[:min(int64(len(b)), end-at)]
		i := bytes.Index(b, magic)
		if i < 0 {
			at += int64(max(len(b)-len(magic)+1, 1))
			continue
		}
		if at += int64(i); w.Size()-at < headerSize {
			break
		}
		if b, err = w.Bytes(at, headerSize); err != nil {
			return 0, eraseHeader{}, err
		}
		if h, ok := parseErase(b); ok {
			return at, h, nil
		}
		at++
	}
	return 0, eraseHeader{}, errNone
}

// stride finds out how far erase blocks are apart: the smallest distance of headers at most of whose multiples stand headers. Blocks
// without header make some distances longer, and images inside volumes make some shorter. A single block is taken to have the usual size.
func stride(w *flash.Window, first int64, h eraseHeader) (int64, error) {
	var gaps []int64
	for prev := first; len(gaps) < 32; {
		at, next, err := nextErase(w, prev+minBlock, min(w.Size(), prev+maxBad*maxBlock/64))
		if err == errNone {
			break
		}
		if err != nil {
			return 0, err
		}
		if next.volumeAt == h.volumeAt && next.dataAt == h.dataAt {
			gaps = append(gaps, at-first, at-prev)
		}
		prev = at
	}
	slices.Sort(gaps)
	best, most := min(w.Size()-first, h.usual()), 0.0
	for _, g := range slices.Compact(gaps) {
		if s := share(w, first, g); s > most && g > h.dataAt && g <= maxBlock {
			best, most = g, s
		}
		if most > 0.5 {
			break
		}
	}
	if best <= h.dataAt {
		return 0, fmt.Errorf("erase blocks of %d bytes at offset %d cannot hold data from %d on", best, first, h.dataAt)
	}
	return best, nil
}

// share returns how many of the first multiples of a distance have a header.
func share(w *flash.Window, first, distance int64) float64 {
	hits, tried := 0, 0
	for at := first + distance; tried < 16 && w.Size()-at >= headerSize; at += distance {
		tried++
		if b, err := w.Bytes(at, headerSize); err == nil {
			if _, ok := parseErase(b); ok {
				hits++
			}
		}
	}
	return float64(hits) / float64(max(tried, 1))
}

// last goes from block to block while they belong to the device, and returns the end of the last.
func (d *device) last(w *flash.Window, first int64) int64 {
	end := min(first+d.stride, w.Size())
	for at, bad := first, 0; at < w.Size() && bad <= maxBad; at += d.stride {
		h, ok := d.erase(w, at)
		if ok && (h.volumeAt != d.volumeAt || h.dataAt != d.dataAt || d.image != 0 && h.image != 0 && h.image != d.image) {
			break
		}
		if !ok {
			bad++
			continue
		}
		if d.image == 0 {
			d.image = h.image
		}
		end, bad = min(at+d.stride, w.Size()), 0
	}
	return end
}

// widen takes erase blocks behind the last whose first header is damaged and whose second is not.
func (d *device) widen(c io.ReaderAt, to int64) {
	for d.end < to {
		next := *d
		next.start, next.end = d.end, min(d.end+d.stride, to)
		if _, ok := next.volume(next.block(c, 0)); !ok {
			return
		}
		if h, ok := parseErase(head(c, d.end)); ok && h.image != d.image {
			return
		}
		d.end = next.end
	}
}

func head(c io.ReaderAt, at int64) []byte {
	b := make([]byte, headerSize)
	return b[:readUpTo(c, b, at)]
}

func (d *device) erase(w *flash.Window, at int64) (eraseHeader, bool) {
	if w.Size()-at < headerSize {
		return eraseHeader{}, false
	}
	b, err := w.Bytes(at, headerSize)
	if err != nil {
		return eraseHeader{}, false
	}
	return parseErase(b)
}

// spare finds out whether pages are followed by spare bytes. An erase block is a power of two of bytes without them; of the
// geometries that fit, the one counts under which the most blocks have their second header, and data that fits its checksum.
func (d *device) spare(c io.ReaderAt) flash.Geometry {
	best, most := flash.Geometry{}, d.score(c, flash.Geometry{})
	for _, g := range flash.Geometries {
		pages := d.stride / (g.Page + g.Spare)
		if d.stride%(g.Page+g.Spare) != 0 || pages&(pages-1) != 0 {
			continue
		}
		if n := d.score(c, g); n > most {
			best, most = g, n
		}
	}
	return best
}

// scored is how many erase blocks tell a geometry.
const scored = 64

func (d *device) score(c io.ReaderAt, g flash.Geometry) int {
	n := 0
	trial := *d
	trial.geometry = g
	for i := int64(0); i < scored && i < trial.blocks(); i++ {
		b := trial.block(c, i)
		h, ok := trial.volume(b)
		if !ok {
			continue
		}
		n++
		switch {
		case h.volume == firstInternal:
			table := make([]byte, min(recordSize*maxVolumes, max(trial.room()-trial.dataAt, 0)))
			if _, ok := parseTable(table[:readUpTo(b, table, trial.dataAt)]); ok {
				n += scored
			}
		case h.static && trial.whole(b, h):
			n += scored
		}
	}
	return n
}

// readUpTo reads what there is.
func readUpTo(r io.ReaderAt, p []byte, at int64) int {
	n, err := r.ReadAt(p, at)
	if err != nil && err != io.EOF {
		return 0
	}
	return n
}
