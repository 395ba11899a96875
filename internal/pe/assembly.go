package pe

import (
	"errors"
	"fmt"
	"strings"
)

// Assembly is the identity of a .NET assembly.
type Assembly struct {
	Name    string
	Version string // four numbers: what references are bound by, not what the package is called
	Culture string // "" is neutral; others are satellites that hold translations
}

var errMetadata = errors.New("bad .NET metadata")

// Assembly returns the identity of a managed file and the assemblies it refers to. The zero Assembly is of modules without one.
func (f *File) Assembly() (self Assembly, refs []Assembly, err error) {
	cli, err := f.at(f.dirs[dirCLI].addr, 72)
	if err != nil {
		return Assembly{}, nil, fmt.Errorf("CLI header: %w", err)
	}
	addr, size := le.Uint32(cli[8:]), le.Uint32(cli[12:])
	if size > maxMetadata {
		return Assembly{}, nil, fmt.Errorf("metadata: %d bytes", size)
	}
	b, err := f.at(addr, int64(size))
	if err != nil {
		return Assembly{}, nil, fmt.Errorf("metadata: %w", err)
	}
	tables, names, err := streams(b)
	if err != nil {
		return Assembly{}, nil, err
	}
	return readTables(tables, names)
}

// streams finds the table stream and the string heap (II.24.2.1 and II.24.2.2).
func streams(b []byte) (tables, names []byte, err error) {
	if len(b) < 20 || string(b[:4]) != "BSJB" {
		return nil, nil, errMetadata
	}
	version := int64(le.Uint32(b[12:]))
	at := 16 + version
	if version > 256 || at+4 > int64(len(b)) {
		return nil, nil, errMetadata
	}
	count := int(le.Uint16(b[at+2:]))
	rest := b[at+4:]
	for range count {
		if len(rest) < 12 {
			return nil, nil, errMetadata
		}
		off, size := int64(le.Uint32(rest)), int64(le.Uint32(rest[4:]))
		n := strings.IndexByte(string(rest[8:min(len(rest), 40)]), 0)
		if n < 0 || off > int64(len(b)) || size > int64(len(b))-off {
			return nil, nil, errMetadata
		}
		switch string(rest[8 : 8+n]) {
		case "#~", "#-":
			tables = b[off : off+size]
		case "#Strings":
			names = b[off : off+size]
		}
		rest = rest[min(len(rest), 8+(n+4)&^3):]
	}
	if tables == nil || names == nil {
		return nil, nil, errMetadata
	}
	return tables, names, nil
}

// Columns of a table: fixed sizes in bytes, heaps, rows of one table (100 + table), and coded indexes into several (200 + kind).
const (
	colString = 11
	colGUID   = 12
	colBlob   = 13
	colTable  = 100
	colCoded  = 200
)

// Coded indexes (II.24.2.6): bits of the tag, and the tables it may name.
var codedIndexes = [...]struct {
	bits   uint
	tables []int
}{
	{2, []int{0x02, 0x01, 0x1b}}, // 0 TypeDefOrRef
	{2, []int{0x04, 0x08, 0x17}}, // 1 HasConstant
	{5, []int{0x06, 0x04, 0x01, 0x02, 0x08, 0x09, 0x0a, 0x00, 0x0e, 0x17, 0x14, 0x11, 0x1a, 0x1b, 0x20, 0x23, 0x26, 0x27, 0x28, 0x2a, 0x2c, 0x2b}}, // 2 HasCustomAttribute
	{1, []int{0x04, 0x08}},                   // 3 HasFieldMarshal
	{2, []int{0x02, 0x06, 0x20}},             // 4 HasDeclSecurity
	{3, []int{0x02, 0x01, 0x1a, 0x06, 0x1b}}, // 5 MemberRefParent
	{1, []int{0x14, 0x17}},                   // 6 HasSemantics
	{1, []int{0x06, 0x0a}},                   // 7 MethodDefOrRef
	{1, []int{0x04, 0x06}},                   // 8 MemberForwarded
	{3, []int{0x06, 0x0a}},                   // 9 CustomAttributeType
	{2, []int{0x00, 0x1a, 0x23, 0x01}},       // 10 ResolutionScope
}

