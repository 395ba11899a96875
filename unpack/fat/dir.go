package fat

import (
	"strings"
	"unicode/utf16"

	"github.com/biopsy-sca/biopsy/internal/runs"
)

// Attributes of a record.
const (
	attrLabel = 0x08
	attrDir   = 0x10
	attrLong  = 0x0f
)

// each calls f with every record of 32 bytes until it returns false.
func each(c *runs.Content, f func(at int64, b []byte) bool) error {
	buf := make([]byte, 16<<10)
	for at := int64(0); at < c.Size(); at += int64(len(buf)) {
		b := buf[:min(int64(len(buf)), c.Size()-at)]
		if err := readAt(c, b, at); err != nil {
			return err
		}
		for i := 0; i+32 <= len(b); i += 32 {
			if !f(at+int64(i), b[i:i+32]) {
				return nil
			}
		}
	}
	return nil
}

// longName collects the records before a short name; the last part of the name comes first.
type longName struct {
	units [20 * 13]uint16
	left  int // records still to come; -1 when what came does not belong together
	parts int
	sum   byte
}

func (l *longName) add(b []byte) {
	n := int(b[0] & 0x3f)
	switch {
	case b[0]&0x40 != 0 && n >= 1 && n <= 20:
		l.parts, l.left, l.sum = n, n, b[13]
	case l.left <= 0 || n != l.left || b[13] != l.sum:
		l.left, l.parts = -1, 0
		return
	}
	if n == 0 || n > 20 || l.left <= 0 {
		l.left, l.parts = -1, 0
		return
	}
	l.left--
	u := l.units[(n-1)*13:][:13]
	for i := range u {
		at := 1 + 2*i
		if i >= 5 {
			at = 14 + 2*(i-5)
		}
		if i >= 11 {
			at = 28 + 2*(i-11)
		}
		u[i] = le.Uint16(b[at:])
	}
}

// name returns the long name for a record, "" when it has none.
func (l *longName) name(b []byte) string {
	defer func() { l.left, l.parts = -1, 0 }()
	if l.parts == 0 || l.left != 0 {
		return ""
	}
	var sum byte
	for _, c := range b[:11] {
		sum = sum>>1 | sum<<7
		sum += c
	}
	if sum != l.sum {
		return ""
	}
	return decode(l.units[:l.parts*13])
}

// decode turns UTF-16 up to a zero into UTF-8.
func decode(u []uint16) string {
	for i, c := range u {
		if c == 0 {
			u = u[:i]
			break
		}
	}
	return string(utf16.Decode(u))
}

// shortName is the name of 8 and 3 characters, in lower case where Windows says so by two bits.
func shortName(b []byte) string {
	base, ending := strings.TrimRight(string(b[:8]), " "), strings.TrimRight(string(b[8:11]), " ")
	if b[0] == 0x05 {
		base = "\xe5" + base[1:]
	}
	if b[12]&0x08 != 0 {
		base = lower(base)
	}
	if b[12]&0x10 != 0 {
		ending = lower(ending)
	}
	if ending != "" {
		return base + "." + ending
	}
	return base
}

// lower leaves bytes of code pages alone.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// shortEntries tells the files and directories of a FAT directory until yield returns false.
func shortEntries(c *runs.Content, yield func(entry) bool, bad func(int64, string)) error {
	var long longName
	return each(c, func(at int64, b []byte) bool {
		switch {
		case b[0] == 0:
			return false
		case b[0] == 0xe5:
			long.parts = 0
			return true
		case b[11]&0x3f == attrLong:
			long.add(b)
			return true
		case b[11]&attrLabel != 0:
			long.parts = 0
			return true
		}
		e := entry{
			name: long.name(b), dir: b[11]&attrDir != 0, first: uint32(le.Uint16(b[20:]))<<16 | uint32(le.Uint16(b[26:])),
			size: int64(le.Uint32(b[28:])), valid: int64(le.Uint32(b[28:])), at: at,
		}
		if e.name == "" {
			e.name = shortName(b)
		}
		switch {
		case e.dir && (e.name == "." || e.name == ".."):
			return true
		case e.name == "" || e.dir && e.first == 0:
			bad(at, "directory without a place, or file without a name")
			return true
		}
		return yield(e)
	})
}

// exEntries tells the files and directories of an exFAT directory: a record of the file, one of its stream, and those of its name.
func exEntries(c *runs.Content, yield func(entry) bool, bad func(int64, string)) error {
	var e entry
	var name []uint16
	left, nameLen, started := 0, 0, false
	return each(c, func(at int64, b []byte) bool {
		if left > 0 && b[0]&0xc0 != 0xc0 {
			bad(e.at, "is followed by too few others")
			left = 0
		}
		switch {
		case b[0] == 0:
			return false
		case b[0] == 0x85:
			e, name, started = entry{dir: b[4]&attrDir != 0, at: at}, name[:0], true
			left, nameLen = int(b[1]), 0
			return true
		case left == 0 || !started:
			return true // bitmap, case table, label; deleted records
		case b[0] == 0xc0:
			nameLen = int(b[3])
			e.contiguous, e.first = b[1]&2 != 0, le.Uint32(b[20:])
			e.valid, e.size = int64(le.Uint64(b[8:])), int64(le.Uint64(b[24:]))
		case b[0] == 0xc1 && len(name) < 255:
			for i := 2; i < 32; i += 2 {
				name = append(name, le.Uint16(b[i:]))
			}
		}
		if left--; left > 0 {
			return true
		}
		started = false
		if nameLen == 0 || nameLen > len(name) || e.valid < 0 || e.size < e.valid {
			bad(e.at, "name or sizes do not fit")
			return true
		}
		e.name = decode(name[:nameLen])
		if e.dir && e.size == 0 {
			return true
		}
		return yield(e)
	})
}
