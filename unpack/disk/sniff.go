package disk

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// sign is what begins, or nearly begins, a file system or image.
type sign struct {
	at     int64
	magic  string
	ending string
	closed string // why nobody here can open it; "" when an unpacker may
}

// signs are looked for in this order.
var signs = []sign{
	{0, "LUKS\xba\xbe", "luks", "encrypted (LUKS)"},
	{0, "hsqs", "squashfs", ""},
	{0, "XFSB", "xfs", "XFS file system, which we cannot read"},
	{0, "UBI#", "ubi", ""},
	{0, "-rom1fs-", "romfs", ""},
	{0, "\x45\x3d\xcd\x28", "cramfs", ""},
	{0, "ANDROID!", "img", ""},
	{0, "\x27\x05\x19\x56", "uimage", ""},
	{0, "\xd0\x0d\xfe\xed", "fit", ""},
	{3, "NTFS    ", "ntfs", "NTFS file system, which we cannot read"},
	{3, "-FVE-FS-", "bitlocker", "encrypted (BitLocker)"},
	{3, "EXFAT   ", "exfat", ""},
	{54, "FAT1", "vfat", ""},
	{82, "FAT32   ", "vfat", ""},
	{32, "NXSB", "apfs", "APFS container, which we cannot read"},
	{512, "LABELONE", "lvm", "LVM physical volume, which we cannot read"},
	{1024, "\xe2\xe1\xf5\xe0", "erofs", ""},
	{1024, "\x10\x20\xf5\xf2", "f2fs", "F2FS file system, which we cannot read"},
	{1024, "H+\x00\x04", "hfsplus", "HFS+ file system, which we cannot read"},
	{4086, "SWAPSPACE2", "swap", ""},
	{0x8001, "CD001", "iso", ""},
	{0x10040, "_BHRfS_M", "btrfs", "Btrfs file system, which we cannot read"},
}

// Kind tells whether partitions get an ending, without its point, for what they hold.
func Kind(ending string) bool {
	return strings.HasPrefix(ending, "ext") && len(ending) == 4 || slices.ContainsFunc(signs, func(s sign) bool { return s.ending == ending })
}

// sniff returns the ending for what lies in a run of bytes; "bin" when we do not know.
func sniff(d reader, off, size int64) string {
	var head [4096]byte
	n, _ := d.ReadAt(head[:min(size, int64(len(head)))], off) // what cannot be read is not known
	if kind := sniffExt(head[:n]); kind != "" {
		return kind
	}
	for _, s := range signs {
		if s.at+int64(len(s.magic)) > size {
			continue
		}
		b := make([]byte, len(s.magic))
		if s.at+int64(len(b)) <= int64(n) {
			copy(b, head[s.at:])
		} else if k, _ := d.ReadAt(b, off+s.at); k < len(b) {
			continue
		}
		if string(b) == s.magic {
			return s.ending
		}
	}
	return "bin"
}

// sniffExt tells ext4 by extents, ext3 by its journal.
func sniffExt(head []byte) string {
	switch {
	case len(head) < 2048 || le.Uint16(head[1024+0x38:]) != 0xef53:
		return ""
	case le.Uint32(head[1024+0x60:])&0x40 != 0:
		return "ext4"
	case le.Uint32(head[1024+0x5c:])&4 != 0:
		return "ext3"
	}
	return "ext2"
}

// Closed takes file systems that nothing here opens, so that they are said.
var Closed = biopsy.Unpacker{
	Name:  "filesystem",
	Match: func(f biopsy.File, head []byte) bool { return closed(f, head) != nil },
	Unpack: func(_ context.Context, f biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		head := make([]byte, min(c.Size(), 4096))
		if err := readAt(c, head, 0); err != nil {
			return err
		}
		s := closed(f, head)
		if s == nil {
			return nil
		}
		if u.Gap(biopsy.Gap{Reason: s.closed, Size: c.Size()}); u.Ledger == nil {
			return nil
		}
		status := biopsy.BytesUnknown
		if strings.HasPrefix(s.closed, "encrypted") {
			status = biopsy.BytesEncrypted
		}
		u.Ledger([]biopsy.Span{{Size: c.Size(), Status: status, What: s.ending}})
		return nil
	},
}

// closed finds the sign of a file that cannot be opened; beyond the first bytes a partition's name tells.
func closed(f biopsy.File, head []byte) *sign {
	for i := range signs {
		s := &signs[i]
		end := s.at + int64(len(s.magic))
		switch {
		case s.closed == "":
		case end <= int64(len(head)) && bytes.Equal(head[s.at:end], []byte(s.magic)):
			return s
		case s.at >= 4096 && strings.HasSuffix(f.Path, "."+s.ending):
			return s
		}
	}
	return nil
}
