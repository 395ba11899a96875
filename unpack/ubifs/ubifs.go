// Package ubifs opens UBIFS volumes.
//
// What comes in: a volume, as UBI shows it or as mkfs.ubifs makes it (Linux 6.12, fs/ubifs/ubifs-media.h). What goes out: its regular
// files as Linux would show them after mounting: the index of the last commit, and over it the journal, so that what was written before
// power was lost is seen and what was deleted is not. Where the index is damaged all nodes are searched, and deleted files may show up
// again; a gap says so. Encrypted files stay closed and are told as gaps. It keeps 24 bytes in memory for each block of 4 KiB.
package ubifs

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash"
)

// Volume is a UBIFS file system.
var Volume = biopsy.Unpacker{
	Name:   "ubifs",
	Match:  func(_ biopsy.File, head []byte) bool { _, ok := parseSuper(head); return ok },
	Magics: []biopsy.Magic{{At: 16, Bytes: []byte{0, 0x10, 0, 0, nodeSuper, 0, 0, 0}}}, // length and type of the superblock
	Extent: extent,
	Unpack: unpack,
}

// extent knows a volume by its superblock, the node that its first erase block begins with.
func extent(c io.ReaderAt, off, max int64) (int64, bool) {
	b := make([]byte, min(superSize, max))
	if n, err := c.ReadAt(b, off); n < len(b) && err != io.EOF {
		return 0, false
	}
	s, ok := parseSuper(b)
	return min(s.block*s.blocks, max), ok
}

func unpack(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	b := make([]byte, min(superSize, c.Size()))
	if _, err := c.ReadAt(b, 0); err != nil && err != io.EOF {
		return fmt.Errorf("read superblock: %w", err)
	}
	s, ok := parseSuper(b)
	if !ok {
		return errors.New("superblock fails its checks")
	}
	v := &volume{UnpackOptions: u, super: s, content: c, size: c.Size()}
	if err := v.load(ctx); err != nil {
		return err
	}
	v.ledger()
	return v.tree(ctx)
}

// volume is a file system being read; nothing of it changes once the tree is walked.
type volume struct {
	biopsy.UnpackOptions
	super
	content biopsy.Content
	size    int64
	leaves  []leaf
	cuts    []cut
	names   flash.Names
	taken   int64 // bytes of index nodes so far
	broken  int   // nodes that fail their checksum

	searching bool // for all nodes, without index
}

// load fills leaves and names from the index and the journal, or from all nodes there are.
func (v *volume) load(ctx context.Context) error {
	err := v.byIndex(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		v.lost("", fmt.Sprintf("index is damaged (%v): files were found by searching all nodes, deleted ones may be among them", err), 0)
		v.leaves, v.cuts, v.names, v.broken = nil, nil, flash.Names{}, 0
		if err := v.byNodes(ctx); err != nil {
			return err
		}
	}
	if v.broken > 0 {
		v.lost("", fmt.Sprintf("%d nodes fail their checksums", v.broken), 0)
	}
	v.settle()
	return nil
}

func (v *volume) ledger() {
	if v.Ledger == nil {
		return
	}
	var spans flash.Spans
	spans.Add(min(v.size, v.block*v.blocks), biopsy.BytesParsed, fmt.Sprintf("logical erase blocks of %d bytes", v.block))
	if rest := v.size - v.block*v.blocks; rest > 0 {
		w := flash.NewWindow(io.NewSectionReader(v.content, v.block*v.blocks, rest), rest)
		blank, err := w.Blank(0, rest)
		if err != nil {
			blank = 0
		}
		spans.Add(blank, biopsy.BytesPadding, "behind the file system")
		spans.Add(rest-blank, biopsy.BytesUnknown, "behind the file system")
	}
	v.Ledger(spans)
}

// lost reports what stays unseen.
func (v *volume) lost(path, reason string, size int64) {
	v.Gap(biopsy.Gap{Place: biopsy.Place{Path: path}, Reason: reason, Size: size})
}

// tree yields the files.
func (v *volume) tree(ctx context.Context) error {
	return v.names.Walk(rootInode, flash.Visitor{
		Lost:  func(path, reason string) { v.lost(path, reason, 0) },
		Enter: v.enter,
		Stray: func(dir uint32, names int) string {
			path := fmt.Sprintf("directory-%d", dir)
			v.lost(path, fmt.Sprintf("directory of %d names has lost its own, or was deleted", names), 0)
			return path
		},
		Visit: func(path string, ino uint32, kind flash.Kind) error {
			if kind != flash.File {
				return ctx.Err()
			}
			if err := v.file(path, ino); err != nil {
				return err
			}
			return ctx.Err()
		},
	})
}

// enter tells whether the names of a directory can be read.
func (v *volume) enter(path string, ino uint32) bool {
	_, inode := v.of(ino)
	if inode == nil {
		return true
	}
	i, err := v.inode(*inode)
	if err != nil || i.flags&flagEncrypted == 0 {
		return true
	}
	v.lost(path, fmt.Sprintf("encrypted directory (fscrypt) with %d files", v.names.Below(ino)), 0)
	return false
}

// file yields one file, or says why it cannot.
func (v *volume) file(path string, ino uint32) error {
	data, at := v.of(ino)
	if at == nil {
		v.lost(path, fmt.Sprintf("inode %d is not in the volume", ino), 0)
		return nil
	}
	i, err := v.inode(*at)
	switch {
	case err != nil:
		v.lost(path, err.Error(), 0)
		return nil
	case i.flags&flagEncrypted != 0:
		v.lost(path, "encrypted (fscrypt)", i.size)
		return nil
	case i.mode&0o170000 != 0o100000:
		return nil
	}
	if i.size, err = v.grown(i, data); err != nil {
		v.lost(path, err.Error(), 0)
	}
	return v.Yield(biopsy.File{Path: path, Size: i.size, Mode: flash.Mode(i.mode), Open: func() (biopsy.Content, error) {
		return v.open(data, i.size), nil
	}})
}

// grown returns the size of a file. Data that was written after the inode makes it larger: the inode's turn had not come when power
// was lost.
func (v *volume) grown(i inode, data []leaf) (int64, error) {
	if len(data) == 0 {
		return i.size, nil
	}
	last := data[len(data)-1]
	if last.seq <= i.seq || (int64(last.block)+1)*blockSize <= i.size {
		return i.size, nil
	}
	var head [dataSize]byte
	if n, err := v.content.ReadAt(head[:], v.at(last)); n < len(head) {
		return i.size, fmt.Errorf("read data at %v: %w", last, err)
	}
	return max(i.size, int64(last.block)*blockSize+min(int64(le.Uint32(head[40:])), blockSize)), nil
}

// open lists the blocks of a file.
func (v *volume) open(data []leaf, size int64) biopsy.Content {
	blocks := make([]flash.Block, len(data))
	for i, l := range data {
		blocks[i] = flash.Block{Off: int64(l.block) * blockSize, Size: blockSize, Full: blockSize, Ref: uint64(l.lnum)<<32 | uint64(l.offs)}
	}
	return flash.NewContent(size, flash.Overlay(blocks, size), v.unpack)
}
