package disk

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/biopsy-sca/biopsy"
)

// Table opens a raw disk by its partition table. File systems that begin like one, such as FAT, stand before it in the list.
var Table = biopsy.Unpacker{
	Name:   "partitions",
	Match:  matchTable,
	Magics: []biopsy.Magic{{Bytes: []byte("EFI PART"), At: 512}},
	Extent: extentGPT,
	Unpack: func(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		t, err := readTable(c, u.Gap)
		if err != nil {
			return err
		}
		if t == nil {
			return errors.New("no partition table")
		}
		spans, err := t.yield(ctx, c, u)
		if err == nil && u.Ledger != nil {
			u.Ledger(spans)
		}
		return err
	},
}

// partition is a run of bytes that a table names.
type partition struct {
	number    int
	off, size int64
}

// table is what a partition table says.
type table struct {
	parts []partition
	own   []partition // where the table itself stands; numbers mean nothing
	kind  string      // "mbr" or "gpt"
	// budget pays for looking at what is not partitioned; nil for a raw disk, whose bytes are those of the image.
	budget biopsy.Budget
}

func matchTable(f biopsy.File, head []byte) bool {
	if len(head) < 1024 {
		return false
	}
	entries, ok := parseMBR(head[:512])
	if !ok {
		return bytes.HasPrefix(head[512:], []byte("EFI PART"))
	}
	size := f.Size / 512
	for _, e := range entries {
		if f.Size > 0 && e.start >= size {
			return false
		}
	}
	return true
}

// readTable reads the partition table of a disk; nil when there is none.
func readTable(d reader, gap func(biopsy.Gap)) (*table, error) {
	if d.Size() < 1024 {
		return nil, nil
	}
	var sector [512]byte
	if err := readAt(d, sector[:], 0); err != nil {
		return nil, fmt.Errorf("read first sector: %w", err)
	}
	entries, isMBR := parseMBR(sector[:])
	if isMBR && isFAT(sector[:]) {
		isMBR = false // its code happens to look like a table
	}
	protects := slices.ContainsFunc(entries[:], func(e mbrEntry) bool { return e.kind == 0xee })
	if t := readGPT(d, protects, gap); t != nil {
		return t, nil
	}
	if !isMBR {
		return nil, nil
	}
	return readMBR(d, entries, gap), nil
}

// isFAT tells whether a sector has the fields of a FAT boot sector.
func isFAT(b []byte) bool {
	return (b[0] == 0xeb && b[2] == 0x90 || b[0] == 0xe9) && isPower(int64(le.Uint16(b[11:])), 512, 4096) && isPower(int64(b[13]), 1, 128) &&
		le.Uint16(b[14:]) > 0 && (b[16] == 1 || b[16] == 2) && b[21] >= 0xf0
}

// yield yields the partitions in the order of the disk, and what is not empty between them. It returns the disk's ledger.
func (t *table) yield(ctx context.Context, d reader, u biopsy.UnpackOptions) ([]biopsy.Span, error) {
	l := spans{end: d.Size(), budget: t.budget}
	slices.SortFunc(t.parts, func(a, b partition) int {
		return cmp.Or(cmp.Compare(a.off, b.off), cmp.Compare(a.number, b.number))
	})
	for _, p := range t.parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name := fmt.Sprintf("part%d", p.number)
		if p.off >= d.Size() || p.size <= 0 {
			u.Gap(biopsy.Gap{Place: biopsy.Place{Path: name, Offset: p.off}, Reason: "partition lies beyond the end of the disk", Size: max(p.size, 0)})
			continue
		}
		if over := p.size - (d.Size() - p.off); over > 0 {
			u.Gap(biopsy.Gap{Place: biopsy.Place{Path: name, Offset: p.off}, Reason: fmt.Sprintf("cut off: %d of the partition's %d bytes are missing", over, p.size), Size: over})
			p.size -= over
		}
		if p.off == 0 && p.size == d.Size() && sniff(d, 0, p.size) != "iso" {
			u.Gap(biopsy.Gap{Place: biopsy.Place{Path: name}, Reason: "partition is the whole disk; not entered again"})
			continue
		}
		l.take(p.off, p.size, name)
		if err := member(name, d, p.off, p.size, u); err != nil {
			return nil, err
		}
	}
	for _, o := range t.own {
		l.take(o.off, o.size, t.kind)
	}
	return l.between(ctx, d, u)
}

