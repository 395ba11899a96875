package rpmdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Tag numbers a field of a package header (RPM 4.20, "Header tags").
type Tag uint32

// The tags that are of use here.
const (
	Name            Tag = 1000
	Version         Tag = 1001
	Release         Tag = 1002
	Epoch           Tag = 1003
	Summary         Tag = 1004
	Distribution    Tag = 1010
	Vendor          Tag = 1011
	License         Tag = 1014
	Packager        Tag = 1015
	Group           Tag = 1016
	URL             Tag = 1020
	Arch            Tag = 1022
	OldFileNames    Tag = 1027
	FileModes       Tag = 1030
	SourceRPM       Tag = 1044
	ProvideName     Tag = 1047
	RequireName     Tag = 1049
	DirIndexes      Tag = 1116
	BaseNames       Tag = 1117
	DirNames        Tag = 1118
	ModularityLabel Tag = 5096
)

// The types of entries (RPM 4.20, "Header data types").
const (
	typeInt16       = 3
	typeInt32       = 4
	typeString      = 6
	typeStringArray = 8
	typeI18NString  = 9
)

const (
	entrySize  = 16
	maxEntries = 0xffff    // RPM's own bound on index entries
	maxData    = 256 << 20 // RPM's own bound on a header
)

// maxPath bounds a file's path (Linux PATH_MAX).
const maxPath = 4096

// Header is one package's header. It refers to the blob it was parsed from.
type Header struct {
	index []byte // entries of tag, type, offset and count, big-endian
	data  []byte
}

// Parse checks that a blob holds the index and the data that it says it holds. The entries are checked when they are asked for.
func Parse(blob []byte) (Header, error) {
	if len(blob) < minBlob {
		return Header{}, fmt.Errorf("header of %d bytes is too short", len(blob))
	}
	il, dl := binary.BigEndian.Uint32(blob), binary.BigEndian.Uint32(blob[4:])
	if il == 0 || il > maxEntries || dl > maxData || uint64(len(blob)) < 8+uint64(il)*entrySize+uint64(dl) {
		return Header{}, fmt.Errorf("header of %d bytes says %d entries and %d bytes of data", len(blob), il, dl)
	}
	end := 8 + int(il)*entrySize
	return Header{index: blob[8:end], data: blob[end : end+int(dl)]}, nil
}

// entry returns the last entry of the tag, which overrides earlier ones; ok is false when there is none.
func (h Header) entry(tag Tag) (kind, count uint32, data []byte, ok bool) {
	for i := len(h.index) - entrySize; i >= 0; i -= entrySize {
		e := h.index[i : i+entrySize]
		if binary.BigEndian.Uint32(e) != uint32(tag) {
			continue
		}
		offset := binary.BigEndian.Uint32(e[8:])
		if uint64(offset) > uint64(len(h.data)) {
			return 0, 0, nil, false
		}
		return binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[12:]), h.data[offset:], true
	}
	return 0, 0, nil, false
}

// String returns a text field, the untranslated one where there are translations; "" when the header does not say ("(none)"
// included).
func (h Header) String(tag Tag) string {
	kind, count, data, ok := h.entry(tag)
	if !ok || count == 0 || (kind != typeString && kind != typeI18NString && kind != typeStringArray) {
		return ""
	}
	end := bytes.IndexByte(data, 0)
	if end < 0 || string(data[:end]) == "(none)" {
		return ""
	}
	return string(data[:end])
}

// Strings calls yield for each text of a list, with its place in it; the bytes are valid as long as the blob.
func (h Header) Strings(tag Tag, yield func(i int, s []byte)) {
	kind, count, data, ok := h.entry(tag)
	if !ok || (kind != typeStringArray && kind != typeString && kind != typeI18NString) {
		return
	}
	for i := 0; i < int(count); i++ {
		end := bytes.IndexByte(data, 0)
		if end < 0 {
			return
		}
		yield(i, data[:end])
		data = data[end+1:]
	}
}

// Int32s is a list of 32-bit numbers; empty when the header does not say.
func (h Header) Int32s(tag Tag) Numbers { return h.numbers(tag, typeInt32, 4) }

// Int16s is a list of 16-bit numbers; empty when the header does not say.
func (h Header) Int16s(tag Tag) Numbers { return h.numbers(tag, typeInt16, 2) }

func (h Header) numbers(tag Tag, kind uint32, width int) Numbers {
	k, count, data, ok := h.entry(tag)
	if !ok || k != kind || uint64(count)*uint64(width) > uint64(len(data)) {
		return Numbers{width: width}
	}
	return Numbers{data[:int(count)*width], width}
}

// Numbers is a list of big-endian numbers, read where it lies.
type Numbers struct {
	data  []byte
	width int // bytes of one number
}

// Len returns how many there are.
func (n Numbers) Len() int { return len(n.data) / n.width }

// At returns one of them.
func (n Numbers) At(i int) uint32 {
	if n.width == 2 {
		return uint32(binary.BigEndian.Uint16(n.data[2*i:]))
	}
	return binary.BigEndian.Uint32(n.data[4*i:])
}

// Files calls yield for every file that the package lists, folders and impossible paths left out. The path is valid until yield returns.
func (h Header) Files(yield func(path []byte)) {
	modes := h.Int16s(FileModes)
	folder := func(i int) bool { return i < modes.Len() && modes.At(i)&0o170000 == 0o040000 } // S_IFMT, S_IFDIR
	h.Strings(OldFileNames, func(i int, s []byte) {
		if !folder(i) {
			yield(s)
		}
	})
	var dirs [][]byte
	h.Strings(DirNames, func(_ int, s []byte) { dirs = append(dirs, s) })
	at := h.Int32s(DirIndexes)
	var path []byte
	h.Strings(BaseNames, func(i int, s []byte) {
		if i >= at.Len() || int64(at.At(i)) >= int64(len(dirs)) || folder(i) {
			return
		}
		if dir := dirs[at.At(i)]; len(dir)+len(s) <= maxPath {
			path = append(append(path[:0], dir...), s...)
			yield(path)
		}
	})
}
