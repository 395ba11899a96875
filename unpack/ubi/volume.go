package ubi

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// blocks is how many erase blocks the device has; the last may be cut short.
func (d *device) blocks() int64 { return (d.end - d.start + d.stride - 1) / d.stride }

// room is how many bytes an erase block has, headers included.
func (d *device) room() int64 { return d.geometry.Net(d.stride) }

// block returns an erase block without spare bytes.
func (d *device) block(c io.ReaderAt, i int64) io.ReaderAt {
	at := d.start + i*d.stride
	return d.geometry.Strip(io.NewSectionReader(c, at, min(d.stride, d.end-at)))
}

func (d *device) volume(block io.ReaderAt) (volumeHeader, bool) {
	return parseVolume(head(block, d.volumeAt))
}

// copyOf is a logical block in an erase block.
type copyOf struct {
	volumeHeader
	at int64 // index of the erase block
}

func (d *device) unpack(ctx context.Context) error {
	found, err := d.scan(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b copyOf) int {
		return cmp.Or(cmp.Compare(a.volume, b.volume), cmp.Compare(a.block, b.block), cmp.Compare(b.sequence, a.sequence), cmp.Compare(b.at, a.at))
	})
	found = d.newest(found)
	table := d.table(found)
	for len(found) > 0 {
		n := sort.Search(len(found), func(i int) bool { return found[i].volume > found[0].volume })
		blocks := found[:n]
		found = found[n:]
		if blocks[0].volume >= firstInternal {
			continue
		}
		if err := d.yield(blocks, table); err != nil {
			return err
		}
	}
	for id, r := range table {
		if r.reserved > 0 && r.name != "" { // entries are cleared once their volume has been met
			d.lost(r.name, fmt.Sprintf("volume %d is in the volume table and has no block in the image", id), 0)
		}
	}
	return nil
}

// maxTold bounds how many damaged erase blocks are told one by one.
const maxTold = 100

// scan reads the headers of all erase blocks.
func (d *device) scan(ctx context.Context) ([]copyOf, error) {
	var found []copyOf
	broken := 0
	for i := int64(0); i < d.blocks(); i++ {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		block := d.block(d.content, i)
		h, ok := d.volume(block)
		if ok {
			found = append(found, copyOf{h, i})
			continue
		}
		if d.free(block) {
			continue
		}
		if broken++; broken <= maxTold {
			d.Gap(biopsy.Gap{Place: biopsy.Place{Offset: d.start + i*d.stride}, Size: d.room() - d.dataAt,
				Reason: fmt.Sprintf("erase block at offset %d: its volume header fails its checksum", d.start+i*d.stride)})
		}
	}
	if broken > maxTold {
		d.lost("", fmt.Sprintf("%d more erase blocks with volume headers that fail their checksums", broken-maxTold), int64(broken-maxTold)*(d.room()-d.dataAt))
	}
	return found, nil
}

// free tells whether an erase block has no volume header at all: it belongs to no volume.
func (d *device) free(block io.ReaderAt) bool {
	b := head(block, d.volumeAt)
	return flash.Ones(b) == len(b) || !bytes.HasPrefix(b, []byte("UBI!")) && d.bad(block)
}

// bad tells whether an erase block has no valid first header either.
func (d *device) bad(block io.ReaderAt) bool {
	_, ok := parseErase(head(block, 0))
	return !ok
}

// newest keeps one copy of each logical block. A copy that the device had not finished fails its checksum: the one before it counts.
func (d *device) newest(found []copyOf) []copyOf {
	kept := found[:0]
	for i := 0; i < len(found); {
		j := i + 1
		for j < len(found) && found[j].volume == found[i].volume && found[j].block == found[i].block {
			j++
		}
		best := found[i]
		for k := i; k < j-1 && best.copied && !d.whole(d.block(d.content, best.at), best.volumeHeader); k++ {
			best = found[k+1]
		}
		kept = append(kept, best)
		i = j
	}
	return kept
}

// whole compares the checksum of a block's data.
func (d *device) whole(block io.ReaderAt, h volumeHeader) bool {
	if int64(h.dataSize) > d.room()-d.dataAt {
		return false
	}
	b := make([]byte, h.dataSize)
	return readUpTo(block, b, d.dataAt) == len(b) && flash.CRC1(b) == h.dataCRC
}

