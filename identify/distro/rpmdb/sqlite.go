package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// SQLite database, rpmdb.sqlite (SQLite 3 file format, sqlite.org/fileformat2.html as of 3.54). Only what RPM's table "Packages" needs is
// read: tables, no indexes. A write-ahead log beside the file is not seen here.
const (
	sqliteMagic   = "SQLite format 3\x00"
	sqliteHeader  = 100
	treeInterior  = 5
	treeLeaf      = 13
	maxTreeDepth  = 20 // SQLite's own bound on the depth of a b-tree
	schemaPage    = 1
	packagesTable = "Packages"
)

type sqliteDB struct {
	file
	page   int64 // bytes
	usable int64 // bytes of a page without the reserved end
	pages  int64
	budget int64 // pages that may still be read: a sound file needs each once
	local  int64 // bytes of records on leaf pages that may still be read: they do not overlap
	record []byte
}

var errFound = errors.New("found")

func walkSQLite(f file, yield func(int64, []byte) error) error {
	db, err := openSQLite(f)
	if err != nil {
		return err
	}
	root, err := db.table(packagesTable)
	if err != nil {
		return err
	}
	db.budget, db.local = db.pages, db.size
	return db.rows(root, maxTreeDepth, func(offset int64, record []byte) error {
		// columns: hnum INTEGER PRIMARY KEY, blob BLOB
		columns, err := split(record, 2)
		if err != nil {
			return fmt.Errorf("row at offset %d: %w", offset, err)
		}
		if len(columns[1]) < minBlob {
			return nil
		}
		return yield(offset, columns[1])
	})
}

func openSQLite(f file) (*sqliteDB, error) {
	var head [sqliteHeader]byte
	if err := f.read(head[:], 0); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	db := &sqliteDB{file: f, page: int64(binary.BigEndian.Uint16(head[16:]))}
	if db.page == 1 {
		db.page = 64 << 10
	}
	db.usable = db.page - int64(head[20])
	if db.page < 512 || db.page&(db.page-1) != 0 || db.usable < 480 {
		return nil, fmt.Errorf("page size %d, %d of it reserved", db.page, head[20])
	}
	db.pages = f.size / db.page
	db.budget, db.local = db.pages, db.size
	return db, nil
}

// table returns the root page of a table by its name.
func (db *sqliteDB) table(name string) (int64, error) {
	var root int64
	err := db.rows(schemaPage, maxTreeDepth, func(_ int64, record []byte) error {
		// columns: type, name, tbl_name, rootpage, sql
		columns, err := split(record, 4)
		if err != nil {
			return err
		}
		if string(columns[0]) != "table" || string(columns[1]) != name {
			return nil
		}
		for _, b := range columns[3] {
			root = root<<8 | int64(b)
		}
		return errFound
	})
	switch {
	case err == nil:
		return 0, fmt.Errorf("no table %q", name)
	case err != errFound:
		return 0, fmt.Errorf("schema: %w", err)
	}
	return root, nil
}

// rows calls yield for every record of the table whose tree starts at the page.
func (db *sqliteDB) rows(number int64, depth int, yield func(int64, []byte) error) error {
	if depth == 0 {
		return fmt.Errorf("page %d: tree is deeper than %d", number, maxTreeDepth)
	}
	page := make([]byte, db.page)
	if err := db.readPage(page, number); err != nil {
		return err
	}
	head := int64(0)
	if number == schemaPage {
		head = sqliteHeader
	}
	kind, cells := page[head], int64(binary.BigEndian.Uint16(page[head+3:]))
	index := head + 8
	if kind == treeInterior {
		index = head + 12
	} else if kind != treeLeaf {
		return fmt.Errorf("page %d is of kind %d, no part of a table", number, kind)
	}
	if index+2*cells > db.usable {
		return fmt.Errorf("page %d: %d cells do not fit", number, cells)
	}
	for i := range cells {
		at := int64(binary.BigEndian.Uint16(page[index+2*i:]))
		if at < index+2*cells || at+4 > db.usable {
			return fmt.Errorf("page %d: cell %d at %d", number, i, at)
		}
		if err := db.cell(page, number, at, depth, yield); err != nil {
			return err
		}
	}
	if kind == treeLeaf {
		return nil
	}
	return db.rows(int64(binary.BigEndian.Uint32(page[head+8:])), depth-1, yield)
}

