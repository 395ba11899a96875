package iso9660

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf16"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/runs"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// UDF (ECMA-167, third edition of 1997; OSTA UDF 2.60 of 2005), as discs and images hold it that are written once: partitions as they are
// and those of metadata. What was written to a disc in several sessions, by tables of virtual blocks, is not read.

// Tags of descriptors.
const (
	tagAnchor     = 2
	tagPartition  = 5
	tagLogical    = 6
	tagEnd        = 8
	tagFileSet    = 256
	tagIdentifier = 257
	tagFile       = 261
	tagExtended   = 266
)

const (
	udfAnchor    = 256 // the sector of the anchor
	maxUDFDir    = 64 << 20
	maxUDFMaps   = 8
	maxUDFRuns   = 1 << 20 // of one file
	maxUDFChains = 10_000  // of descriptors of extents that go on elsewhere, in one file
)

// udf is a file system being read.
type udf struct {
	*walker
	sector     int64
	partitions map[uint16]extent // by number, in bytes
	maps       []udfMap
	shown      map[int64]bool // where files begin, in bytes
}

// udfMap is a partition as the logical volume counts them.
type udfMap struct {
	start, size int64
	meta        []extent // of a partition of metadata: where its blocks are, in the image
}

// udfAt is a block of a partition.
type udfAt struct {
	block uint32
	part  uint16
}

// openUDF reads the volume's descriptors. Sectors may have 512 to 4096 bytes.
func openUDF(w *walker) (*udf, udfAt, error) {
	for _, size := range [...]int64{2048, 512, 4096, 1024} {
		b := make([]byte, 512)
		if readAt(w.src, b, udfAnchor*size) == nil && tagged(b, tagAnchor) && le.Uint32(b[12:]) == udfAnchor {
			u := &udf{walker: w, sector: size, partitions: map[uint16]extent{}, shown: map[int64]bool{}}
			w.use(udfAnchor*size, size)
			root, err := u.volume(int64(le.Uint32(b[20:])), int64(le.Uint32(b[16:])))
			return u, root, err
		}
	}
	return nil, udfAt{}, errors.New("no UDF anchor at sector 256")
}

// tagged tells whether a descriptor begins with a tag of this kind that has its check sum.
func tagged(b []byte, kind uint16) bool {
	if len(b) < 16 || le.Uint16(b) != kind {
		return false
	}
	sum := byte(0)
	for i, x := range b[:16] {
		if i != 4 {
			sum += x
		}
	}
	return sum == b[4]
}

func (w *walker) use(off, size int64) { w.used = append(w.used, extent{off, size}) }

// volume goes through the descriptors of the volume, and returns where the root directory is.
func (u *udf) volume(first, size int64) (root udfAt, err error) {
	var logical []byte
	for i := range min(size/u.sector, 64) {
		b := make([]byte, min(u.sector, 4096))
		if err := readAt(u.src, b, (first+i)*u.sector); err != nil {
			return root, err
		}
		u.use((first+i)*u.sector, u.sector)
		switch {
		case tagged(b, tagPartition):
			u.partitions[le.Uint16(b[22:])] = extent{int64(le.Uint32(b[188:])) * u.sector, int64(le.Uint32(b[192:])) * u.sector}
		case tagged(b, tagLogical):
			logical = b
		}
		if tagged(b, tagEnd) {
			break
		}
	}
	if logical == nil {
		return root, errors.New("no logical volume")
	}
	u.block = int64(le.Uint32(logical[212:]))
	if u.block != u.sector {
		return root, fmt.Errorf("logical blocks of %d bytes on sectors of %d", u.block, u.sector)
	}
	if err := u.readMaps(logical); err != nil {
		return root, err
	}
	set, err := u.descriptor(udfAt{le.Uint32(logical[252:]), le.Uint16(logical[256:])})
	if err != nil || !tagged(set, tagFileSet) {
		return root, fmt.Errorf("no file set: %w", short(err))
	}
	return udfAt{le.Uint32(set[404:]), le.Uint16(set[408:])}, nil
}

// readMaps reads the partitions of the logical volume.
func (u *udf) readMaps(b []byte) error {
	n, maps := le.Uint32(b[268:]), b[440:]
	if n > maxUDFMaps {
		return fmt.Errorf("%d partitions", n)
	}
	for range n {
		if len(maps) < 6 || int(maps[1]) < 6 || int(maps[1]) > len(maps) {
			return errors.New("map of partitions is damaged")
		}
		m := maps[:maps[1]]
		maps = maps[maps[1]:]
		number := uint16(0)
		name := ""
		switch {
		case m[0] == 1:
			number = le.Uint16(m[4:])
		case m[0] == 2 && len(m) >= 64:
			number, name = le.Uint16(m[38:]), strings.TrimRight(string(m[5:28]), "\x00")
		}
		p, ok := u.partitions[number]
		if !ok {
			return fmt.Errorf("partition %d is missing", number)
		}
		u.maps = append(u.maps, udfMap{start: p.off, size: p.size})
		u.size = max(u.size, p.off+p.size)
		switch name {
		case "", "*UDF Sparable Partition": // spare blocks stand for damaged ones of a disc, which an image has not
		case "*UDF Metadata Partition":
			if err := u.metadata(le.Uint32(m[40:])); err != nil {
				return fmt.Errorf("metadata: %w", err)
			}
		default:
			return fmt.Errorf("partition of kind %q, which we cannot read", name)
		}
	}
	return nil
}

