package disk

import (
	"fmt"

	"github.com/biopsy-sca/biopsy"
)

// mbrEntry is an entry of a master or extended boot record, in sectors of 512 bytes.
type mbrEntry struct {
	kind        byte
	start, size int64
}

func (e mbrEntry) extended() bool { return e.kind == 0x05 || e.kind == 0x0f || e.kind == 0x85 }

// parseMBR reads the four entries at byte 446. It is strict, for only two bytes mark a record: flags are 0 or 0x80, an entry has
// a size or is empty, and one is not.
func parseMBR(b []byte) (entries [4]mbrEntry, ok bool) {
	if b[510] != 0x55 || b[511] != 0xaa {
		return entries, false
	}
	for i := range entries {
		e := b[446+16*i:][:16]
		if e[0]&0x7f != 0 {
			return entries, false
		}
		entries[i] = mbrEntry{kind: e[4], start: int64(le.Uint32(e[8:])), size: int64(le.Uint32(e[12:]))}
		if (entries[i].size == 0) != (e[4] == 0 && entries[i].start == 0) && e[4] != 0 {
			return entries, false
		}
		ok = ok || entries[i].size > 0
	}
	return entries, ok
}

// readMBR returns the primary partitions, 1 to 4, and the logical ones, from 5.
func readMBR(d reader, entries [4]mbrEntry, gap func(biopsy.Gap)) *table {
	t := &table{kind: "mbr", own: []partition{{size: 512}}}
	for i, e := range entries {
		switch {
		case e.size == 0 || e.kind == 0xee:
		case e.extended():
			if err := t.logical(d, e); err != nil {
				gap(biopsy.Gap{Place: biopsy.Place{Path: fmt.Sprintf("part%d", i+1), Offset: e.start * 512}, Reason: "logical partitions: " + err.Error()})
			}
		default:
			t.parts = append(t.parts, partition{i + 1, e.start * 512, e.size * 512})
		}
	}
	return t
}

// maxLogical is more logical partitions than any system makes.
const maxLogical = 256

// logical follows the chain of records in an extended partition. Each names one partition, counted from itself, and the next
// record, counted from the first.
func (t *table) logical(d reader, ext mbrEntry) error {
	number := 5
	for _, p := range t.parts {
		number = max(number, p.number+1)
	}
	for at, n := ext.start, 0; ; n++ {
		var b [512]byte
		if err := readAt(d, b[:], at*512); err != nil {
			return err
		}
		entries, ok := parseMBR(b[:])
		if !ok {
			if n == 0 && b[510] == 0x55 && b[511] == 0xaa {
				return nil // an extended partition with nothing in it
			}
			return fmt.Errorf("no record at offset %d", at*512)
		}
		t.own = append(t.own, partition{0, at * 512, 512})
		if e := entries[0]; e.size > 0 && !e.extended() {
			t.parts = append(t.parts, partition{number, (at + e.start) * 512, e.size * 512})
			number++
		}
		next := entries[1]
		if next.size == 0 || !next.extended() {
			return nil
		}
		at = ext.start + next.start
		if n == maxLogical || next.start >= ext.size || next.start == 0 {
			return fmt.Errorf("record after %d others at offset %d, outside the extended partition or one too many", n, at*512)
		}
	}
}
