// Package iso9660 opens images of CDs and DVDs.
//
// What comes in: an image of ISO 9660 (ECMA-119, 2019), with Rock Ridge 1.12 (1994) or Joliet (1995) names, files in several extents
// too. What goes out: its files by their best names (Rock Ridge, else Joliet, else plain), in the order of the directories, read where they
// lie when they are opened. A UDF file system,
// beside ISO 9660 or alone, is read too; what both hold is shown once. Files packed by zisofs are unpacked
// block by block. It never follows links.
//
// What tells an ISO image stands at 32 KiB, so a file is tried for its name alone; an image without it is said to be none.
package iso9660

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/runs"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// Image opens an ISO 9660 image.
var Image = biopsy.Unpacker{
	Name:   "iso9660",
	Match:  match,
	Magics: []biopsy.Magic{{Bytes: []byte("\x01CD001\x01"), At: firstDescriptor}, {Bytes: []byte("\x00BEA01\x01"), At: firstDescriptor}},
	Extent: func(c io.ReaderAt, off, max int64) (int64, bool) {
		if off < 0 || max < firstDescriptor+sector {
			return 0, false
		}
		src := io.NewSectionReader(c, off, max)
		v, err := open(src, max)
		if err != nil {
			w := &walker{volume: &volume{src: src, there: max}}
			if _, _, err = openUDF(w); err == nil {
				v.size = w.size
			}
		}
		return v.size, err == nil && v.size <= max
	},
	Unpack: unpack,
}

// match takes what is named like an image: "iso9660" is what carving calls one.
func match(f biopsy.File, _ []byte) bool {
	name := strings.ToLower(f.Path)
	return strings.HasSuffix(name, ".iso") || strings.HasSuffix(name, ".udf") || strings.HasSuffix(name, ".iso9660")
}

const (
	sector          = 2048
	firstDescriptor = 16 * sector
	maxDescriptors  = 100
)

var le = binary.LittleEndian

// volume is an image being read. It does not change.
type volume struct {
	src   io.ReaderAt
	there int64 // bytes of the image
	size  int64 // bytes that the volume says it has
	block int64 // logical block, 512 to 2048 bytes
	root  record
	names naming
	skip  int       // bytes before Rock Ridge's fields in each record
	paths [4]extent // path tables, which only the ledger needs
	udf   bool      // a UDF file system shares the image
}

// naming is where names come from.
type naming int

const (
	plainNames naming = iota
	jolietNames
	rockRidge
)

// open reads the volume descriptors, and chooses the names.
func open(src io.ReaderAt, there int64) (volume, error) {
	v := volume{src: src, there: there}
	var joliet record
	found, hasJoliet, ended := false, false, false
	for i := range int64(maxDescriptors) {
		var b [sector]byte
		if err := readAt(src, b[:], firstDescriptor+i*sector); err != nil {
			if found {
				break
			}
			return v, fmt.Errorf("read volume descriptor: %w", err)
		}
		switch id := string(b[1:6]); {
		case strings.HasPrefix(id, "NSR0"):
			v.udf = true
		case ended && id != "BEA01" && id != "TEA01":
			return v.choose(joliet, hasJoliet, found)
		case id != "CD001" || ended:
		case b[0] == 255:
			ended = true
		case b[0] == 1 && !found:
			if err := v.primary(b[:]); err != nil {
				return v, err
			}
			found = true
		case b[0] == 2 && b[88] == '%' && b[89] == '/' && strings.IndexByte("@CE", b[90]) >= 0:
			r, _, err := parseRecord(b[156:190])
			joliet, hasJoliet = r, err == nil
		}
		if i == 0 && !found && string(b[1:6]) != "CD001" {
			return v, errors.New("no volume descriptor at 32 KiB")
		}
	}
	return v.choose(joliet, hasJoliet, found)
}

