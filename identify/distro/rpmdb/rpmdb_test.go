package rpmdb

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// blob builds a header of entries: each its tag, type, count and bytes.
func blob(entries ...entry) []byte {
	var index, data []byte
	for _, e := range entries {
		index = binary.BigEndian.AppendUint32(index, uint32(e.tag))
		index = binary.BigEndian.AppendUint32(index, e.kind)
		index = binary.BigEndian.AppendUint32(index, uint32(len(data)))
		index = binary.BigEndian.AppendUint32(index, e.count)
		data = append(data, e.data...)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(len(entries)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	return append(append(b, index...), data...)
}

type entry struct {
	tag         Tag
	kind, count uint32
	data        string
}

func TestHeader(t *testing.T) {
	h, err := Parse(blob(
		entry{Name, typeString, 1, "old\x00"},
		entry{Summary, typeI18NString, 2, "words\x00Worte\x00"},
		entry{Vendor, typeString, 1, "(none)\x00"},
		entry{Epoch, typeInt32, 1, "\x00\x00\x00\x07"},
		entry{FileModes, typeInt16, 2, "\x81\xa4\x41\xed"},
		entry{DirIndexes, typeInt32, 4, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff"},
		entry{BaseNames, typeStringArray, 4, "motd\x00dir\x00b\x00beyond\x00"},
		entry{DirNames, typeStringArray, 2, "/etc/\x00/a/\x00"},
		entry{License, typeString, 1, "unterminated"},
		entry{Name, typeString, 1, "new\x00"},
	))
	if err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[Tag]string{Name: "new", Summary: "words", Vendor: "", URL: "", Epoch: ""} {
		if got := h.String(tag); got != want {
			t.Errorf("tag %d: got %q, want %q", tag, got, want)
		}
	}
	if e := h.Int32s(Epoch); e.Len() != 1 || e.At(0) != 7 {
		t.Errorf("got epoch %v, want 7", e)
	}
	var files []string
	h.Files(func(p []byte) { files = append(files, string(p)) })
	if len(files) != 2 || files[0] != "/etc/motd" || files[1] != "/a/b" {
		t.Errorf("got files %q, want the two that are no folders and lie in a known one", files)
	}
}

func TestParseRefuses(t *testing.T) {
	good := blob(entry{Name, typeString, 1, "a\x00"})
	for name, b := range map[string][]byte{
		"empty":   nil,
		"cut":     good[:len(good)-1],
		"no tags": append(make([]byte, 8), good[8:]...),
		"huge":    append([]byte{0xff, 0xff, 0xff, 0xff}, good[4:]...),
	} {
		if _, err := Parse(b); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestWalkRefuses(t *testing.T) {
	sqlite := append([]byte(sqliteMagic), make([]byte, 4096-16)...)
	binary.BigEndian.PutUint16(sqlite[16:], 512)
	sqlite[100] = treeInterior
	binary.BigEndian.PutUint32(sqlite[108:], 1) // the right branch is the page itself
	hash := make([]byte, 1024)
	binary.LittleEndian.PutUint32(hash[12:], hashMagic)
	binary.LittleEndian.PutUint32(hash[20:], 512)
	page := hash[512:]
	page[25] = pageHash
	binary.LittleEndian.PutUint16(page[20:], 2)
	binary.LittleEndian.PutUint16(page[pageHead:], 500)
	binary.LittleEndian.PutUint16(page[pageHead+2:], 488)
	page[488] = itemOffPage
	binary.LittleEndian.PutUint32(page[492:], 1) // a chain through a page of pairs
	ndb := make([]byte, 4096)
	copy(ndb, ndbMagic)
	binary.LittleEndian.PutUint32(ndb[12:], 2)
	for name, b := range map[string][]byte{"text": []byte("no database, but long enough for one to be"), "sqlite": sqlite, "hash": hash, "ndb": ndb} {
		err := Walk(bytes.NewReader(b), int64(len(b)), func(int64, []byte) error { return nil })
		if err == nil {
			t.Errorf("%s: got no error", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}

// FuzzHeader asks a header of any bytes for everything.
func FuzzHeader(f *testing.F) {
	f.Add(blob(entry{Name, typeString, 1, "a\x00"}, entry{FileModes, typeInt16, 1, "\x81\xa4"}, entry{BaseNames, typeStringArray, 1, "a\x00"},
		entry{DirIndexes, typeInt32, 1, "\x00\x00\x00\x00"}, entry{DirNames, typeStringArray, 1, "/\x00"}, entry{OldFileNames, typeStringArray, 1, "/b\x00"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := Parse(b)
		if err != nil {
			return
		}
		for tag := range Tag(6000) {
			if len(h.String(tag)) > len(b) {
				t.Errorf("tag %d is longer than the header", tag)
			}
		}
		n := 0
		h.Files(func([]byte) { n++ })
		if n > len(b) {
			t.Errorf("got %d files from %d bytes", n, len(b))
		}
	})
}