// spans collects what the bytes of a disk are.
type spans struct {
	taken  []biopsy.Span
	end    int64 // of the disk
	budget biopsy.Budget
}

func (l *spans) take(off, size int64, what string) {
	if off < 0 || off >= l.end {
		return
	}
	l.taken = append(l.taken, biopsy.Span{Offset: off, Size: min(size, l.end-off), Status: biopsy.BytesParsed, What: what})
}

// between fills the space between what was taken: padding when it is empty, else a member, in which others may find something, and unknown.
func (l *spans) between(ctx context.Context, d reader, u biopsy.UnpackOptions) ([]biopsy.Span, error) {
	slices.SortFunc(l.taken, func(a, b biopsy.Span) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(b.Size, a.Size), cmp.Compare(a.What, b.What))
	})
	var out []biopsy.Span
	at := int64(0)
	free := func(end int64) error {
		if end <= at {
			return nil
		}
		s, err := l.unpartitioned(ctx, d, at, end, u)
		out = append(out, s...)
		return err
	}
	for _, s := range l.taken {
		if err := free(s.Offset); err != nil {
			return nil, err
		}
		if over := at - s.Offset; over > 0 { // partitions that overlap
			s.Offset, s.Size = at, s.Size-over
		}
		if s.Size > 0 {
			out, at = append(out, s), s.Offset+s.Size
		}
	}
	return out, free(l.end)
}

// unpartitioned looks at bytes that no partition holds and yields them from the first to the last sector that is not empty.
func (l *spans) unpartitioned(ctx context.Context, d reader, at, end int64, u biopsy.UnpackOptions) ([]biopsy.Span, error) {
	from, to, err := l.bounds(ctx, d, at, end)
	if err != nil {
		u.Gap(biopsy.Gap{Place: biopsy.Place{Offset: at}, Reason: "unpartitioned space: " + err.Error(), Size: end - at})
		return []biopsy.Span{{Offset: at, Size: end - at, What: "unpartitioned"}}, ctx.Err()
	}
	var out []biopsy.Span
	add := func(off, end int64, status biopsy.ByteKind, what string) {
		if end > off {
			out = append(out, biopsy.Span{Offset: off, Size: end - off, Status: status, What: what})
		}
	}
	add(at, from, biopsy.BytesPadding, "unpartitioned, empty")
	add(from, to, biopsy.BytesUnknown, "unpartitioned")
	add(to, end, biopsy.BytesPadding, "unpartitioned, empty")
	if to > from {
		err = member(fmt.Sprintf("unpartitioned-%#x", from), d, from, to-from, u)
	}
	return out, err
}

// bounds finds the first and the last sector between at and end that are not empty; both are end when there is none.
func (l *spans) bounds(ctx context.Context, d reader, at, end int64) (from, to int64, err error) {
	buf := make([]byte, 64<<10)
	from, to = end, end
	for off := at; off < end; off += int64(len(buf)) {
		b := buf[:min(int64(len(buf)), end-off)]
		if l.budget != nil {
			if err := l.budget.Spend(int64(len(b))); err != nil {
				return 0, 0, err
			}
		}
		if err := errors.Join(ctx.Err(), readAt(d, b, off)); err != nil {
			return 0, 0, err
		}
		if b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1]) {
			continue
		}
		for i := 0; i < len(b); i += 512 {
			sector := b[i:min(i+512, len(b))]
			if sector[0] == 0 && bytes.Equal(sector[1:], sector[:len(sector)-1]) {
				continue
			}
			if from == end {
				from = off + int64(i)
			}
			to = off + int64(i+len(sector))
		}
	}
	return from, to, nil
}