func (v *volume) primary(b []byte) error {
	v.block = int64(le.Uint16(b[128:]))
	blocks := int64(le.Uint32(b[80:]))
	if v.block != 512 && v.block != 1024 && v.block != 2048 || binary.BigEndian.Uint32(b[84:]) != uint32(blocks) || blocks*v.block < firstDescriptor+sector {
		return fmt.Errorf("volume descriptor: %d blocks of %d bytes", blocks, v.block)
	}
	v.size = blocks * v.block
	tables := int64(le.Uint32(b[132:]))
	for i := range 2 {
		v.paths[i] = extent{int64(le.Uint32(b[140+4*i:])) * v.block, tables}
		v.paths[2+i] = extent{int64(binary.BigEndian.Uint32(b[148+4*i:])) * v.block, tables}
	}
	root, _, err := parseRecord(b[156:190])
	if err != nil || !root.dir() {
		return errors.New("volume descriptor: no root directory")
	}
	v.root = root
	return nil
}

// choose looks into the root directory for Rock Ridge.
func (v volume) choose(joliet record, hasJoliet, found bool) (volume, error) {
	if !found {
		return v, errors.New("no primary volume descriptor")
	}
	var first [255]byte
	n, _ := v.src.ReadAt(first[:], v.root.at(&v)) // the directory's own record; a short read is judged below
	if r, _, err := parseRecord(first[:n]); err == nil {
		su := r.system
		for len(su) >= 4 {
			size := int(su[2])
			if size < 4 || size > len(su) {
				break
			}
			if string(su[:2]) == "SP" && size >= 7 && su[4] == 0xbe && su[5] == 0xef {
				v.skip, v.names = int(su[6]), rockRidge
				return v, nil
			}
			su = su[size:]
		}
	} else if !hasJoliet {
		return v, fmt.Errorf("root directory: %w", err)
	}
	if hasJoliet {
		v.root, v.names = joliet, jolietNames
	}
	return v, nil
}

// walker goes through the directories of one image.
type walker struct {
	*volume
	u       biopsy.UnpackOptions
	seen    map[int64]struct{} // offsets of directories
	left    int64              // bytes of directories we still read: each byte of the image once, with some to spare
	used    []extent           // where something stands, for the ledger
	stopped error              // what Yield returned
	shown   map[int64]bool     // where files begin that UDF has shown; nil when it has not shown all that it holds
}

// extent is a run of bytes of the image.
type extent struct{ off, size int64 }

// folder is a directory to be read.
type folder struct {
	record
	path string // "" for the root
}

func unpack(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	v, err := open(c, c.Size())
	w := &walker{volume: &v, u: u, seen: map[int64]struct{}{}, left: 2*c.Size() + 1<<20}
	if err != nil {
		return w.onlyUDF(ctx, err)
	}
	if v.udf {
		if err := w.beside(ctx); err != nil {
			return err
		}
	}
	if over := v.size - c.Size(); over > 0 {
		u.Gap(biopsy.Gap{Place: biopsy.Place{Offset: c.Size()}, Reason: fmt.Sprintf("cut off: the volume has %d bytes, %d are here", v.size, c.Size()), Size: over})
	}
	if err := w.walk(ctx); err != nil {
		return err
	}
	if u.Ledger != nil {
		u.Ledger(w.ledger())
	}
	return nil
}

// onlyUDF reads an image that ISO 9660 does not describe, as why says.
func (w *walker) onlyUDF(ctx context.Context, why error) error {
	d, root, err := openUDF(w)
	if d == nil {
		return why
	}
	if err == nil {
		err = d.tree(ctx, root)
	}
	if err != nil {
		return fmt.Errorf("UDF: %w", err)
	}
	if w.u.Ledger != nil {
		w.used = append(w.used, extent{firstDescriptor, 3 * sector})
		w.u.Ledger(w.ledger())
	}
	return nil
}

// beside reads the UDF file system of an image that has both; what it shows need not be shown again.
func (w *walker) beside(ctx context.Context) error {
	iso := *w.volume
	d, root, err := openUDF(w)
	if err == nil {
		err = d.tree(ctx, root)
	}
	size := w.size
	*w.volume = iso
	if err == nil {
		w.shown, w.size = d.shown, max(iso.size, size)
	}
	switch {
	case w.stopped != nil:
		return w.stopped
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		w.gap("", 0, fmt.Sprintf("also holds a UDF file system, which cannot be read: %v", err))
	}
	return nil
}

func (w *walker) gap(path string, size int64, reason string) {
	w.u.Gap(biopsy.Gap{Place: biopsy.Place{Path: path}, Reason: reason, Size: size})
}