// metadata finds the blocks of the last partition in a file of the one before, of which it is a part.
func (u *udf) metadata(block uint32) error {
	m := &u.maps[len(u.maps)-1]
	f, err := u.entry(udfAt{block, uint16(len(u.maps) - 1)})
	if err != nil {
		return err
	}
	for _, r := range f.runs {
		m.meta = append(m.meta, extent{r.off, r.size})
	}
	if len(m.meta) == 0 {
		return errors.New("its file is empty")
	}
	return nil
}

// place returns where a run of a partition is in the image; of metadata it may be shorter than wanted.
func (u *udf) place(a udfAt, size int64) (int64, int64, error) {
	if int(a.part) >= len(u.maps) {
		return 0, 0, fmt.Errorf("partition %d of %d", a.part, len(u.maps))
	}
	m, off := u.maps[a.part], int64(a.block)*u.block
	if m.meta == nil {
		if off > m.size || size > m.size-off {
			return 0, 0, fmt.Errorf("block %d lies outside of its partition", a.block)
		}
		return m.start + off, size, nil
	}
	for _, e := range m.meta {
		if off < e.size {
			return e.off + off, min(size, e.size-off), nil
		}
		off -= e.size
	}
	return 0, 0, fmt.Errorf("block %d lies outside of its partition", a.block)
}

// descriptor reads one block.
func (u *udf) descriptor(a udfAt) ([]byte, error) {
	off, n, err := u.place(a, u.block)
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if err := readAt(u.src, b, off); err != nil {
		return nil, err
	}
	u.use(off, n)
	if n < u.block {
		return nil, io.ErrUnexpectedEOF
	}
	return b, nil
}

// udfFile is what a file entry says.
type udfFile struct {
	kind   byte
	mode   fs.FileMode
	size   int64
	inside []byte   // the bytes themselves, where they stand in the entry
	runs   []udfRun // else where they are
}

// udfRun is a run of bytes; off is -1 for zeros.
type udfRun struct{ at, off, size int64 }

// entry reads a file entry.
func (u *udf) entry(a udfAt) (f udfFile, err error) {
	b, err := u.descriptor(a)
	if err != nil {
		return f, err
	}
	attributes := 176
	switch {
	case tagged(b, tagFile):
	case tagged(b, tagExtended):
		attributes = 216
	default:
		return f, fmt.Errorf("no file entry at block %d", a.block)
	}
	f.kind, f.mode, f.size = b[27], udfMode(le.Uint32(b[44:])), int64(le.Uint64(b[56:]))
	skip, size := uint64(le.Uint32(b[attributes-8:])), uint64(le.Uint32(b[attributes-4:]))
	rest := b[attributes:]
	if f.size < 0 || skip > uint64(len(rest)) || size > uint64(len(rest))-skip {
		return f, fmt.Errorf("file entry at block %d is damaged", a.block)
	}
	rest = rest[skip : skip+size]
	kind := le.Uint16(b[34:]) & 7
	switch kind {
	case 0, 1:
		return f, u.runs(&f, a.part, rest, kind == 1)
	case 3:
		f.inside = rest[:min(int64(len(rest)), f.size)]
		return f, nil
	}
	return f, fmt.Errorf("file entry at block %d: extents of kind %d", a.block, kind)
}

// udfMode takes the five bits for each of owner, group and others, of which the lowest three are execute, write and read.
func udfMode(p uint32) (m fs.FileMode) {
	for i := range 3 {
		x := p >> (5 * i) & 7
		m |= fs.FileMode(x&1|x&2|x&4) << (3 * i)
	}
	return m
}

// runs reads the descriptors of extents: length, and in its upper two bits the kind; block; for long ones the partition.
func (u *udf) runs(f *udfFile, part uint16, b []byte, long bool) error {
	size := 8
	if long {
		size = 16
	}
	at := int64(0)
	for chain := 0; len(b) >= size && at < f.size; {
		n, kind := int64(le.Uint32(b)&0x3fffffff), le.Uint32(b)>>30
		a := udfAt{le.Uint32(b[4:]), part}
		if long {
			a.part = le.Uint16(b[8:])
		}
		b = b[size:]
		switch {
		case n == 0:
			b = nil
		case kind == 3: // the descriptors go on there
			if chain++; chain > maxUDFChains {
				return errors.New("extents go on too often, or in a circle")
			}
			next, err := u.descriptor(a)
			if err != nil {
				return err
			}
			b = next[24:min(24+int64(le.Uint32(next[20:])), u.block)]
		case kind != 0:
			at += n
		default:
			for n > 0 && at < f.size {
				off, k, err := u.place(a, n)
				if err != nil {
					return err
				}
				if len(f.runs) >= maxUDFRuns || k < n && k%u.block != 0 {
					return errors.New("its extents are damaged, or in more pieces than we keep track of")
				}
				f.runs = append(f.runs, udfRun{at, off, min(k, f.size-at)})
				at, n = at+k, n-k
				a.block += uint32(k / u.block)
			}
		}
	}
	return nil
}

