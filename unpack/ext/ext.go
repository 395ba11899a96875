// Package ext opens ext2, ext3 and ext4 file systems.
//
// What comes in: an image as Linux 6.6 documents it (Documentation/filesystems/ext4, 2023): block maps and extents, 1 to 64 KiB
// blocks, flex_bg, meta_bg, 64bit, bigalloc, inline_data, directories with and without index. What goes out: its regular files, every
// name of a hard link, in the order of the directories; they are read where they lie when they are opened. It never replays a journal, lists
// deleted files, decrypts, follows links or trusts a length.
//
// A checksum that is wrong is a gap, and what it covers is read all the same: an image altered by hand is still what the device runs.
package ext

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// Ext opens an image of ext2, ext3 or ext4.
var Ext = biopsy.Unpacker{
	Name:   "ext",
	Match:  match,
	Magics: []biopsy.Magic{{Bytes: []byte{0x53, 0xef}, At: superAt + 0x38}},
	Extent: extent,
	Unpack: unpack,
}

func match(_ biopsy.File, head []byte) bool {
	if len(head) < superAt+superSize {
		return false
	}
	_, err := parseSuper(head[superAt : superAt+superSize])
	return err == nil
}

// extent takes only a superblock that is whole, the first of its file system, and followed by a root directory.
func extent(c io.ReaderAt, off, max int64) (int64, bool) {
	if off < 0 || max < superAt+superSize {
		return 0, false
	}
	var b [superSize]byte
	if n, _ := c.ReadAt(b[:], off+superAt); n < superSize {
		return 0, false
	}
	s, err := parseSuper(b[:])
	if err != nil || s.group != 0 || !s.sumGood || s.blocks > max/s.block {
		return 0, false
	}
	size := s.blocks * s.block
	v := volume{super: s, src: io.NewSectionReader(c, off, size), size: size}
	root, err := v.inode(v.src, rootInode)
	return size, err == nil && root.isDir()
}

// maxSumGaps is how many wrong checksums are told one by one.
const maxSumGaps = 100

// walker goes through the directories of one image.
type walker struct {
	*volume
	u       biopsy.UnpackOptions
	tables  io.ReaderAt         // the volume through a window: inodes of one directory stand together
	seen    map[uint32]struct{} // directories
	left    int64               // bytes of directories we still read: each byte of the image once, with some to spare
	wrong   int                 // checksums
	stopped error               // what Yield returned
}

// folder is a directory to be read.
type folder struct {
	inode uint32
	path  string // "" for the root
	depth int
}

func unpack(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	var b [superSize]byte
	if n, err := c.ReadAt(b[:], superAt); n < superSize {
		return fmt.Errorf("read superblock: %w", short(err))
	}
	s, err := parseSuper(b[:])
	if err != nil {
		return err
	}
	w := &walker{volume: &volume{super: s, src: c, size: c.Size()}, u: u, seen: map[uint32]struct{}{}, left: 2*c.Size() + 1<<20}
	w.tables = &window{src: c, size: c.Size()}
	if err := w.state(); err != nil {
		return err
	}
	err = w.walk(ctx)
	if w.wrong > maxSumGaps {
		w.gap("", 0, fmt.Sprintf("%d more checksums are wrong", w.wrong-maxSumGaps))
	}
	if err == nil && u.Ledger != nil {
		u.Ledger(w.ledger(ctx))
	}
	return err
}

// state says what is special about the whole image.
func (w *walker) state() error {
	if w.incompat&incompatJournalDev != 0 {
		return errors.New("a journal without a file system")
	}
	if w.incompat&incompatRecover != 0 {
		w.gap("", 0, "the journal holds changes that are not in the file system yet; it is not replayed")
	}
	if odd := w.incompat &^ incompatKnown; odd != 0 {
		w.gap("", superAt, fmt.Sprintf("uses features %#x that we do not know; files may be missing or wrong", odd))
	}
	if !w.sumGood {
		w.badSum("", superAt, "superblock")
	}
	if end := w.blocks * w.block; end > w.size {
		w.u.Gap(biopsy.Gap{Place: biopsy.Place{Offset: w.size}, Reason: fmt.Sprintf("cut off: the file system has %d bytes, %d are here", end, w.size), Size: end - w.size})
	}
	for g := range w.groups {
		d, err := w.groupDesc(w.tables, g)
		if err != nil {
			w.gap("", 0, fmt.Sprintf("descriptor of block group %d: %v", g, err))
			break
		}
		if !d.sumGood {
			w.badSum("", d.offset, fmt.Sprintf("descriptor of block group %d", g))
		}
		w.inodeTables = append(w.inodeTables, d.table)
	}
	return nil
}