func (w *walker) walk(ctx context.Context) error {
	stack := []folder{{record: w.root}}
	for len(stack) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		d := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		below, err := w.folder(ctx, d)
		switch {
		case w.stopped != nil:
			return w.stopped
		case err != nil && d.path == "":
			return fmt.Errorf("root directory: %w", err)
		case err != nil:
			w.gap(d.path, 0, err.Error())
		}
		for i := len(below) - 1; i >= 0; i-- {
			stack = append(stack, below[i])
		}
	}
	return ctx.Err()
}

// folder yields the files of a directory and returns the directories in it.
func (w *walker) folder(ctx context.Context, d folder) (below []folder, err error) {
	at := d.at(w.volume)
	if _, again := w.seen[at]; again {
		return nil, errors.New("directory stands in the tree twice; entered once")
	}
	w.seen[at] = struct{}{}
	if w.left -= d.size; w.left < 0 || d.size > w.there {
		return nil, errors.New("not entered: the directories together are larger than the image")
	}
	w.used = append(w.used, extent{at, d.size})
	var pending []extent // of a file in several extents, but for the last
	return below, w.records(d.record, func(r record) bool {
		r.extents = append(pending, extent{r.at(w.volume), r.size})
		if pending = nil; r.flags&flagMore != 0 {
			pending = r.extents
			return true
		}
		if sub, ok := w.entry(d.path, r); ok {
			below = append(below, sub)
		}
		return w.stopped == nil && ctx.Err() == nil
	}, func(at int64, reason string) { w.gap(d.path, 0, fmt.Sprintf("record at byte %d: %s", at, reason)) })
}

// entry yields what a record names; a directory is returned.
func (w *walker) entry(dir string, r record) (folder, bool) {
	x, err := w.describe(r)
	name := treepath.Escape(x.name)
	if dir != "" {
		name = dir + "/" + name
	}
	const maxPath = 4096 // PATH_MAX of Linux
	if err == nil && (x.name == "" || x.name == "." || x.name == ".." || strings.IndexByte(x.name, '/') >= 0 || len(name) > maxPath) {
		err = fmt.Errorf("name %.40q cannot be", x.name)
	}
	switch {
	case err != nil:
		w.gap(dir, 0, err.Error())
	case x.moved: // its other record, in the directory where it belongs, leads here
	case x.child > 0:
		sub, err := w.self(x.child)
		if err != nil {
			w.gap(name, 0, fmt.Sprintf("moved directory: %v", err))
			return folder{}, false
		}
		return folder{sub, name}, true
	case r.dir():
		return folder{r, name}, true
	case x.mode.IsDir():
		w.gap(name, r.size, "a directory by its mode, a file by its record")
	case x.mode.IsRegular():
		w.file(name, r, x)
	}
	return folder{}, false
}

// self reads the record "." of a directory at a block.
func (w *walker) self(block int64) (record, error) {
	var b [255]byte
	n, err := w.src.ReadAt(b[:], block*w.block)
	r, _, bad := parseRecord(b[:n])
	switch {
	case n < 34:
		return r, short(err)
	case bad != nil:
		return r, bad
	case !r.dir():
		return r, errors.New("no directory")
	}
	return r, nil
}

func (w *walker) file(name string, r record, x extra) {
	size := int64(0)
	for _, e := range r.extents {
		size += e.size
		w.used = append(w.used, e)
	}
	if w.shown != nil && (size == 0 || w.shown[r.extents[0].off]) {
		return
	}
	if x.zisofs < 0 {
		w.gap(name, size, "packed by a version of zisofs that we cannot read")
		return
	}
	if r.interleaved {
		w.gap(name, size, "interleaved with other files, which we cannot read")
		return
	}
	src, there, extents := w.src, w.there, r.extents
	plain := size
	if x.zisofs > 0 {
		plain = x.zisofs
	}
	w.stopped = w.u.Yield(biopsy.File{Path: name, Size: plain, Mode: x.mode, Open: func() (biopsy.Content, error) {
		b, at := runs.New(src, there), int64(0)
		for _, e := range extents {
			if err := b.Add(at, e.size, e.off); err != nil {
				return nil, err
			}
			at += e.size
		}
		if x.zisofs > 0 {
			return openZisofs(b.Content(size), x.zisofs)
		}
		return b.Content(size), nil
	}})
}
