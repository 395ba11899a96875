package erofs

import "fmt"

// Kinds of logical cluster.
const (
	clusterPlain = 0
	clusterHead1 = 1
	clusterMid   = 2 // begins inside what an earlier one began
	clusterHead2 = 3

	partial    = 1 << 15 // in the index of 8 bytes: only the beginning of what unpacks
	countFlag  = 1 << 11 // a cluster behind a head says how many blocks that takes
	packedBits = 12      // of a value in the index of 2 or 4 bytes, at least
)

// cluster is an entry of the index.
type cluster struct {
	kind   byte
	part   bool
	within int64 // where in the logical cluster the run begins
	block  int64 // of a head
	blocks int64 // what a middle one says about its head; 0 nothing
}

// index reads the index of a file and returns its runs.
func (i *image) index(n node, h header) ([]run, error) {
	count := (n.size-1)>>h.bits + 1
	if count > i.end { // two bytes each, at least
		return nil, fmt.Errorf("%d clusters in an image of %d bytes", count, i.end)
	}
	var list []cluster
	var end int64
	var err error
	if n.layout == packedFull {
		list, end, err = i.fullIndex(h, count)
	} else {
		list, end, err = i.shortIndex(h, count)
	}
	if err != nil {
		return nil, err
	}
	return i.runs(n, h, list, end)
}

// runs puts the entries together. end is where the index ends, and an inline cluster begins.
func (i *image) runs(n node, h header, list []cluster, end int64) ([]run, error) {
	var runs []run
	for k, c := range list {
		if c.kind == clusterMid {
			continue
		}
		r := run{from: int64(k)<<h.bits + c.within, at: c.block << i.bits, size: 1 << h.bits, part: c.part}
		if r.from >= n.size && k == len(list)-1 {
			break // marks the end of the file
		}
		if c.within >= 1<<h.bits || len(runs) > 0 && r.from <= runs[len(runs)-1].from {
			return nil, fmt.Errorf("cluster %d begins at %d", k, c.within)
		}
		big := h.flags & packedBig2
		switch c.kind {
		case clusterPlain:
			r.format, r.turned = plain, h.flags&packedInterlaced != 0
		case clusterHead1:
			r.format, big = h.formats&15, h.flags&packedBig1
		case clusterHead2:
			r.format = h.formats >> 4
		}
		if big != 0 && k+1 < len(list) && list[k+1].kind == clusterMid {
			if list[k+1].blocks == 0 {
				return nil, fmt.Errorf("cluster %d does not say how long its head is", k+1)
			}
			r.size = list[k+1].blocks << i.bits
		}
		runs = append(runs, r)
	}
	if len(runs) == 0 || runs[0].from != 0 {
		return nil, fmt.Errorf("no cluster begins the file")
	}
	last := &runs[len(runs)-1]
	switch {
	case h.flags&packedInline != 0 && h.inline > 0:
		last.at, last.size = end, h.inline
	case h.flags&packedFragment != 0:
		last.at, last.inTail = h.fragment, true
	}
	return runs, nil
}

// fullIndex reads entries of 8 bytes.
func (i *image) fullIndex(h header, count int64) ([]cluster, int64, error) {
	b, err := i.read(h.indexes, 8*count)
	if err != nil {
		return nil, 0, err
	}
	list := make([]cluster, count)
	for k := range list {
		e := b[8*k:]
		advice := le.Uint16(e)
		c := cluster{kind: byte(advice & 3), part: advice&partial != 0, within: int64(le.Uint16(e[2:])), block: int64(le.Uint32(e[4:]))}
		if back := le.Uint16(e[4:]); c.kind == clusterMid && back&countFlag != 0 {
			c.blocks = int64(back &^ countFlag)
		}
		list[k] = c
	}
	return list, h.indexes + 8*count, nil
}

// shortIndex reads entries in packs: of 2 in 8 bytes up to an offset that 32 divides, then, if the header says so, of 16 in 32 bytes,
// and again of 2. It returns where the last pack ends.
func (i *image) shortIndex(h header, count int64) ([]cluster, int64, error) {
	if h.bits > 14 {
		return nil, 0, fmt.Errorf("short index of clusters of 2^%d bytes", h.bits)
	}
	first := (32 - h.indexes%32) / 4 & 7
	dense := int64(0)
	if h.flags&packedTwoBytes != 0 && first < count {
		dense = (count - first) &^ 15
		if h.bits > 12 {
			return nil, 0, fmt.Errorf("dense index of clusters of 2^%d bytes", h.bits)
		}
	}
	list := make([]cluster, 0, count)
	at := h.indexes
	for left := count; left > 0; {
		per, size := int64(2), int64(8)
		if done := count - left; done >= first && done < first+dense {
			per, size = 16, 32
		}
		b, err := i.read(at, size)
		if err != nil {
			return nil, 0, err
		}
		entries, err := unpackPack(b, int(per), h)
		if err != nil {
			return nil, 0, fmt.Errorf("at offset %d: %w", at, err)
		}
		k := min(per, left)
		list = append(list, entries[:k]...)
		at += size
		left -= k
	}
	return list, at, nil
}

// unpackPack reads the entries of a pack, which ends with a block's address that heads count from.
func unpackPack(b []byte, per int, h header) ([]cluster, error) {
	low := max(int(h.bits), packedBits)
	width := (len(b) - 4) * 8 / per
	base := int64(le.Uint32(b[len(b)-4:]))
	value := func(k int) (byte, int) {
		at := k * width
		v := int(le.Uint32(b[at/8:]) >> (at & 7))
		return byte(v >> low & 3), v & (1<<low - 1)
	}
	big := h.flags&(packedBig1|packedBig2) != 0
	list := make([]cluster, per)
	for k := range list {
		kind, v := value(k)
		list[k].kind = kind
		switch {
		case kind != clusterMid:
			blocks, err := blocksBefore(k, big, value)
			if err != nil {
				return nil, err
			}
			list[k].within, list[k].block = int64(v), base+blocks
		case big && v&countFlag != 0:
			list[k].blocks = int64(v &^ countFlag)
		}
	}
	return list, nil
}

// blocksBefore counts the blocks that the heads before entry k of a pack take.
func blocksBefore(k int, big bool, value func(int) (byte, int)) (blocks int64, err error) {
	if !big {
		blocks = 1
		for k > 0 {
			k--
			if kind, v := value(k); kind == clusterMid {
				k -= v
			}
			if k >= 0 {
				blocks++
			}
		}
		return blocks, nil
	}
	for k > 0 {
		k--
		kind, v := value(k)
		switch {
		case kind != clusterMid:
			blocks++
		case v&countFlag != 0:
			k--
			blocks += int64(v &^ countFlag)
		case v <= 1:
			return 0, fmt.Errorf("a cluster stands %d behind its head", v)
		default:
			k -= v - 2
		}
	}
	return blocks, nil
}
