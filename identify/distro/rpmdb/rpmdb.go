// Package rpmdb reads the records of an RPM package database.
//
// What comes in: the bytes of a database in one of its three forms: Berkeley DB hash ("Packages"), RPM's own ("Packages.db") or
// SQLite ("rpmdb.sqlite"). What goes out: the header of each installed package, and its tags. It never locks, writes or opens a
// file, and it trusts no length, page number or chain that it reads.
package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrUnknown says that the bytes are none of the three forms.
var ErrUnknown = errors.New("not a database of RPM")

// Walk calls yield for the header of every package with the offset at which it (or what leads to it) lies. The blob is valid until
// yield returns. An error of yield ends the walk.
func Walk(r io.ReaderAt, size int64, yield func(offset int64, blob []byte) error) error {
	var head [32]byte
	n, err := r.ReadAt(head[:min(size, int64(len(head)))], 0)
	if err != nil && err != io.EOF {
		return fmt.Errorf("read database header: %w", err)
	}
	f := file{r: r, size: size}
	switch {
	case string(head[:16]) == sqliteMagic:
		return walkSQLite(f, yield)
	case string(head[:4]) == ndbMagic:
		return walkNDB(f, yield)
	case n >= 16 && (binary.LittleEndian.Uint32(head[12:]) == hashMagic || binary.BigEndian.Uint32(head[12:]) == hashMagic):
		return walkHash(f, yield)
	}
	return ErrUnknown
}

// file reads pieces of the database and refuses those that are not there.
type file struct {
	r    io.ReaderAt
	size int64
}

// read fills b from the offset, whole.
func (f file) read(b []byte, offset int64) error {
	if offset < 0 || int64(len(b)) > f.size-offset {
		return fmt.Errorf("%d bytes at offset %d lie beyond the end at %d", len(b), offset, f.size)
	}
	if _, err := f.r.ReadAt(b, offset); err != nil && err != io.EOF {
		return fmt.Errorf("read %d bytes at offset %d: %w", len(b), offset, err)
	}
	return nil
}

// minBlob is the shortest header: two lengths and one index entry. Shorter values are the database's own counters.
const minBlob = 8 + entrySize