func (w *walker) gap(path string, offset int64, reason string) {
	w.u.Gap(biopsy.Gap{Place: biopsy.Place{Path: path, Offset: offset}, Reason: reason})
}

func (w *walker) badSum(path string, offset int64, what string) {
	if w.wrong++; w.wrong <= maxSumGaps {
		w.gap(path, offset, "checksum of "+what+" is wrong; read all the same")
	}
}

// maxPath is PATH_MAX of Linux, and maxDepth as many directories as such a path can have.
const (
	maxPath  = 4096
	maxDepth = maxPath / 2
)

// walk goes down the directories, those of one directory in its order.
func (w *walker) walk(ctx context.Context) error {
	stack := []folder{{inode: rootInode}}
	for len(stack) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		d := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		below, err := w.folder(ctx, d)
		if w.stopped != nil {
			return w.stopped
		}
		if err != nil {
			if d.path == "" {
				return fmt.Errorf("root directory: %w", err)
			}
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
	if _, again := w.seen[d.inode]; again {
		return nil, errors.New("directory stands in the tree twice; entered once")
	}
	if d.depth > maxDepth {
		return nil, fmt.Errorf("not entered: more than %d directories inside each other", maxDepth)
	}
	w.seen[d.inode] = struct{}{}
	in, err := w.inode(w.tables, d.inode)
	if err != nil {
		return nil, err
	}
	switch {
	case !in.isDir():
		return nil, errors.New("no directory")
	case in.flags&flagEncrypted != 0:
		return nil, errors.New("encrypted directory: its names and files cannot be read")
	}
	err = w.entries(d.path, in, func(e entry) bool {
		if sub, ok := w.entry(d, e); ok {
			below = append(below, sub)
		}
		return w.stopped == nil && ctx.Err() == nil
	})
	return below, err
}

// entry yields what a directory's entry names; a directory is returned.
func (w *walker) entry(d folder, e entry) (folder, bool) {
	name := path.Join(d.path, treepath.Escape(string(e.name)))
	if len(e.name) == 0 || len(name) > maxPath || bytes.IndexByte(e.name, '/') >= 0 {
		w.gap(d.path, 0, fmt.Sprintf("entry for inode %d: name %.40q is empty, too long or holds a slash", e.inode, e.name))
		return folder{}, false
	}
	in, err := w.inode(w.tables, e.inode)
	if err != nil {
		w.gap(name, 0, err.Error())
		return folder{}, false
	}
	if !in.sumGood {
		w.badSum(name, in.offset, fmt.Sprintf("inode %d", e.inode))
	}
	switch {
	case in.links == 0:
		w.gap(name, in.offset, fmt.Sprintf("names inode %d, which is deleted", e.inode))
	case in.isDir():
		return folder{inode: e.inode, path: name, depth: d.depth + 1}, true
	case in.isRegular():
		w.file(name, in)
	case in.mode&modeType == 0:
		w.gap(name, in.offset, fmt.Sprintf("inode %d has no type", e.inode))
	}
	return folder{}, false
}

// file yields a regular file, or says why nobody can read it.
func (w *walker) file(name string, in inode) {
	reason := ""
	switch {
	case in.size < 0:
		reason = "size is negative"
	case in.flags&flagEncrypted != 0:
		reason = "encrypted"
	case in.flags&flagCompressed != 0:
		reason = "compressed by e2compr, which we cannot read"
	}
	if reason != "" {
		w.u.Gap(biopsy.Gap{Place: biopsy.Place{Path: name}, Reason: reason, Size: max(in.size, 0)})
		return
	}
	if w.sums && in.flags&flagExtents != 0 && in.extentDepth() > 0 {
		if _, err := w.blocksOf(in, func(at int64) { w.badSum(name, at, "extents") }); err != nil {
			w.gap(name, in.offset, err.Error())
			return
		}
	}
	v := w.volume
	w.stopped = w.u.Yield(biopsy.File{
		Path: name, Size: in.size, Mode: fs.FileMode(in.mode & 0o777),
		Open: func() (biopsy.Content, error) { return v.open(in) },
	})
}

// open finds out where the bytes of a file lie.
func (v *volume) open(in inode) (biopsy.Content, error) {
	if in.flags&flagInline != 0 {
		b, err := in.inline()
		if err == nil && int64(len(b)) < in.size {
			err = fmt.Errorf("inode %d holds %d of the file's %d bytes", in.number, len(b), in.size)
		}
		if err != nil {
			return nil, err
		}
		return memory{bytes.NewReader(b[:in.size])}, nil
	}
	b, err := v.blocksOf(in, func(int64) {})
	if err != nil {
		return nil, err
	}
	return b.Content(in.size), nil
}

// memory is a file whose bytes stand in its inode.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }
