package ubifs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/biopsy-sca/biopsy/internal/flash"
)

// maxLeaves bounds the memory of hostile volumes; 8 Mi blocks are 32 GiB of files.
const maxLeaves = 8 << 20

var errMany = errors.New("more nodes than we can hold")

// master says where the index and the log are.
type master struct {
	commit           uint64
	log              uint32
	root, offs, size uint32
}

// byIndex reads the index and the journal.
func (v *volume) byIndex(ctx context.Context) error {
	m, err := v.master()
	if err != nil {
		return err
	}
	if err := v.branch(ctx, m.root, m.offs, m.size, -1); err != nil {
		return err
	}
	return v.replay(ctx, m)
}

// master finds the newest master node. Each of its two blocks holds copies one behind the other, the last one counts.
func (v *volume) master() (master, error) {
	var best master
	var newest uint64
	for lnum := uint32(masterBlock); lnum < firstLog; lnum++ {
		err := v.scan(lnum, 0, func(n scanned) error {
			if b := n.bytes; b[20] == nodeMaster && len(b) >= masterSize && n.seq() >= newest {
				newest = n.seq()
				best = master{le.Uint64(b[32:]), le.Uint32(b[44:]), le.Uint32(b[48:]), le.Uint32(b[52:]), le.Uint32(b[56:])}
			}
			return nil
		})
		if err != nil {
			return best, err
		}
	}
	if best.size == 0 {
		return best, errors.New("no valid master node")
	}
	return best, nil
}