// cell follows a branch, or yields a record.
func (db *sqliteDB) cell(page []byte, number, at int64, depth int, yield func(int64, []byte) error) error {
	kind := page[0]
	if number == schemaPage {
		kind = page[sqliteHeader]
	}
	if kind == treeInterior {
		return db.rows(int64(binary.BigEndian.Uint32(page[at:])), depth-1, yield)
	}
	record, err := db.payload(page[at:db.usable])
	if err != nil {
		return fmt.Errorf("page %d: cell at %d: %w", number, at, err)
	}
	return yield((number-1)*db.page+at, record)
}

// payload returns a leaf cell's record, put together from its overflow pages where there are any.
func (db *sqliteDB) payload(cell []byte) ([]byte, error) {
	size, n := varint(cell)
	_, m := varint(cell[n:]) // rowid
	cell = cell[n+m:]
	if n == 0 || m == 0 || size > uint64(db.size) {
		return nil, fmt.Errorf("payload of %d bytes in a file of %d", size, db.size)
	}
	local := db.onPage(int64(size))
	if local > int64(len(cell)) || (local < int64(size) && local+4 > int64(len(cell))) {
		return nil, fmt.Errorf("payload of %d bytes does not fit", size)
	}
	if db.local -= local; db.local < 0 {
		return nil, errors.New("records overlap")
	}
	if local == int64(size) {
		return cell[:local], nil
	}
	db.record = append(room(db.record, int(size))[:0], cell[:local]...)
	return db.overflow(int64(binary.BigEndian.Uint32(cell[local:])), int64(size))
}

// overflow appends the chain of pages to the record until it has its size.
func (db *sqliteDB) overflow(next, size int64) ([]byte, error) {
	page := make([]byte, db.page)
	for int64(len(db.record)) < size {
		if err := db.readPage(page, next); err != nil {
			return nil, fmt.Errorf("overflow: %w", err)
		}
		take := min(size-int64(len(db.record)), db.usable-4)
		db.record = append(db.record, page[4:4+take]...)
		next = int64(binary.BigEndian.Uint32(page))
	}
	return db.record, nil
}

// onPage is how many bytes of a table leaf's payload lie on the page itself (file format, 1.6).
func (db *sqliteDB) onPage(size int64) int64 {
	most := db.usable - 35
	if size <= most {
		return size
	}
	least := (db.usable-12)*32/255 - 23
	if k := least + (size-least)%(db.usable-4); k <= most {
		return k
	}
	return least
}

func (db *sqliteDB) readPage(page []byte, number int64) error {
	if number < 1 || number > db.pages {
		return fmt.Errorf("page %d of %d", number, db.pages)
	}
	if db.budget--; db.budget < 0 {
		return fmt.Errorf("page %d: pages are used twice", number)
	}
	return db.read(page, (number-1)*db.page)
}

// split returns the bytes of the first n columns of a record (file format, 2.1). Columns that the record does not have are empty.
func split(record []byte, n int) ([][]byte, error) {
	size, at := varint(record)
	if at == 0 || size > uint64(len(record)) || size < uint64(at) {
		return nil, fmt.Errorf("record header of %d bytes in %d", size, len(record))
	}
	kinds, body := record[at:size], record[size:]
	columns := make([][]byte, n)
	for i := 0; i < n && len(kinds) > 0; i++ {
		kind, used := varint(kinds)
		width := columnWidth(kind)
		if used == 0 || width > uint64(len(body)) {
			return nil, fmt.Errorf("column %d of %d bytes, %d are left", i, width, len(body))
		}
		kinds = kinds[used:]
		columns[i], body = body[:width], body[width:]
	}
	return columns, nil
}

// columnWidth is the number of bytes of a column by its serial type.
func columnWidth(kind uint64) uint64 {
	switch {
	case kind >= 12:
		return (kind - 12) / 2
	case kind == 5:
		return 6
	case kind == 6, kind == 7:
		return 8
	case kind >= 8:
		return 0
	}
	return kind
}

// varint reads a big-endian number of 7 bits a byte, 8 in the ninth. n is 0 when the bytes end before it does.
func varint(b []byte) (v uint64, n int) {
	for i := 0; i < len(b) && i < 9; i++ {
		if i == 8 {
			return v<<8 | uint64(b[i]), 9
		}
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
