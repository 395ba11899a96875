package ubifs

import (
	"context"
	"fmt"
)

// replay reads what was written after the last commit: the log names the blocks, from an offset on, in which it stands.
func (v *volume) replay(ctx context.Context, m master) error {
	if m.log < firstLog || m.log >= firstLog+v.logs {
		return fmt.Errorf("the log begins at block %d", m.log)
	}
	buds, err := v.buds(m)
	if err != nil {
		return err
	}
	for _, b := range buds {
		if err := v.scan(b.lnum, int64(b.offs), v.take); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// bud is where a part of the journal begins.
type bud struct{ lnum, offs uint32 }

// buds reads the log, which goes round in its blocks. It begins with the number of the last commit; what is older is left over from
// the round before.
func (v *volume) buds(m master) ([]bud, error) {
	var buds []bud
	var since uint64
	for i := range v.logs {
		lnum := firstLog + (m.log-firstLog+i)%v.logs
		first, old := true, false
		err := v.scan(lnum, 0, func(n scanned) error {
			b := n.bytes
			if i == 0 && first {
				if b[20] != nodeCommit || len(b) < 32 || le.Uint64(b[24:]) != m.commit {
					return fmt.Errorf("the log at block %d does not begin with commit %d", lnum, m.commit)
				}
				since = n.seq()
			}
			first = false
			if old = old || n.seq() < since; old {
				return nil
			}
			if b[20] == nodeRef && len(b) >= refSize {
				buds = append(buds, bud{le.Uint32(b[24:]), le.Uint32(b[28:])})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if first && i == 0 {
			return nil, fmt.Errorf("the log at block %d is empty", lnum)
		}
		if first || old {
			break
		}
	}
	return buds, nil
}

// byNodes reads all nodes of files.
func (v *volume) byNodes(ctx context.Context) error {
	v.searching = true
	for lnum := int64(v.main); lnum*v.block < v.size; lnum++ {
		if err := v.scan(uint32(lnum), 0, v.take); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// damaged counts a node that fails its checksum. When all nodes are searched, one of data still takes its place as the oldest of its
// key: a file that has no other fails to be read there, instead of holding zeros.
func (v *volume) damaged(n scanned) error {
	v.broken++
	b := n.bytes
	if !v.searching || b[20] != nodeData || len(b) < dataSize || le.Uint32(b[28:])>>29 != keyData {
		return nil
	}
	return v.add(leaf{0, le.Uint32(b[24:]), le.Uint32(b[28:]) & (1<<29 - 1), n.lnum, n.offs})
}

// take keeps what a node says that may be newer than others of its key.
func (v *volume) take(n scanned) error {
	b := n.bytes
	switch kind := b[20]; {
	case kind == nodeInode && len(b) >= inodeSize:
		inum := le.Uint32(b[24:])
		if parseInode(b).links == 0 {
			v.cuts = append(v.cuts, cut{n.seq(), inum, 0})
		}
		return v.add(leaf{n.seq(), inum, isInode, n.lnum, n.offs})
	case kind == nodeData && len(b) >= dataSize:
		return v.add(leaf{n.seq(), le.Uint32(b[24:]), le.Uint32(b[28:]) & (1<<29 - 1), n.lnum, n.offs})
	case kind == nodeName && len(b) >= nameSize && le.Uint32(b[28:])>>29 == keyName:
		return v.name(b)
	case kind == nodeTruncate && len(b) >= truncateSize:
		from := (le.Uint64(b[48:]) + blockSize - 1) / blockSize
		v.cuts = append(v.cuts, cut{n.seq(), le.Uint32(b[24:]), uint32(min(from, 1<<29))})
	}
	return nil
}
