package iso9660

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/runs"
)

// Flags of a record.
const (
	flagDir  = 0x02
	flagMore = 0x80 // the file goes on in the next record
)

// record is a directory record (ECMA-119, 10.1).
type record struct {
	block       int64 // logical block, behind the extended attributes
	size        int64
	flags       byte
	interleaved bool
	id          []byte
	system      []byte   // fields of Rock Ridge
	extents     []extent // of a file; filled by the walk
}

func (r *record) dir() bool          { return r.flags&flagDir != 0 }
func (r *record) at(v *volume) int64 { return r.block * v.block }

// parseRecord reads the record at the beginning of b and returns its length.
func parseRecord(b []byte) (record, int, error) {
	if len(b) < 34 || int(b[0]) < 34 || int(b[0]) > len(b) {
		return record{}, 0, errors.New("no whole directory record")
	}
	b = b[:b[0]]
	n := int(b[32])
	if 33+n > len(b) {
		return record{}, 0, fmt.Errorf("record of %d bytes with a name of %d", len(b), n)
	}
	r := record{block: int64(le.Uint32(b[2:])) + int64(b[1]), size: int64(le.Uint32(b[10:])), flags: b[25], interleaved: b[26] != 0, id: b[33 : 33+n]}
	if start := 33 + n + 1 - n%2; start < len(b) {
		r.system = b[start:]
	}
	return r, len(b), nil
}

// records tells the records of a directory, but for "." and "..", until yield returns false. None crosses the end of a sector.
func (w *walker) records(d record, yield func(record) bool, bad func(int64, string)) error {
	for at := int64(0); at < d.size; at += sector {
		b := make([]byte, min(sector, d.size-at)) // records keep parts of it
		if err := readAt(w.src, b, d.at(w.volume)+at); err != nil {
			return err
		}
		for i := 0; i < len(b) && b[i] != 0; {
			r, n, err := parseRecord(b[i:])
			if err != nil {
				bad(at+int64(i), err.Error())
				break
			}
			i += n
			if len(r.id) == 1 && r.id[0] <= 1 {
				continue
			}
			if !yield(r) {
				return nil
			}
		}
	}
	return nil
}

// extra is what a record says beside its place.
type extra struct {
	name   string
	mode   fs.FileMode
	child  int64 // block of a directory that was moved from here; 0 when none was
	moved  bool  // the directory was moved to here
	zisofs int64 // unpacked size of a file packed by zisofs, -1 by something else; 0 when it is not packed
}

// describe finds name and mode of a record.
func (w *walker) describe(r record) (extra, error) {
	x := extra{name: plainName(r.id), mode: 0o644}
	switch w.names {
	case jolietNames:
		x.name = jolietName(r.id)
	case rockRidge:
		return x, w.rockRidge(r, &x)
	}
	return x, nil
}

// plainName takes the version away, and the point of an empty ending.
func plainName(id []byte) string {
	name, _, _ := strings.Cut(string(id), ";")
	return strings.TrimSuffix(name, ".")
}

func jolietName(id []byte) string {
	name, _, _ := strings.Cut(jolietText(id), ";")
	return name
}

// jolietText reads UTF-16, the upper byte first.
func jolietText(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(u))
}

// maxContinued bounds how often a record's fields go on elsewhere.
const maxContinued = 32

// rockRidge reads the system use fields of a record (SUSP 1.12, RRIP 1.12).
func (w *walker) rockRidge(r record, x *extra) error {
	b := r.system[min(w.skip, len(r.system)):]
	var name []byte
	for range maxContinued {
		var next extent
		for len(b) >= 4 {
			size := int(b[2])
			if size < 4 || size > len(b) {
				break // what follows is padding
			}
			f := b[:size]
			b = b[size:]
			switch kind := string(f[:2]); {
			case kind == "NM" && size >= 5:
				name = append(name, f[5:]...)
			case kind == "PX" && size >= 12:
				x.mode = unixMode(le.Uint32(f[4:]))
			case kind == "CL" && size >= 12:
				x.child = int64(le.Uint32(f[4:]))
			case kind == "RE":
				x.moved = true
			case kind == "ZF":
				x.zisofs = -1
				if n, ok := zisofsSize(f); ok {
					x.zisofs = n
				}
			case kind == "CE" && size >= 28:
				next = extent{int64(le.Uint32(f[4:]))*w.block + int64(le.Uint32(f[12:])), int64(le.Uint32(f[20:]))}
			case kind == "ST":
				b = nil
			}
		}
		if next.size == 0 {
			if len(name) > 0 {
				x.name = string(name)
			}
			return nil
		}
		w.used = append(w.used, next)
		if next.size > 64<<10 {
			return fmt.Errorf("%s: fields of %d bytes", x.name, next.size)
		}
		b = make([]byte, next.size)
		if err := readAt(w.src, b, next.off); err != nil {
			return fmt.Errorf("%s: fields: %w", x.name, err)
		}
	}
	return fmt.Errorf("%s: fields go on too often, or in a circle", x.name)
}

// unixMode takes permissions and type; what is no file or directory counts as irregular.
func unixMode(m uint32) fs.FileMode {
	mode := fs.FileMode(m & 0o777)
	switch m & 0o170000 {
	case 0o100000:
	case 0o040000:
		mode |= fs.ModeDir
	default:
		mode |= fs.ModeIrregular
	}
	return mode
}

// ledger says where descriptors, directories and files stand.
func (w *walker) ledger() []biopsy.Span {
	s, end := runs.NewSpans(w.src), min(w.size, w.there)
	w.used = append(append(w.used, w.paths[:]...), extent{firstDescriptor, 2 * sector})
	slices.SortFunc(w.used, func(a, b extent) int {
		if a.off != b.off {
			return int(max(min(a.off-b.off, 1), -1))
		}
		return int(max(min(b.size-a.size, 1), -1))
	})
	at := int64(0)
	for _, e := range w.used {
		if e.off <= 0 || e.off >= end || e.size <= 0 {
			continue
		}
		if e.off > at {
			s.Free(e.off)
		}
		if to := min((e.off+e.size+sector-1)/sector*sector, end); to > at {
			s.Used(to, "iso9660")
			at = to
		}
	}
	s.Free(w.there)
	return s.Done()
}

func readAt(r io.ReaderAt, b []byte, off int64) error {
	if off < 0 {
		return fmt.Errorf("offset %d is beyond any image", off)
	}
	if n, err := r.ReadAt(b, off); n < len(b) {
		return fmt.Errorf("at offset %d: %w", off, short(err))
	}
	return nil
}

// short words the end of an image as one that came too early.
func short(err error) error {
	if err == io.EOF || err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}
