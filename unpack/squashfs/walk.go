package squashfs

import (
	"fmt"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// maxDepth bounds how deep directories lie; names of more are too long for Linux.
const maxDepth = 1024

// walk yields the files of the image. What is damaged becomes a gap; the error says that nothing could be read, or who stopped it.
func (i *image) walk() error {
	root, err := i.node(i.root)
	if err != nil {
		return fmt.Errorf("root directory: %w", err)
	}
	if root.kind != kindDir && root.kind != kindLongDir {
		return fmt.Errorf("root directory: inode of kind %d", root.kind)
	}
	i.seen[i.root] = true
	return i.list("", root, 0)
}

// lost reports a file or directory that stays unseen.
func (i *image) lost(path string, err error, size int64) {
	i.Gap(biopsy.Gap{Place: biopsy.Place{Path: path}, Reason: err.Error(), Size: size})
}

// list goes through a directory. It returns an error only to end the walk.
func (i *image) list(path string, dir node, depth int) error {
	if err := i.ctx.Err(); err != nil {
		return err
	}
	left := dir.size - 3 // "." and "..", which are not stored, count three
	if left <= 0 {
		return nil
	}
	c, err := i.at(int64(i.dirTable)+dir.start, dir.offset)
	if err != nil {
		i.lost(path, fmt.Errorf("directory: %w", err), 0)
		return nil
	}
	for left > 0 {
		run, err := i.dirRun(&c)
		if err == nil && run.count > 256 {
			err = fmt.Errorf("a run of %d entries before offset %d", run.count, c.next)
		}
		if err != nil {
			i.lost(path, fmt.Errorf("directory: %w", err), 0)
			return nil
		}
		left -= run.size
		for ; run.count > 0; run.count-- {
			used, stop, err := i.entry(path, &c, run.block, depth)
			if stop != nil {
				return stop
			}
			if err != nil {
				i.lost(path, fmt.Errorf("directory: %w", err), 0)
				return nil
			}
			left -= used
		}
	}
	return nil
}

// entry reads one name of a directory and shows what it names. err ends the directory, stop the walk.
func (i *image) entry(dir string, c *cursor, block uint64, depth int) (used int64, stop, err error) {
	e, err := i.dirEntry(c)
	if err != nil {
		return 0, nil, err
	}
	if e.name > 256 {
		return 0, nil, fmt.Errorf("a name of %d bytes before offset %d", e.name, c.next)
	}
	var b [256]byte
	name := b[:e.name]
	if err := c.read(name); err != nil {
		return 0, nil, err
	}
	if i.entries++; i.Limits.Files > 0 && i.entries > 2*i.Limits.Files {
		return 0, fmt.Errorf("more than %d names: the limit is reached", 2*i.Limits.Files), nil
	}
	used = e.size + int64(e.name)
	if e.kind != kindDir && e.kind != kindFile {
		return used, nil, nil
	}
	path, err := treepath.Child(dir, string(name))
	if err != nil {
		i.lost(dir, fmt.Errorf("a name before offset %d: %w", c.next, err), 0)
		return used, nil, nil
	}
	return used, i.show(path, block<<16|e.offset, depth), nil
}

// show yields a file, or lists a directory.
func (i *image) show(path string, ref uint64, depth int) error {
	n, err := i.node(ref)
	if err != nil {
		i.lost(path, err, 0)
		return nil
	}
	switch n.kind {
	case kindFile, kindLong:
		return i.Yield(biopsy.File{Path: path, Size: n.size, Mode: n.mode, Open: func() (biopsy.Content, error) { return i.open(n) }})
	case kindDir, kindLongDir:
	default:
		i.lost(path, fmt.Errorf("inode %#x is of kind %d, its directory says otherwise", ref, n.kind), 0)
		return nil
	}
	switch {
	case i.seen[ref]:
		i.lost(path, fmt.Errorf("directory %#x is in the tree twice", ref), 0)
		return nil
	case depth >= maxDepth:
		i.lost(path, fmt.Errorf("directories lie more than %d deep", maxDepth), 0)
		return nil
	}
	i.seen[ref] = true
	return i.list(path, n, depth+1)
}