// table reads the volume table, whose two copies are the blocks of the first internal volume.
func (d *device) table(found []copyOf) []record {
	var best []record
	for _, c := range found {
		if c.volume != firstInternal || c.block > 1 {
			continue
		}
		b := make([]byte, min(recordSize*maxVolumes, d.room()-d.dataAt))
		t, ok := parseTable(b[:readUpTo(d.block(d.content, c.at), b, d.dataAt)])
		if ok {
			return t
		}
		if len(t) > len(best) {
			best = t
		}
	}
	d.lost("", "no copy of the volume table is whole: volumes are named by their numbers", 0)
	return best
}

// yield yields one volume out of its blocks, which are sorted.
func (d *device) yield(blocks []copyOf, table []record) error {
	v := &volume{device: d, blocks: blocks, usable: d.room() - d.dataAt - int64(blocks[0].pad)}
	name := fmt.Sprintf("volume-%d", blocks[0].volume)
	if id := blocks[0].volume; int64(id) < int64(len(table)) && table[id].name != "" {
		r := &table[id]
		name = r.name
		r.name = ""
		if r.updating {
			d.lost(name, "an update of the volume was begun and not ended", 0)
		}
	}
	path, err := treepath.Clean(name)
	if err != nil {
		return err
	}
	last := blocks[len(blocks)-1]
	if v.usable <= 0 || int64(last.block) >= 8*d.blocks()+1024 {
		d.lost(path, fmt.Sprintf("blocks of %d bytes, the last numbered %d: the device has %d", v.usable, last.block, d.blocks()), 0)
		return nil
	}
	v.size = (int64(last.block) + 1) * v.usable
	if last.static {
		v.check(path)
	}
	return d.Yield(biopsy.File{Path: path + v.ending(), Size: v.size, Mode: 0o644, Open: func() (biopsy.Content, error) { return v, nil }})
}

// lost reports what stays unseen.
func (d *device) lost(path, reason string, size int64) {
	d.Gap(biopsy.Gap{Place: biopsy.Place{Path: path}, Reason: reason, Size: size})
}

// volume is the content of a volume. Blocks that are not on flash read as 0xff.
type volume struct {
	*device
	blocks []copyOf
	usable int64 // bytes of a logical block
	size   int64
}

// check finds the length of a static volume, and reports blocks that are missing or damaged.
func (v *volume) check(path string) {
	last := v.blocks[len(v.blocks)-1]
	missing := max(int64(last.used), int64(last.block)+1) - int64(len(v.blocks))
	if missing > 0 {
		v.lost(path, fmt.Sprintf("%d of %d blocks are missing", missing, missing+int64(len(v.blocks))), missing*v.usable)
	}
	for _, b := range v.blocks {
		if !v.whole(v.block(v.content, b.at), b.volumeHeader) {
			v.lost(path, fmt.Sprintf("block %d, at offset %d of the image, fails its checksum", b.block, v.start+b.at*v.stride), int64(b.dataSize))
		}
	}
	if int64(last.dataSize) <= v.usable {
		v.size += int64(last.dataSize) - v.usable
	}
}

// ending tells a UBIFS volume by the magic of its first node.
func (v *volume) ending() string {
	var b [4]byte
	if n, _ := v.ReadAt(b[:], 0); n == 4 && be.Uint32(b[:]) == 0x31181006 {
		return ".ubifs"
	}
	return ".bin"
}

// Size makes volume a biopsy.Content.
func (v *volume) Size() int64 { return v.size }

// Close does nothing: the image belongs to others.
func (v *volume) Close() error { return nil }

// ReadAt makes volume an io.ReaderAt.
func (v *volume) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	for n < len(p) {
		at := off + int64(n)
		if at >= v.size {
			return n, io.EOF
		}
		inBlock := at % v.usable
		run := p[n:][:min(int64(len(p)-n), v.usable-inBlock, v.size-at)]
		got, err := v.read(uint32(at/v.usable), run, inBlock)
		if n += got; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (v *volume) read(block uint32, p []byte, at int64) (int, error) {
	i := sort.Search(len(v.blocks), func(i int) bool { return v.blocks[i].block >= block })
	if i == len(v.blocks) || v.blocks[i].block != block {
		for i := range p {
			p[i] = 0xff
		}
		return len(p), nil
	}
	n, err := v.block(v.content, v.blocks[i].at).ReadAt(p, v.dataAt+at)
	if n == len(p) {
		return n, nil
	}
	return n, fmt.Errorf("logical block %d, erase block at offset %d: %w", block, v.start+v.blocks[i].at*v.stride, err)
}