// content is the bytes of a file.
func (u *udf) content(f udfFile) (biopsy.Content, error) {
	c := runs.New(u.src, u.there)
	for _, r := range f.runs {
		if err := c.Add(r.at, r.size, r.off); err != nil {
			return nil, err
		}
	}
	return c.Content(f.size), nil
}

// udfFolder is a directory to be read.
type udfFolder struct {
	at   udfAt
	path string
}

// tree yields all files.
func (u *udf) tree(ctx context.Context, root udfAt) error {
	seen := map[udfAt]bool{}
	stack := []udfFolder{{root, ""}}
	for len(stack) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		d := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[d.at] {
			u.gap(d.path, 0, "directory stands in the tree twice; entered once")
			continue
		}
		seen[d.at] = true
		below, err := u.folder(ctx, d)
		switch {
		case u.stopped != nil:
			return u.stopped
		case err != nil && d.path == "":
			return fmt.Errorf("root directory: %w", err)
		case err != nil:
			u.gap(d.path, 0, err.Error())
		}
		for i := len(below) - 1; i >= 0; i-- {
			stack = append(stack, below[i])
		}
	}
	return nil
}

// folder yields the files of a directory and returns the directories in it.
func (u *udf) folder(ctx context.Context, d udfFolder) (below []udfFolder, err error) {
	f, err := u.entry(d.at)
	if err != nil {
		return nil, err
	}
	if u.left -= f.size; f.kind != 4 || f.size > maxUDFDir || u.left < 0 {
		return nil, fmt.Errorf("not entered: entry of kind %d with %d bytes", f.kind, f.size)
	}
	b := f.inside
	if b == nil {
		c, err := u.content(f)
		if err != nil {
			return nil, err
		}
		b = make([]byte, f.size)
		if err := readAt(c, b, 0); err != nil {
			return nil, err
		}
		for _, r := range f.runs {
			u.use(r.off, r.size)
		}
	}
	for len(b) >= 38 && u.stopped == nil && ctx.Err() == nil {
		if !tagged(b, tagIdentifier) {
			return below, errors.New("entry of a directory is damaged")
		}
		flags, name, skip := b[18], int(b[19]), int(le.Uint16(b[36:]))
		end := (38 + skip + name + 3) &^ 3
		if 38+skip+name > len(b) {
			return below, errors.New("entry of a directory is cut off")
		}
		const folder, deleted, parent = 2, 4, 8
		if flags&(deleted|parent) == 0 {
			at := udfAt{le.Uint32(b[24:]), le.Uint16(b[28:])}
			path, err := treepath.Child(d.path, udfName(b[38+skip:38+skip+name]))
			switch {
			case err != nil:
				u.gap(d.path, 0, err.Error())
			case flags&folder != 0:
				below = append(below, udfFolder{at, path})
			default:
				u.file(path, at)
			}
		}
		b = b[min(end, len(b)):]
	}
	return below, ctx.Err()
}

// udfName reads a name in units of 8 or 16 bits, as its first byte says.
func udfName(b []byte) string {
	if len(b) < 2 {
		return ""
	}
	width, b := b[0], b[1:]
	if width == 16 || width == 255 {
		return jolietText(b)
	}
	u := make([]uint16, len(b))
	for i, c := range b {
		u[i] = uint16(c)
	}
	return string(utf16.Decode(u))
}

func (u *udf) file(path string, at udfAt) {
	f, err := u.entry(at)
	if err != nil {
		u.gap(path, 0, err.Error())
		return
	}
	if f.kind != 5 && f.kind != 0 {
		return // links, devices, streams
	}
	x := biopsy.File{Path: path, Size: f.size, Mode: f.mode}
	if f.inside != nil {
		inside := runs.New(strings.NewReader(string(f.inside)), int64(len(f.inside)))
		if err := inside.Add(0, int64(len(f.inside)), 0); err != nil {
			u.gap(path, f.size, err.Error())
			return
		}
		x.Open = func() (biopsy.Content, error) { return inside.Content(f.size), nil }
	} else {
		x.Open = func() (biopsy.Content, error) { return u.content(f) }
	}
	for _, r := range f.runs {
		u.use(r.off, r.size)
	}
	if len(f.runs) > 0 {
		u.shown[f.runs[0].off] = true
	}
	u.stopped = u.u.Yield(x)
}
