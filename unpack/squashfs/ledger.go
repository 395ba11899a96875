package squashfs

import (
	"fmt"

	"github.com/biopsy-sca/biopsy"
)

// ledger says what the bytes of an image are.
func ledger(c biopsy.Content, s super, u biopsy.UnpackOptions, opened bool) error {
	if u.Ledger == nil {
		return nil
	}
	end := min(s.size, c.Size())
	spans := []biopsy.Span{{Size: superBytes(s), Status: biopsy.BytesParsed, What: "superblock"}}
	add := func(to int64, status biopsy.ByteKind, what string) {
		from := spans[len(spans)-1].Offset + spans[len(spans)-1].Size
		if to = min(to, c.Size()); to > from {
			spans = append(spans, biopsy.Span{Offset: from, Size: to - from, Status: status, What: what})
		}
	}
	if opened {
		add(int64(s.inodeTable), biopsy.BytesParsed, "files")
		add(end, biopsy.BytesParsed, "inodes, directories and tables")
	} else {
		add(end, biopsy.BytesUnknown, fmt.Sprintf("squashfs %d.%d", s.major, s.minor))
	}
	padded, err := padding(c, end)
	if err != nil {
		return err
	}
	add(padded, biopsy.BytesPadding, "")
	add(c.Size(), biopsy.BytesUnknown, "behind the image")
	u.Ledger(spans)
	return nil
}

// superBytes is the length of a superblock on disk.
func superBytes(s super) int64 {
	switch s.major {
	case 4:
		return 96
	case 3:
		return 119
	case 2:
		return 63
	}
	return 51
}

// padding returns where the zeros, or the ones of erased flash, end that begin at off. Of long ones only the first 16 MiB count.
func padding(c biopsy.Content, off int64) (int64, error) {
	var b [4096]byte
	if off >= c.Size() {
		return off, nil
	}
	fill := -1
	for last := min(c.Size(), off+16<<20); off < last; {
		n := int(min(int64(len(b)), last-off))
		if k, err := c.ReadAt(b[:n], off); k < n {
			return off, fmt.Errorf("read %d bytes at offset %d: %w", n, off, cut(err))
		}
		if fill < 0 {
			fill = int(b[0])
		}
		if fill != 0 && fill != 0xff {
			return off, nil
		}
		for j, v := range b[:n] {
			if int(v) != fill {
				return off + int64(j), nil
			}
		}
		off += int64(n)
	}
	return off, nil
}