// schema is the layout of tables 0x00 to 0x23 (II.22).
var schema = [...][]int{
	0x00: {2, colString, colGUID, colGUID, colGUID},
	0x01: {colCoded + 10, colString, colString},
	0x02: {4, colString, colString, colCoded + 0, colTable + 0x04, colTable + 0x06},
	0x03: {colTable + 0x04},
	0x04: {2, colString, colBlob},
	0x05: {colTable + 0x06},
	0x06: {4, 2, 2, colString, colBlob, colTable + 0x08},
	0x07: {colTable + 0x08},
	0x08: {2, 2, colString},
	0x09: {colTable + 0x02, colCoded + 0},
	0x0a: {colCoded + 5, colString, colBlob},
	0x0b: {2, colCoded + 1, colBlob},
	0x0c: {colCoded + 2, colCoded + 9, colBlob},
	0x0d: {colCoded + 3, colBlob},
	0x0e: {2, colCoded + 4, colBlob},
	0x0f: {2, 4, colTable + 0x02},
	0x10: {4, colTable + 0x04},
	0x11: {colBlob},
	0x12: {colTable + 0x02, colTable + 0x14},
	0x13: {colTable + 0x14},
	0x14: {2, colString, colCoded + 0},
	0x15: {colTable + 0x02, colTable + 0x17},
	0x16: {colTable + 0x17},
	0x17: {2, colString, colBlob},
	0x18: {2, colTable + 0x06, colCoded + 6},
	0x19: {colTable + 0x02, colCoded + 7, colCoded + 7},
	0x1a: {colString},
	0x1b: {colBlob},
	0x1c: {2, colCoded + 8, colString, colTable + 0x1a},
	0x1d: {4, colTable + 0x04},
	0x1e: {4, 4},
	0x1f: {4},
	0x20: {4, 2, 2, 2, 2, 4, colBlob, colString, colString},
	0x21: {4},
	0x22: {4, 4, 4},
	0x23: {2, 2, 2, 2, 4, colBlob, colString, colString, colBlob},
}

const (
	tableAssembly    = 0x20
	tableAssemblyRef = 0x23
)

// tableStream is the header of the table stream (II.24.2.6).
type tableStream struct {
	heaps byte // which heaps are larger than 64 KiB
	rows  [64]uint32
}

func readTables(b, names []byte) (self Assembly, refs []Assembly, err error) {
	if len(b) < 24 {
		return Assembly{}, nil, errMetadata
	}
	t := tableStream{heaps: b[6]}
	valid := le.Uint64(b[8:])
	at := int64(24)
	for i := range t.rows {
		if valid>>i&1 == 1 {
			if at+4 > int64(len(b)) {
				return Assembly{}, nil, errMetadata
			}
			t.rows[i] = le.Uint32(b[at:])
			at += 4
		}
	}
	if t.heaps&0x40 != 0 {
		at += 4 // "extra data" of uncompressed metadata
	}
	for i := range schema {
		width, count := t.width(i), int64(t.rows[i])
		if at > int64(len(b)) || count > (int64(len(b))-at)/width {
			return Assembly{}, nil, errMetadata
		}
		rows := b[at : at+count*width]
		at += count * width
		switch i {
		case tableAssembly:
			if count > 0 {
				self = t.assembly(rows[4:], names, 4)
			}
		case tableAssemblyRef:
			for n := range min(count, maxAssemblies) {
				refs = append(refs, t.assembly(rows[n*width:], names, 4))
			}
		}
	}
	return self, refs, nil
}

// assembly decodes a row from its four version numbers on; gap is the flags between them and the public key.
func (t *tableStream) assembly(row, names []byte, gap int) Assembly {
	a := Assembly{Version: fmt.Sprintf("%d.%d.%d.%d", le.Uint16(row), le.Uint16(row[2:]), le.Uint16(row[4:]), le.Uint16(row[6:]))}
	at := 8 + gap + t.column(colBlob)
	a.Name = heapString(names, index(row[at:], t.column(colString)))
	a.Culture = heapString(names, index(row[at+t.column(colString):], t.column(colString)))
	return a
}

func index(b []byte, width int) int64 {
	if width == 4 {
		return int64(le.Uint32(b))
	}
	return int64(le.Uint16(b))
}

func heapString(heap []byte, at int64) string {
	if at >= int64(len(heap)) {
		return ""
	}
	s := string(heap[at:min(at+1024, int64(len(heap)))])
	if i := strings.IndexByte(s, 0); i >= 0 {
		return s[:i]
	}
	return ""
}

// width is the size of one row.
func (t *tableStream) width(table int) int64 {
	n := 0
	for _, c := range schema[table] {
		n += t.column(c)
	}
	return int64(n)
}

func (t *tableStream) column(c int) int {
	large := false
	switch {
	case c >= colCoded:
		k := codedIndexes[c-colCoded]
		for _, table := range k.tables {
			large = large || t.rows[table] >= 1<<(16-k.bits)
		}
	case c >= colTable:
		large = t.rows[c-colTable] >= 1<<16
	case c == colString:
		large = t.heaps&1 != 0
	case c == colGUID:
		large = t.heaps&2 != 0
	case c == colBlob:
		large = t.heaps&4 != 0
	default:
		return c
	}
	if large {
		return 4
	}
	return 2
}
