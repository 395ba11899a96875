package erofs

import (
	"bytes"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// maxDepth bounds how deep directories lie; names of more are too long for Linux.
const maxDepth = 1024

// maxDir bounds the listing of a directory: four million names.
const maxDir = 64 << 20

// maxBad is after how many damaged blocks a directory is given up.
const maxBad = 16

// direntSize is the length of an entry, whose name stands behind all entries of its block.
const direntSize = 12

func (i *image) walk() error {
	root, err := i.node(i.rootNode)
	if err != nil {
		return fmt.Errorf("root directory: %w", err)
	}
	if !root.isDir() {
		return fmt.Errorf("root directory: inode %d has mode %o", root.number, root.unix)
	}
	i.seen[root.number] = true
	return i.list("", root, 0)
}

// lost reports a file or directory that stays unseen.
func (i *image) lost(path string, err error) {
	i.Gap(biopsy.Gap{Place: biopsy.Place{Path: path}, Reason: err.Error()})
}

// list goes through a directory, block by block. It returns an error only to end the walk.
func (i *image) list(path string, dir node, depth int) error {
	if err := i.ctx.Err(); err != nil {
		return err
	}
	c, err := i.open(dir)
	if err != nil {
		i.lost(path, fmt.Errorf("directory: %w", err))
		return nil
	}
	if dir.size > maxDir {
		i.lost(path, fmt.Errorf("directory of %d bytes", dir.size))
		return nil
	}
	bad, block := 0, make([]byte, 1<<i.bits)
	for off := int64(0); off < dir.size; off += int64(len(block)) {
		b := block[:min(int64(len(block)), dir.size-off)]
		if n, err := c.ReadAt(b, off); n < len(b) || err != nil && err != io.EOF {
			i.lost(path, fmt.Errorf("directory at %d: %w", off, missing(err)))
			return nil
		}
		damage, stop := i.names(path, bytes.Clone(b), depth)
		if stop != nil {
			return stop
		}
		if damage != nil {
			i.lost(path, fmt.Errorf("directory at %d: %w", off, damage))
			if bad++; bad == maxBad {
				return nil
			}
		}
	}
	return nil
}

// names shows what the entries of one block name. damage ends the block, stop the walk.
func (i *image) names(dir string, b []byte, depth int) (damage, stop error) {
	if len(b) < direntSize {
		return fmt.Errorf("a block of %d bytes", len(b)), nil
	}
	first := int(le.Uint16(b[8:]))
	if first == 0 || first%direntSize != 0 || first > len(b) {
		return fmt.Errorf("names begin at %d", first), nil
	}
	for at := 0; at < first; at += direntSize {
		from, to := int(le.Uint16(b[at+8:])), len(b)
		if at+direntSize < first {
			to = int(le.Uint16(b[at+direntSize+8:]))
		}
		if from < first || from > to || to > len(b) {
			return fmt.Errorf("a name from %d to %d", from, to), nil
		}
		name, _, _ := bytes.Cut(b[from:to], []byte{0})
		if err := i.entry(dir, string(name), le.Uint64(b[at:]), b[at+10], depth); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// Kinds of directory entry; others are links, devices, pipes and sockets.
const (
	kindUnknown = 0
	kindFile    = 1
	kindDir     = 2
)

// entry yields a file, or lists a directory.
func (i *image) entry(dir, name string, number uint64, kind byte, depth int) error {
	if i.entries++; i.Limits.Files > 0 && i.entries > 2*i.Limits.Files {
		return fmt.Errorf("more than %d names: the limit is reached", 2*i.Limits.Files)
	}
	if name == "." || name == ".." || kind != kindFile && kind != kindDir && kind != kindUnknown {
		return nil
	}
	path, err := treepath.Child(dir, name)
	if err != nil {
		i.lost(dir, err)
		return nil
	}
	n, err := i.node(number)
	switch {
	case err != nil:
		i.lost(path, err)
	case n.isFile():
		return i.Yield(biopsy.File{Path: path, Size: n.size, Mode: n.mode(), Open: func() (biopsy.Content, error) { return i.open(n) }})
	case !n.isDir():
	case i.seen[number]:
		i.lost(path, fmt.Errorf("directory %d is in the tree twice", number))
	case depth >= maxDepth:
		i.lost(path, fmt.Errorf("directories lie more than %d deep", maxDepth))
	default:
		i.seen[number] = true
		return i.list(path, n, depth+1)
	}
	return nil
}
