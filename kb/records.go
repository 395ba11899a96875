package kb

import (
	"encoding/binary"
	"encoding/json"
	"path"
	"strings"
)

// Component is what a book calls one piece of software, whatever its version.
type Component struct {
	Eco       string // purl type: "generic", "maven"
	Namespace string // "" in most
	Name      string
}

func (c Component) key() string { return c.Eco + "\x00" + c.Namespace + "\x00" + c.Name }

// Entry is one version of a component.
type Entry struct {
	Component `json:"-"`
	Version   string   `json:"version"`
	Licenses  []string `json:"licenses,omitempty"` // as the source of knowledge states them; empty when it does not
	Origins   []string `json:"origins,omitempty"`  // what was learned from: "deb openssl 3.0.17-1~deb12u2 amd64"
	Contains  []string `json:"contains,omitempty"` // names of components that its files hold inside them
}

// UnitKind is what sort of file a unit is.
type UnitKind byte

// The kinds.
const (
	Whole   UnitKind = iota // no file: the entry as a whole, for traits that many of its files have
	Program                 // runs by itself
	Library                 // is linked at run time
	Archive                 // is linked at build time
	Jar                     // Java archive
	Source                  // source file
	Other
)

// Unit is one learned file of an entry.
type Unit struct {
	Path   string // as in what was learned
	Kind   UnitKind
	Size   int64
	SHA256 [32]byte
	Traits int  // how many the book keeps of it that tell something
	Static bool // a program that needs no library
}

// Linked tells a file that can be linked into others: plug-ins are libraries too, but are not called lib.
func (u Unit) Linked() bool {
	return (u.Kind == Library || u.Kind == Archive) && strings.HasPrefix(path.Base(u.Path), "lib")
}

// Sizes of records.
const (
	componentSize = 16 // name offset u32, name length u32, first entry u32, entries u32
	entrySize     = 24 // component u32, JSON offset u32, length u32, first unit u32, units u32, traits u32
	unitSize      = 60 // entry u32, path offset u32, path length u16, kind u8, flags u8, traits u32, size u64, SHA-256, 4 bytes zero
)

const flagStatic = 1

func (b *Book) text(off, n uint32) []byte {
	if uint64(off)+uint64(n) > uint64(len(b.heap)) {
		return nil
	}
	return b.heap[off : off+n]
}

// ComponentOf returns the number of a unit's component, and of its entry.
func (b *Book) ComponentOf(unit uint32) (component, entry uint32) {
	e := b.unitOf[unit]
	return b.entryOf[e], e
}

// Component returns the component of that number.
func (b *Book) Component(i uint32) Component {
	r := b.comps[i*componentSize:]
	parts := strings.SplitN(string(b.text(u32(r), u32(r[4:]))), "\x00", 3)
	if len(parts) < 3 {
		return Component{} // damaged
	}
	return Component{parts[0], parts[1], parts[2]}
}

// EntriesOf returns the numbers of a component's entries, oldest version first: from first, below end.
func (b *Book) EntriesOf(component uint32) (first, end uint32) {
	r := b.comps[component*componentSize:]
	first, n := u32(r[8:]), u32(r[12:])
	if first > uint32(len(b.entryOf)) || n > uint32(len(b.entryOf))-first {
		return 0, 0 // damaged
	}
	return first, first + n
}

// Entry returns the entry of that number.
func (b *Book) Entry(i uint32) (Entry, error) {
	r := b.entries[i*entrySize:]
	e := Entry{Component: b.Component(u32(r))}
	if err := json.Unmarshal(b.text(u32(r[4:]), u32(r[8:])), &e); err != nil {
		return Entry{}, damaged("entry %d: %v", i, err)
	}
	return e, nil
}

// UnitsOf returns the numbers of an entry's units: from first, below end. The first is the Whole.
func (b *Book) UnitsOf(entry uint32) (first, end uint32) {
	r := b.entries[entry*entrySize:]
	first, n := u32(r[12:]), u32(r[16:])
	if first > uint32(len(b.unitOf)) || n > uint32(len(b.unitOf))-first {
		return 0, 0 // damaged
	}
	return first, first + n
}

// TraitsOf returns how many telling traits the book keeps of a unit, without decoding the rest.
func (b *Book) TraitsOf(unit uint32) int { return int(u32(b.units[unit*unitSize+12:])) }

// KindOf returns a unit's kind.
func (b *Book) KindOf(unit uint32) UnitKind { return UnitKind(b.units[unit*unitSize+10]) }

// Unit returns the unit of that number.
func (b *Book) Unit(i uint32) Unit {
	r := b.units[i*unitSize:]
	u := Unit{Path: string(b.text(u32(r[4:]), uint32(u16(r[8:])))), Kind: UnitKind(r[10]), Traits: int(u32(r[12:])), Size: int64(u64(r[16:])), Static: r[11]&flagStatic != 0}
	copy(u.SHA256[:], r[24:56])
	return u
}

func appendUnit(b []byte, entry, pathOff uint32, u *Unit) []byte {
	flags := byte(0)
	if u.Static {
		flags |= flagStatic
	}
	b = binary.LittleEndian.AppendUint32(b, entry)
	b = binary.LittleEndian.AppendUint32(b, pathOff)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(u.Path)))
	b = append(b, byte(u.Kind), flags)
	b = binary.LittleEndian.AppendUint32(b, uint32(u.Traits))
	b = binary.LittleEndian.AppendUint64(b, uint64(u.Size))
	b = append(b, u.SHA256[:]...)
	return binary.LittleEndian.AppendUint32(b, 0)
}

// Look finds the set of units that were learned with a trait.
func (b *Book) Look(x Index, hash uint64) (Set, bool) {
	off, ok := b.indexes[x].find(hash)
	return Set(off), ok
}

// Set is a set of units, by where it is kept. The zero Set is of traits that too many components have: it is known, and tells nothing.
type Set uint32

// Common tells a trait that too many components have.
func (s Set) Common() bool { return s == 0 }

// Units appends the numbers of the set's units to buf, ascending. A set that is damaged ends early.
func (b *Book) Units(s Set, buf []uint32) []uint32 {
	if uint64(s) >= uint64(len(b.sets)) || s == 0 {
		return buf
	}
	rest := b.sets[s:]
	n, w := binary.Uvarint(rest)
	if w <= 0 || n > maxUnits {
		return buf
	}
	rest = rest[w:]
	unit := uint64(0)
	for range n {
		d, w := binary.Uvarint(rest)
		if w <= 0 {
			return buf
		}
		rest = rest[w:]
		if unit += d; unit >= uint64(len(b.unitOf)) {
			return buf
		}
		buf = append(buf, uint32(unit))
	}
	return buf
}

func appendSet(b []byte, units []uint32) []byte {
	b = binary.AppendUvarint(b, uint64(len(units)))
	last := uint32(0)
	for _, u := range units {
		b = binary.AppendUvarint(b, uint64(u-last))
		last = u
	}
	return b
}
