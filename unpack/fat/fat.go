// Package fat opens FAT12, FAT16, FAT32 and exFAT file systems.
//
// What comes in: an image as Microsoft's FAT specification (2005) and exFAT specification 1.00 (2019) have it. What goes out: its
// files under their long names, in the order of the directories, read where they lie when they are opened. It never lists deleted files
// or volume labels, or trusts a chain of clusters to end.
package fat

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/runs"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// FAT opens an image of FAT or exFAT.
var FAT = biopsy.Unpacker{
	Name: "fat",
	Match: func(_ biopsy.File, head []byte) bool {
		if len(head) < 512 {
			return false
		}
		_, err := parseBoot(head)
		return err == nil
	},
	Magics: []biopsy.Magic{{Bytes: []byte("FAT12   "), At: 54}, {Bytes: []byte("FAT16   "), At: 54}, {Bytes: []byte("FAT32   "), At: 82}, {Bytes: []byte("EXFAT   "), At: 3}},
	Extent: extent,
	Unpack: unpack,
}

var le = binary.LittleEndian

// boot is what the boot sector says, in bytes from the image's beginning.
type boot struct {
	kind     int // 12, 16 or 32 bits of an entry; 64 for exFAT, whose entries have 32 bits
	sector   int64
	cluster  int64
	fat      int64
	fatSize  int64
	root     int64 // root directory of FAT12 and FAT16
	rootSize int64
	first    uint32 // root directory's cluster otherwise
	data     int64  // cluster 2
	clusters int64
	size     int64
}

// extent takes a boot sector whose first table begins as it must: with the media byte, or exFAT's.
func extent(c io.ReaderAt, off, max int64) (int64, bool) {
	var b [512]byte
	if off < 0 || max < 1024 || readAt(c, b[:], off) != nil {
		return 0, false
	}
	v, err := parseBoot(b[:])
	if err != nil || v.size > max || v.fat > max-4 {
		return 0, false
	}
	var f [4]byte
	if readAt(c, f[:], off+v.fat) != nil || f[1] != 0xff || v.kind == 64 && f[0] != 0xf8 || v.kind != 64 && f[0] != b[21] {
		return 0, false
	}
	return v.size, true
}

// parseBoot reads a boot sector. It is strict, for any sector that can be started ends like one.
func parseBoot(b []byte) (boot, error) {
	switch {
	case b[510] != 0x55 || b[511] != 0xaa:
		return boot{}, errors.New("no boot sector")
	case string(b[3:11]) == "EXFAT   ":
		return parseExBoot(b)
	case b[0] != 0xe9 && (b[0] != 0xeb || b[2] != 0x90):
		return boot{}, errors.New("no boot sector of FAT")
	}
	sector, perCluster, reserved, tables := int64(le.Uint16(b[11:])), int64(b[13]), int64(le.Uint16(b[14:])), int64(b[16])
	entries, sectors, perTable := int64(le.Uint16(b[17:])), int64(le.Uint16(b[19:])), int64(le.Uint16(b[22:]))
	if sectors == 0 {
		sectors = int64(le.Uint32(b[32:]))
	}
	v := boot{kind: 16, sector: sector, cluster: sector * perCluster}
	if perTable == 0 {
		v.kind, perTable, v.first = 32, int64(le.Uint32(b[36:])), le.Uint32(b[44:])
	}
	if !isPower(sector, 512, 4096) || !isPower(perCluster, 1, 128) || reserved == 0 || tables < 1 || tables > 4 || b[21] < 0xf0 || perTable == 0 || (v.kind == 32) != (entries == 0) {
		return v, errors.New("boot sector: sizes that FAT cannot have")
	}
	v.fat, v.fatSize = reserved*sector, perTable*sector
	v.root, v.rootSize = v.fat+tables*v.fatSize, (entries*32+sector-1)/sector*sector
	v.data, v.size = v.root+v.rootSize, sectors*sector
	if v.clusters = (v.size - v.data) / v.cluster; v.clusters <= 0 {
		return v, fmt.Errorf("boot sector: %d sectors leave no room for files", sectors)
	}
	if v.kind == 16 && v.clusters < 4085 {
		v.kind = 12
	}
	if int64(v.kind)*(v.clusters+2) > 8*v.fatSize {
		return v, fmt.Errorf("boot sector: table of %d bytes for %d clusters", v.fatSize, v.clusters)
	}
	return v, nil
}

func parseExBoot(b []byte) (boot, error) {
	shift, more := b[108], b[109]
	if shift < 9 || shift > 12 || int(shift)+int(more) > 25 {
		return boot{}, fmt.Errorf("boot sector: sectors of 2^%d bytes, 2^%d in a cluster", shift, more)
	}
	sectors := le.Uint64(b[72:])
	v := boot{
		kind: 64, sector: 1 << shift, cluster: 1 << (shift + more), fat: int64(le.Uint32(b[80:])) << shift, fatSize: int64(le.Uint32(b[84:])) << shift,
		data: int64(le.Uint32(b[88:])) << shift, clusters: int64(le.Uint32(b[92:])), first: le.Uint32(b[96:]),
	}
	if sectors > 1<<50>>shift {
		return v, fmt.Errorf("boot sector: %d sectors", sectors)
	}
	v.size = int64(sectors) << shift
	if v.fat < 24<<shift || v.data < v.fat+v.fatSize || v.clusters <= 0 || 4*(v.clusters+2) > v.fatSize || v.clusters > (v.size-v.data)/v.cluster {
		return v, errors.New("boot sector: sizes that exFAT cannot have")
	}
	return v, nil
}

