package ext

import (
	"errors"
	"fmt"
)

// extentDepth is how many levels of blocks stand between the inode and the extents.
func (in *inode) extentDepth() int { return int(le.Uint16(in.body[6:])) }

// maxExtentDepth is the deepest tree the format needs for 2^32 blocks.
const maxExtentDepth = 5

// extents reads a node of the extent tree: the inode's own at level 0. depth is what the parent says; -1 when there is no parent.
func (m *mapper) extents(b []byte, at int64, depth int) error {
	entries, here := int(le.Uint16(b[2:])), int(le.Uint16(b[6:]))
	switch {
	case le.Uint16(b) != 0xf30a:
		return fmt.Errorf("no extents at offset %d", at)
	case here > maxExtentDepth, depth >= 0 && here != depth:
		return fmt.Errorf("extents at offset %d: depth %d", at, here)
	case entries > (len(b)-12)/12, depth >= 0 && entries == 0:
		return fmt.Errorf("extents at offset %d: %d entries", at, entries)
	}
	for i := range entries {
		e := b[12+12*i:][:12]
		if here > 0 {
			if err := m.child(int64(le.Uint32(e[4:]))|int64(le.Uint16(e[8:]))<<32, here-1); err != nil {
				return err
			}
			continue
		}
		logical, n := int64(le.Uint32(e)), int64(le.Uint16(e[4:]))
		block := int64(le.Uint32(e[8:])) | int64(le.Uint16(e[6:]))<<32
		if logical < m.next {
			return fmt.Errorf("extents at offset %d: block %d follows block %d", at, logical, m.next-1)
		}
		if n > 32768 { // reserved and never written: zeros
			m.next = logical + n - 32768
			continue
		}
		if err := m.add(logical, n, block); err != nil {
			return err
		}
	}
	return nil
}

// child reads the node in a block. It comes to an end because the logical blocks of the leaves must rise.
func (m *mapper) child(block int64, depth int) error {
	b := make([]byte, m.block)
	at := block * m.block
	if err := readAt(m.src, b, at); err != nil {
		return fmt.Errorf("extents: %w", err)
	}
	if end := 12 + 12*int(le.Uint16(b[4:])); m.sums && end <= len(b)-4 && crc32c(m.in.seed, b[:end]) != le.Uint32(b[end:]) {
		m.badSum(at)
	}
	return m.extents(b, at, depth)
}

// direct reads a block map: 12 blocks, then one each of blocks of 1, 2 and 3 levels.
func (m *mapper) direct() error {
	for i := range int64(12) {
		if err := m.one(i, le.Uint32(m.in.body[4*i:])); err != nil {
			return err
		}
	}
	m.next = 12
	for level := 1; level <= 3; level++ {
		if err := m.indirect(le.Uint32(m.in.body[44+4*level:]), level); err != nil {
			return err
		}
	}
	if m.next < m.blocks {
		return errors.New("larger than a block map can be")
	}
	return nil
}

func (m *mapper) one(at int64, block uint32) error {
	if block == 0 || at >= m.blocks {
		m.next = at + 1
		return nil
	}
	return m.add(at, 1, int64(block))
}

// indirect reads a block of block numbers, of levels 1 to 3. A block 0 is a hole.
func (m *mapper) indirect(block uint32, level int) error {
	per := m.block / 4
	span := per
	for range level - 1 {
		span *= per
	}
	if m.next >= m.blocks {
		return nil
	}
	if block == 0 {
		m.next += span
		return nil
	}
	b := make([]byte, m.block)
	if err := readAt(m.src, b, int64(block)*m.block); err != nil {
		return fmt.Errorf("block map: %w", err)
	}
	for i := range per {
		number := le.Uint32(b[4*i:])
		var err error
		if level > 1 {
			err = m.indirect(number, level-1)
		} else {
			err = m.one(m.next, number)
		}
		if err != nil {
			return err
		}
		if m.next >= m.blocks {
			return nil
		}
	}
	return nil
}