// branch reads an index node and all below it. level is that of the node above, -1 above the root: levels fall by one, so
// nothing can go round, and all index nodes together cannot be larger than the volume.
func (v *volume) branch(ctx context.Context, lnum, offs, size uint32, level int) error {
	if v.taken += int64(size); v.taken > v.size {
		return errors.New("index is larger than the volume")
	}
	b, err := v.node(lnum, offs, size, nodeIndex, indexSize)
	if err != nil {
		return err
	}
	children, own := int(le.Uint16(b[24:])), int(le.Uint16(b[26:]))
	const most = 512 // levels that Linux takes
	if own > most || level >= 0 && own != level-1 {
		return fmt.Errorf("index node at block %d offset %d is of level %d", lnum, offs, own)
	}
	const least = 20 // a branch: block, offset, size and a key of 8 bytes; authenticated volumes have a hash behind it
	if children == 0 {
		return nil
	}
	each := (len(b) - indexSize) / children
	if each < least {
		return fmt.Errorf("index node at block %d offset %d: %d branches do not fit", lnum, offs, children)
	}
	for i := range children {
		e := b[indexSize+i*each:][:each]
		if own > 0 {
			err = v.branch(ctx, le.Uint32(e), le.Uint32(e[4:]), le.Uint32(e[8:]), own)
		} else {
			err = v.leaf(le.Uint32(e), le.Uint32(e[4:]), le.Uint32(e[8:]), e[12:])
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// The kinds of key, in the upper three bits of its second word.
const (
	keyInode = 0
	keyData  = 1
	keyName  = 2
)

// leaf takes an entry of the lowest level. Names are read, the rest when it is wanted.
func (v *volume) leaf(lnum, offs, size uint32, key []byte) error {
	inum, rest := le.Uint32(key), le.Uint32(key[4:])
	switch rest >> 29 {
	case keyInode:
		return v.add(leaf{inum: inum, block: isInode, lnum: lnum, offs: offs})
	case keyData:
		return v.add(leaf{inum: inum, block: rest & (1<<29 - 1), lnum: lnum, offs: offs})
	case keyName:
		b, err := v.node(lnum, offs, size, nodeName, nameSize)
		if err != nil { // one name is lost, the index is not
			v.broken++
			return nil
		}
		return v.name(b)
	}
	return nil
}

func (v *volume) add(l leaf) error {
	if len(v.leaves) == maxLeaves {
		return errMany
	}
	v.leaves = append(v.leaves, l)
	return nil
}

// name takes a directory entry. Inode 0 deletes the name.
func (v *volume) name(b []byte) error {
	n := int(le.Uint16(b[50:]))
	if n > len(b)-nameSize {
		v.broken++
		return nil
	}
	kind := flash.Other
	switch b[49] {
	case 0:
		kind = flash.File
	case 1:
		kind = flash.Dir
	}
	return v.names.Add(le.Uint32(b[24:]), uint32(le.Uint64(b[40:])), le.Uint64(b[8:]), b[nameSize:][:n], kind)
}

// cut says that an inode lost its blocks from one on.
type cut struct {
	seq        uint64
	inum, from uint32
}

// settle sorts the leaves and keeps the newest of each, without those that were cut off later.
func (v *volume) settle() {
	slices.SortFunc(v.leaves, func(a, b leaf) int {
		return cmp.Or(cmp.Compare(a.inum, b.inum), cmp.Compare(a.block, b.block), cmp.Compare(b.seq, a.seq), cmp.Compare(a.lnum, b.lnum), cmp.Compare(a.offs, b.offs))
	})
	v.leaves = slices.CompactFunc(v.leaves, func(a, b leaf) bool { return a.inum == b.inum && a.block == b.block })
	slices.SortFunc(v.cuts, func(a, b cut) int {
		return cmp.Or(cmp.Compare(a.inum, b.inum), cmp.Compare(a.seq, b.seq), cmp.Compare(a.from, b.from))
	})
	for i := len(v.cuts) - 2; i >= 0; i-- { // each cut learns how far the later ones of its inode go
		if next := v.cuts[i+1]; next.inum == v.cuts[i].inum {
			v.cuts[i].from = min(v.cuts[i].from, next.from)
		}
	}
	v.leaves = slices.DeleteFunc(v.leaves, func(l leaf) bool { return l.block != isInode && v.wasCut(l) })
}

func (v *volume) wasCut(l leaf) bool {
	i := sort.Search(len(v.cuts), func(i int) bool {
		c := v.cuts[i]
		return c.inum > l.inum || c.inum == l.inum && c.seq > l.seq
	})
	return i < len(v.cuts) && v.cuts[i].inum == l.inum && l.block >= v.cuts[i].from
}

// of returns the data of an inode in their order, and the inode; nil when there is none.
func (v *volume) of(inum uint32) ([]leaf, *leaf) {
	from := sort.Search(len(v.leaves), func(i int) bool { return v.leaves[i].inum >= inum })
	to := from
	for to < len(v.leaves) && v.leaves[to].inum == inum {
		to++
	}
	if to > from && v.leaves[to-1].block == isInode {
		return v.leaves[from : to-1], &v.leaves[to-1]
	}
	return v.leaves[from:to], nil
}

// scanned is a node that was met in a block.
type scanned struct {
	lnum, offs uint32
	bytes      []byte // valid until the next one
}

func (n scanned) seq() uint64 { return le.Uint64(n.bytes[8:]) }

// scan goes through the nodes of a block from an offset on. A block that is not in the image has none.
func (v *volume) scan(lnum uint32, from int64, each func(scanned) error) error {
	start := int64(lnum) * v.block
	size := min(v.block, v.size-start)
	if size <= from {
		return nil
	}
	w := flash.NewWindow(io.NewSectionReader(v.content, start, size), size)
	for at := (from + 7) &^ 7; size-at >= headerSize; {
		b, err := w.Bytes(at, headerSize)
		if err != nil {
			return err
		}
		if b[0] == 0xff {
			blank, err := w.Blank(at, size)
			if err != nil {
				return err
			}
			at += max(blank&^7, 8)
			continue
		}
		length := int64(le.Uint32(b[16:]))
		if le.Uint32(b) != magic || length < headerSize || length > size-at {
			at += 8
			continue
		}
		if b, err = w.Bytes(at, int(length)); err != nil {
			return err
		}
		if !isNode(b) {
			if err := v.damaged(scanned{lnum, uint32(at), b}); err != nil {
				return err
			}
			at += 8
			continue
		}
		next := at + length
		if b[20] == nodePadding && length >= paddingSize {
			next += int64(le.Uint32(b[24:]))
		} else if err := each(scanned{lnum, uint32(at), b}); err != nil {
			return err
		}
		at = (next + 7) &^ 7
	}
	return nil
}
