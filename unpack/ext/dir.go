package ext

import (
	"errors"
	"fmt"
)

// entry is one name in a directory.
type entry struct {
	inode uint32
	name  []byte // valid until the next entry
}

// entries tells the entries of a directory, but for "." and "..", until yield returns false. A damaged block is a gap.
func (w *walker) entries(path string, in inode, yield func(entry) bool) error {
	if in.flags&flagInline != 0 {
		return w.inlineEntries(in, yield)
	}
	if in.size < 0 || in.size%w.block != 0 {
		return fmt.Errorf("directory of %d bytes, which are no whole blocks", in.size)
	}
	if w.left -= in.size; w.left < 0 {
		return errors.New("not entered: the directories together are larger than the image")
	}
	blocks, err := w.blocksOf(in, func(at int64) { w.badSum(path, at, "extents") })
	if err != nil {
		return err
	}
	c, b := blocks.Content(in.size), make([]byte, w.block)
	for at := int64(0); at < in.size; at += w.block {
		if err := readAt(c, b, at); err != nil {
			w.gap(path, 0, fmt.Sprintf("directory block %d: %v", at/w.block, err))
			continue
		}
		if !w.dirSum(b, in.seed) {
			w.badSum(path, 0, fmt.Sprintf("directory block %d", at/w.block))
		}
		more, err := w.blockEntries(b, yield)
		if err != nil {
			w.gap(path, 0, fmt.Sprintf("directory block %d: %v", at/w.block, err))
		}
		if !more {
			return nil
		}
	}
	return nil
}

// blockEntries tells the entries of a block until yield returns false; then more is false.
func (w *walker) blockEntries(b []byte, yield func(entry) bool) (more bool, err error) {
	for at := 0; at+8 <= len(b); {
		e := b[at:]
		size, nameLen := recordLen(le.Uint16(e[4:]), len(b)), int(e[6])
		if w.incompat&incompatFiletype == 0 {
			nameLen = int(le.Uint16(e[6:]))
		}
		number := le.Uint32(e)
		if size < 8 || size%4 != 0 || size > len(e) || number != 0 && nameLen > size-8 {
			return true, fmt.Errorf("entry at byte %d: record of %d bytes with a name of %d", at, size, nameLen)
		}
		if number != 0 && !isDot(e[8:8+nameLen]) && !yield(entry{number, e[8 : 8+nameLen]}) {
			return false, nil
		}
		at += size
	}
	return true, nil
}

// recordLen is a record's length: in blocks of 64 KiB its two low bits are those above the 16th.
func recordLen(n uint16, block int) int {
	if block < 1<<16 {
		return int(n)
	}
	if n == 0xffff || n == 0 {
		return block
	}
	return int(n&^3) | int(n&3)<<16
}

func isDot(name []byte) bool { return string(name) == "." || string(name) == ".." }

// inlineEntries tells the entries of a directory that stands in its inode: behind the parent's number, and in the attribute.
func (w *walker) inlineEntries(in inode, yield func(entry) bool) error {
	more, err := w.blockEntries(in.body[4:], yield)
	if err != nil || !more {
		return err
	}
	rest, err := in.attribute()
	if err != nil {
		return err
	}
	_, err = w.blockEntries(rest, yield)
	return err
}
