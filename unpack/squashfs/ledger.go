package squashfs

import (
	"fmt"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/ledger"
)

// account says what the bytes of an image are.
func account(c biopsy.Content, s super, u biopsy.UnpackOptions) error {
	if u.Ledger == nil {
		return nil
	}
	first := superBytes(s)
	known := []biopsy.Span{{Size: first, Status: biopsy.BytesParsed, What: "superblock"}}
	if s.major >= 3 {
		tables := int64(s.inodeTable)
		known = append(known,
			biopsy.Span{Offset: first, Size: tables - first, Status: biopsy.BytesParsed, What: "files"},
			biopsy.Span{Offset: tables, Size: s.size - tables, Status: biopsy.BytesParsed, What: "inodes, directories and tables"})
	} else {
		known = append(known, biopsy.Span{Offset: first, Size: s.size - first, What: fmt.Sprintf("squashfs %d.%d", s.major, s.minor)})
	}
	spans, err := ledger.Complete(c, known)
	if err != nil {
		return err
	}
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