func isPower(n, low, high int64) bool { return n >= low && n <= high && n&(n-1) == 0 }

// volume is an image being read. It does not change.
type volume struct {
	boot
	src   io.ReaderAt
	there int64 // bytes of the image
}

// walker goes through the directories of one image.
type walker struct {
	*volume
	u       biopsy.UnpackOptions
	seen    map[uint32]struct{} // first clusters of directories
	left    int64               // bytes of directories we still read: each byte of the image once, with some to spare
	stopped error               // what Yield returned
}

// entry is a file or directory as its directory tells.
type entry struct {
	name       string // "" when it holds nothing to be seen
	dir        bool
	first      uint32
	size       int64
	valid      int64 // bytes written; the rest reads as zeros
	contiguous bool  // exFAT: the clusters stand one behind the other
	at         int64 // offset of its record in the directory
}

func unpack(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	b := make([]byte, 512)
	if err := readAt(c, b, 0); err != nil {
		return fmt.Errorf("read boot sector: %w", err)
	}
	v, err := parseBoot(b)
	if err != nil {
		return err
	}
	w := &walker{volume: &volume{boot: v, src: c, there: c.Size()}, u: u, seen: map[uint32]struct{}{}, left: 2*c.Size() + 1<<20}
	if over := v.size - c.Size(); over > 0 {
		u.Gap(biopsy.Gap{Place: biopsy.Place{Offset: c.Size()}, Reason: fmt.Sprintf("cut off: the file system has %d bytes, %d are here", v.size, c.Size()), Size: over})
	}
	if err := w.walk(ctx); err != nil {
		return err
	}
	if u.Ledger != nil {
		u.Ledger(w.ledger(ctx))
	}
	return ctx.Err()
}

// folder is a directory to be read.
type folder struct {
	entry
	path string // "" for the root
}

// maxPath is as long as a path can be in Windows, in bytes of UTF-8, and enough for all else.
const maxPath = 4096

func (w *walker) walk(ctx context.Context) error {
	stack := []folder{{entry: entry{dir: true, first: w.first, size: w.rootSize}}}
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
	return nil
}

func (w *walker) gap(path string, size int64, reason string) {
	w.u.Gap(biopsy.Gap{Place: biopsy.Place{Path: path}, Reason: reason, Size: size})
}

// folder yields the files of a directory and returns the directories in it.
func (w *walker) folder(ctx context.Context, d folder) (below []folder, err error) {
	c, err := w.directory(d.entry)
	if err != nil {
		return nil, err
	}
	if _, again := w.seen[d.first]; again {
		return nil, errors.New("directory stands in the tree twice; entered once")
	}
	w.seen[d.first] = struct{}{}
	if w.left -= c.Size(); w.left < 0 {
		return nil, errors.New("not entered: the directories together are larger than the image")
	}
	read := shortEntries
	if w.kind == 64 {
		read = exEntries
	}
	err = read(c, func(e entry) bool {
		if w.kind < 32 {
			e.first &= 0xffff // what stands above are attributes of OS/2
		}
		path, ok := w.path(d.path, e)
		switch {
		case !ok:
		case e.dir:
			below = append(below, folder{e, path})
		default:
			w.file(path, e)
		}
		return w.stopped == nil && ctx.Err() == nil
	}, func(at int64, reason string) { w.gap(d.path, 0, fmt.Sprintf("record at byte %d: %s", at, reason)) })
	return below, err
}

// path joins a name to its directory's path.
func (w *walker) path(dir string, e entry) (string, bool) {
	name := treepath.Escape(e.name)
	if dir != "" {
		name = dir + "/" + name
	}
	if e.name == "." || e.name == ".." || len(name) > maxPath || hasSlash(e.name) {
		w.gap(dir, 0, fmt.Sprintf("record at byte %d: name %.40q cannot be", e.at, e.name))
		return "", false
	}
	return name, true
}

func hasSlash(name string) bool {
	for i := range len(name) {
		if name[i] == '/' {
			return true
		}
	}
	return false
}

func (w *walker) file(path string, e entry) {
	if e.size < 0 || e.size > w.clusters*w.cluster {
		w.gap(path, 0, fmt.Sprintf("%d bytes do not fit in the file system", e.size))
		return
	}
	v := w.volume
	w.stopped = w.u.Yield(biopsy.File{Path: path, Size: e.size, Mode: 0o755, Open: func() (biopsy.Content, error) {
		b, err := v.chain(e, (e.size+v.cluster-1)/v.cluster, (e.valid+v.cluster-1)/v.cluster)
		if err != nil {
			return nil, err
		}
		return b.Content(e.size), nil
	}})
}

// maxDirectory is the most bytes of a directory: 65,536 records in FAT, 256 MiB in exFAT, of which we take 32.
const maxDirectory = 32 << 20

// directory returns the bytes of a directory.
func (w *walker) directory(d entry) (*runs.Content, error) {
	if d.first == 0 && w.rootSize > 0 {
		b := runs.New(w.src, w.there)
		if err := b.Add(0, w.rootSize, w.root); err != nil {
			return nil, err
		}
		return b.Content(w.rootSize), nil
	}
	most := int64(maxDirectory)/w.cluster + 1
	if d.contiguous {
		most = min(most, (d.size+w.cluster-1)/w.cluster)
	}
	b, err := w.chain(d, -1, most)
	if err != nil {
		return nil, err
	}
	return b.Content(b.Size()), nil
}
