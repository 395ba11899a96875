package pe

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// Versions returns the strings of the first version resource: "ProductName", "ProductVersion", "CompanyName" and others. nil
// when the file has none.
func (f *File) Versions() (map[string]string, error) {
	if f.dirs[dirResource].size == 0 {
		return nil, nil
	}
	addr, size, err := f.resource(16) // RT_VERSION
	if err != nil || size == 0 {
		return nil, err
	}
	if size > maxResource {
		return nil, fmt.Errorf("version resource: %d bytes", size)
	}
	b, err := f.at(addr, int64(size))
	if err != nil {
		return nil, fmt.Errorf("version resource: %w", err)
	}
	m := map[string]string{}
	versionBlock(b, 0, m)
	return m, nil
}

// resource descends type, name and language of the resource tree, taking the first of the latter two. Size 0 is none.
func (f *File) resource(kind uint32) (addr, size uint32, err error) {
	root := f.dirs[dirResource].addr
	next := uint32(0)
	for level := range 3 {
		head, err := f.at(root+next, 16)
		if err != nil {
			return 0, 0, fmt.Errorf("resource directory: %w", err)
		}
		n := int64(le.Uint16(head[12:])) + int64(le.Uint16(head[14:]))
		entries, err := f.at(root+next+16, 8*n)
		if err != nil {
			return 0, 0, fmt.Errorf("resource directory: %w", err)
		}
		found := false
		for ; len(entries) >= 8 && !found; entries = entries[8:] {
			if level > 0 || le.Uint32(entries) == kind {
				next, found = le.Uint32(entries[4:])&0x7fffffff, true
			}
		}
		if !found {
			return 0, 0, nil
		}
	}
	b, err := f.at(root+next, 16)
	if err != nil {
		return 0, 0, fmt.Errorf("resource entry: %w", err)
	}
	return le.Uint32(b), le.Uint32(b[4:]), nil
}

// versionBlock reads one block: length, length of the value, type, key in UTF-16, value, children; the parts start at multiples
// of four. Depth 0 is the root, 1 StringFileInfo, 2 a language's table, 3 a string.
func versionBlock(b []byte, depth int, into map[string]string) {
	if len(b) < 6 {
		return
	}
	length, value, isText := int(le.Uint16(b)), int(le.Uint16(b[2:])), le.Uint16(b[4:]) == 1
	if length < 6 || length > len(b) {
		return
	}
	b = b[:length]
	key, at := wide(b, 6)
	at = (at + 3) &^ 3
	if depth == 3 {
		if at < length && isText {
			if s, _ := wide(b[:min(length, at+2*value)], at); key != "" {
				into[key] = strings.TrimSpace(s)
			}
		}
		return
	}
	if depth == 1 && key != "StringFileInfo" {
		return
	}
	if depth == 0 {
		at = (at + value + 3) &^ 3
	}
	for at < len(b)-6 {
		versionBlock(b[at:], depth+1, into)
		step := int(le.Uint16(b[at:]))
		if step < 6 || len(into) > 256 {
			return
		}
		at = (at + step + 3) &^ 3
	}
}

// wide reads UTF-16 up to a zero or the end, and returns where it stopped.
func wide(b []byte, at int) (string, int) {
	var u []uint16
	for ; at+1 < len(b); at += 2 {
		c := le.Uint16(b[at:])
		if c == 0 {
			return string(utf16.Decode(u)), at + 2
		}
		u = append(u, c)
	}
	return string(utf16.Decode(u)), at
}
