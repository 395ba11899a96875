package rpmdb

import (
	"encoding/binary"
	"fmt"
)

// Berkeley DB hash database, Packages (libdb 5.3, dbinc/db_page.h): pages of pairs; values that do not fit on a page lie in chains
// of overflow pages. The byte order is that of the machine that wrote it.
const (
	hashMagic       = 0x061561
	pageHead        = 26
	pageHashOld     = 2  // P_HASH_UNSORTED
	pageOverflow    = 7  // P_OVERFLOW
	pageHash        = 13 // P_HASH
	itemOnPage      = 1  // H_KEYDATA
	itemOffPage     = 3  // H_OFFPAGE
	itemOffPageSize = 12
)

type hashDB struct {
	file
	order  binary.ByteOrder
	page   int64 // bytes
	pages  int64
	budget int64 // overflow pages that may still be read: each belongs to one value
	chain  []byte
	value  []byte
}

func walkHash(f file, yield func(int64, []byte) error) error {
	db, err := openHash(f)
	if err != nil {
		return err
	}
	page := make([]byte, db.page)
	for n := int64(1); n < db.pages; n++ {
		if err := f.read(page, n*db.page); err != nil {
			return fmt.Errorf("page %d: %w", n, err)
		}
		if kind := page[25]; kind != pageHash && kind != pageHashOld {
			continue
		}
		if err := db.values(page, n, yield); err != nil {
			return err
		}
	}
	return nil
}

func openHash(f file) (*hashDB, error) {
	var meta [72]byte
	if err := f.read(meta[:], 0); err != nil {
		return nil, fmt.Errorf("metadata page: %w", err)
	}
	db := &hashDB{file: f, order: binary.LittleEndian}
	if db.order.Uint32(meta[12:]) != hashMagic {
		db.order = binary.BigEndian
	}
	db.page = int64(db.order.Uint32(meta[20:]))
	if db.page < 512 || db.page > 64<<10 || db.page&(db.page-1) != 0 {
		return nil, fmt.Errorf("page size %d", db.page)
	}
	if meta[24] != 0 {
		return nil, fmt.Errorf("database is encrypted (algorithm %d)", meta[24])
	}
	db.pages = f.size / db.page
	db.budget = db.pages
	return db, nil
}

// values yields the values of one page of pairs. The index behind the page's head holds the offsets of key and value in turn; items
// grow from the end of the page, so an item ends where the one before it starts.
func (db *hashDB) values(page []byte, n int64, yield func(int64, []byte) error) error {
	count := int(db.order.Uint16(page[20:]))
	if pageHead+2*count > len(page) {
		return fmt.Errorf("page %d: %d items do not fit", n, count)
	}
	at := func(i int) int { return int(db.order.Uint16(page[pageHead+2*i:])) }
	free := len(page)
	for i := 1; i < count; i += 2 {
		start, end, before := at(i), at(i-1), free
		free = start
		if start < pageHead+2*count || start >= end || end > before {
			return fmt.Errorf("page %d: item %d from %d to %d", n, i, start, end)
		}
		blob, err := db.item(page[start:end])
		if err != nil {
			return fmt.Errorf("page %d: item %d: %w", n, i, err)
		}
		if len(blob) < minBlob {
			continue
		}
		if err := yield(n*db.page+int64(start), blob); err != nil {
			return err
		}
	}
	return nil
}

// item returns a value that lies on the page or in a chain; nothing for duplicate sets, which RPM does not use for packages.
func (db *hashDB) item(b []byte) ([]byte, error) {
	switch {
	case b[0] == itemOnPage:
		return b[1:], nil
	case b[0] != itemOffPage || len(b) < itemOffPageSize:
		return nil, nil
	}
	size := int64(db.order.Uint32(b[8:]))
	if size > db.size {
		return nil, fmt.Errorf("value of %d bytes in a file of %d", size, db.size)
	}
	db.value = room(db.value, int(size))[:0]
	db.chain = room(db.chain, int(db.page))
	for next := db.order.Uint32(b[4:]); next != 0; next = db.order.Uint32(db.chain[16:]) {
		if db.budget--; db.budget < 0 {
			return nil, fmt.Errorf("overflow pages are used twice")
		}
		if err := db.read(db.chain, int64(next)*db.page); err != nil {
			return nil, fmt.Errorf("overflow page %d: %w", next, err)
		}
		used := int(db.order.Uint16(db.chain[22:]))
		if db.chain[25] != pageOverflow || pageHead+used > len(db.chain) {
			return nil, fmt.Errorf("page %d is no overflow page", next)
		}
		db.value = append(db.value, db.chain[pageHead:pageHead+used]...)
	}
	return db.value, nil
}
