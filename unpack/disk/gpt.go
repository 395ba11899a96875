package disk

import (
	"fmt"
	"hash/crc32"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// gpt is a header of a GUID partition table (UEFI 2.10, 5.3.2).
type gpt struct {
	sector      int64 // bytes: 512 or 4096
	lba, other  int64 // sectors of this header and of its copy
	first, last int64 // sectors that partitions may use
	entriesAt   int64 // sector
	count       int64
	entrySize   int64
	entriesCRC  uint32
	good        bool // the header's checksum is right
}

// maxEntries is the most bytes of entries taken; a table of 128 has 16 KiB.
const maxEntries = 1 << 20

func parseGPT(b []byte, sector int64) (gpt, error) {
	size := int64(le.Uint32(b[12:]))
	if string(b[:8]) != "EFI PART" || size < 92 || size > 512 {
		return gpt{}, fmt.Errorf("no header of a GUID partition table")
	}
	g := gpt{
		sector: sector, lba: int64(le.Uint64(b[24:])), other: int64(le.Uint64(b[32:])), first: int64(le.Uint64(b[40:])), last: int64(le.Uint64(b[48:])),
		entriesAt: int64(le.Uint64(b[72:])), count: int64(le.Uint32(b[80:])), entrySize: int64(le.Uint32(b[84:])), entriesCRC: le.Uint32(b[88:]),
	}
	h := crc32.NewIEEE()
	h.Write(b[:16])
	h.Write(make([]byte, 4))
	h.Write(b[20:size])
	g.good = h.Sum32() == le.Uint32(b[16:])
	switch {
	case !isPower(g.entrySize, 128, 4096) || g.count > maxEntries/g.entrySize:
		return g, fmt.Errorf("%d entries of %d bytes", g.count, g.entrySize)
	case g.entriesAt < 2 || g.entriesAt > maxDisk/sector || g.other < 0 || g.other > maxDisk/sector || g.lba < 1 || g.lba > maxDisk/sector:
		return g, fmt.Errorf("entries at sector %d, copy at sector %d", g.entriesAt, g.other)
	}
	return g, nil
}

// extentGPT takes a disk whose header and entries have right checksums.
func extentGPT(c io.ReaderAt, off, max int64) (int64, bool) {
	var b [512]byte
	if off < 0 || max < 1024 || readAt(c, b[:], off+512) != nil {
		return 0, false
	}
	g, err := parseGPT(b[:], 512)
	if err != nil || !g.good || g.lba != 1 || g.other >= max/512 {
		return 0, false
	}
	size := (g.other + 1) * 512
	_, good, err := g.entries(io.NewSectionReader(c, off, size))
	return size, err == nil && good
}

// readGPT reads the table at the disk's beginning, or its copy at the end. nil when there is none; expected says that an MBR
// promises one.
func readGPT(d reader, expected bool, gap func(biopsy.Gap)) *table {
	say := func(off int64, reason string) {
		gap(biopsy.Gap{Place: biopsy.Place{Offset: off}, Reason: "GUID partition table: " + reason})
	}
	seen := false
	for _, at := range [...]struct{ off, sector int64 }{{512, 512}, {4096, 4096}, {d.Size() - 512, 512}, {d.Size() - 4096, 4096}} {
		if at.off > 4096 && !expected && !seen {
			break // a table at the end alone is what an older use of the disk left
		}
		var b [512]byte
		if at.off < 512 || at.off > d.Size()-512 || readAt(d, b[:], at.off) != nil || string(b[:8]) != "EFI PART" {
			continue
		}
		seen = true
		g, err := parseGPT(b[:], at.sector)
		if err != nil || !g.good {
			say(at.off, "header is damaged")
			continue
		}
		t, good, err := g.entries(d)
		if err != nil {
			say(at.off, err.Error())
			continue
		}
		if !good {
			say(at.off, "checksum of the entries is wrong; read all the same")
		}
		if at.off > 4096 {
			say(at.off, "the copy at the end of the disk is used")
		}
		return t
	}
	if expected {
		say(512, "missing, though the first sector announces one")
	}
	return nil
}

// entries reads the partitions. good tells whether their checksum is right.
func (g gpt) entries(d reader) (t *table, good bool, err error) {
	b := make([]byte, g.count*g.entrySize)
	if err := readAt(d, b, g.entriesAt*g.sector); err != nil {
		return nil, false, fmt.Errorf("entries: %w", err)
	}
	t = &table{kind: "gpt", own: []partition{
		{0, 0, g.sector}, {0, g.lba * g.sector, g.sector}, {0, g.other * g.sector, g.sector}, {0, g.entriesAt * g.sector, int64(len(b))},
	}}
	if len(b) > 0 && g.other > g.lba {
		t.own = append(t.own, g.copyOfEntries(d, b)...)
	}
	for i := range int(g.count) {
		e := b[int64(i)*g.entrySize:][:g.entrySize]
		first, last := int64(le.Uint64(e[32:])), int64(le.Uint64(e[40:]))
		if [16]byte(e) == [16]byte{} {
			continue
		}
		if first < 0 || last < first || last > maxDisk/g.sector {
			first, last = maxDisk/g.sector, maxDisk/g.sector // said as lying beyond the end
		}
		t.parts = append(t.parts, partition{i + 1, first * g.sector, (last - first + 1) * g.sector})
	}
	return t, crc32.ChecksumIEEE(b) == g.entriesCRC, nil
}

// copyOfEntries finds the entries that belong to the other header.
func (g gpt) copyOfEntries(d reader, entries []byte) []partition {
	var b [512]byte
	if g.other > d.Size()/g.sector || readAt(d, b[:], g.other*g.sector) != nil {
		return nil
	}
	other, err := parseGPT(b[:], g.sector)
	if err != nil || !other.good {
		return nil
	}
	return []partition{{0, other.entriesAt * g.sector, int64(len(entries))}}
}
