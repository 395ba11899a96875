package kb

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/atomicfile"
	"github.com/biopsy-sca/biopsy/internal/table"
)

// Commit writes the book to path in one step. built is the time that the book says it was made at. The builder is empty afterwards.
func (b *Builder) Commit(path string, built time.Time) (snap biopsy.Book, err error) {
	data, err := b.Bytes(built)
	if err != nil {
		return snap, fmt.Errorf("write book of software %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return snap, fmt.Errorf("write book of software: %w", err)
	}
	if err := atomicfile.Write(path, func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
		return snap, fmt.Errorf("write book of software: %w", err)
	}
	book, err := FromBytes(data)
	if err != nil {
		return snap, err
	}
	return book.Snapshot(), nil
}

// Bytes returns the book as it would be written. The same knowledge, learned in any order, gives the same bytes.
func (b *Builder) Bytes(built time.Time) ([]byte, error) {
	g, err := b.gather()
	if err = errors.Join(err, b.sorter.Close()); err != nil {
		return nil, err
	}
	g.subtract()
	w := &writer{groups: g, builder: b}
	out := w.write(built)
	return out, b.Close()
}

// number gives components, entries and units their numbers: by name, by version, by path.
func (b *Builder) number() ([]*draft, []*learned) {
	drafts := slices.SortedFunc(maps.Values(b.entries), func(x, y *draft) int {
		return cmp.Or(cmp.Compare(x.key(), y.key()), order(x.Version, y.Version))
	})
	var units []*learned
	for _, d := range drafts {
		slices.SortFunc(d.files, func(x, y *learned) int {
			return cmp.Or(cmp.Compare(x.Path, y.Path), slices.Compare(x.SHA256[:], y.SHA256[:]), cmp.Compare(x.Kind, y.Kind))
		})
		units = append(append(units, d.whole), d.files...)
	}
	return drafts, units
}

// order is that of versions, and of their texts when these do not tell.
func order(x, y string) int {
	n, err := eco.Compare("Upstream", x, y)
	if err != nil || n == 0 {
		return cmp.Compare(x, y)
	}
	return n
}

// group is one trait and where it was seen.
type group struct {
	hash     uint64
	from, to uint32 // in groups.units
	index    Index
	common   bool
}

// groups are all traits of a builder, with units by their numbers in the book.
type groups struct {
	drafts []*draft
	all    []*learned // units by number
	comp   []uint32   // component by unit
	list   []group
	units  []uint32 // ascending in each group
}

// gather sorts what was learned into groups.
func (b *Builder) gather() (*groups, error) {
	g := &groups{}
	g.drafts, g.all = b.number()
	number := make([]uint32, len(b.units))
	comp, last := uint32(0), ""
	for i, u := range g.all {
		number[u.id] = uint32(i)
		if k := u.draft.key(); i == 0 || k != last {
			if i > 0 {
				comp++
			}
			last = k
		}
		g.comp = append(g.comp, comp)
	}
	var wrong []uint32 // components for which the text before a version is followed by another one too
	start := func(x Index, hash uint64) {
		g.close(wrong)
		wrong = wrong[:0]
		g.list = append(g.list, group{index: x, hash: hash, from: uint32(len(g.units))})
	}
	err := b.sorter.Each(func(key, _ []byte) error {
		x, hash, id, flag := Index(key[0]), binary.BigEndian.Uint64(key[1:]), binary.BigEndian.Uint32(key[9:]), key[13]
		if n := len(g.list); n == 0 || g.list[n-1].index != x || g.list[n-1].hash != hash {
			start(x, hash)
		}
		switch {
		case id == commonUnit:
			g.list[len(g.list)-1].common = true
		case x == Versions && flag == 0:
			wrong = append(wrong, g.comp[number[id]])
		default:
			g.units = append(g.units, number[id])
		}
		return nil
	})
	g.close(wrong)
	return g, err
}

// close ends the group at hand.
func (g *groups) close(wrong []uint32) {
	n := len(g.list)
	if n == 0 {
		return
	}
	last := &g.list[n-1]
	u := g.units[last.from:]
	slices.Sort(u)
	u = slices.Compact(u)
	if last.index == Versions {
		u = g.trusted(u, wrong)
	}
	g.units = g.units[:int(last.from)+len(u)]
	last.to = uint32(len(g.units))
	if len(u) == 0 && !last.common {
		g.list = g.list[:n-1]
	}
}

// trusted keeps the entries of components for which a text stands before their version and before nothing else: in several versions, or,
// where there is but one, a single witness is not enough.
func (g *groups) trusted(units, wrong []uint32) []uint32 {
	return slices.DeleteFunc(units, func(u uint32) bool { return slices.Contains(wrong, g.comp[u]) })
}

// components calls visit for every run of units of one component.
func (g *groups) components(units []uint32) int {
	n, last := 0, uint32(0)
	for i, u := range units {
		if c := g.comp[u]; i == 0 || c != last {
			n, last = n+1, c
		}
	}
	return n
}

// writer lays out one book.
type writer struct {
	*groups
	builder *Builder
	heap    []byte
	sets    []byte
	have    map[string]uint32
	traits  []uint32 // telling ones, by unit
	parts   []section
	out     []byte
}

func (w *writer) write(built time.Time) []byte {
	w.out = make([]byte, headerSize)
	w.sets, w.have, w.traits = []byte{0}, map[string]uint32{}, make([]uint32, len(w.all))
	indexes := w.indexes()
	comps, entries, units := w.records()
	meta, err := json.Marshal(contents{Name: strings.TrimSpace(w.builder.Name + " software"), Entries: len(w.drafts)})
	if err != nil {
		meta = []byte("{}") // a string and a number cannot fail
	}
	w.part("contents", meta, 1)
	w.part("comps", comps, componentSize)
	w.part("entries", entries, entrySize)
	w.part("units", units, unitSize)
	w.part("heap", w.heap, 1)
	w.part("sets", w.sets, 1)
	for x, rows := range indexes {
		if len(rows) > 0 {
			w.part(indexTags[x], appendIndex(nil, rows), 1)
			w.parts[len(w.parts)-1].Rows = uint64(len(rows))
		}
	}
	h := header{Size: uint64(len(w.out)), Built: built.Unix(), Sections: w.parts, Digest: sha256.Sum256(w.out[headerSize:])}
	copy(w.out, h.bytes())
	return w.out
}

func (w *writer) part(tag string, b []byte, record int) {
	w.out = append(w.out, make([]byte, -len(w.out)&7)...)
	w.parts = append(w.parts, section{Tag: tag, Offset: uint64(len(w.out)), Size: uint64(len(b)), Rows: uint64(len(b) / record), CRC: table.CRC(b)})
	w.out = append(w.out, b...)
}

// indexes makes the rows of all indexes, and the sets they refer to.
func (w *writer) indexes() (all [Indexes][]row) {
	var buf []uint32
	for i := range w.list {
		g := &w.list[i]
		r := row{hash: g.hash}
		if units := w.groups.units[g.from:g.to]; !g.common {
			names := w.components(units)
			if buf = w.shorten(units, buf[:0]); names <= maxNames && len(buf) <= maxUnits {
				r.set = w.set(buf)
				w.count(g.index, names, buf)
			}
		}
		all[g.index] = append(all[g.index], r)
	}
	return all
}

// shorten keeps many units of one entry as that entry's whole.
func (w *writer) shorten(units, buf []uint32) []uint32 {
	for i := 0; i < len(units); {
		d := w.all[units[i]].draft
		end := i + 1
		for end < len(units) && w.all[units[end]].draft == d {
			end++
		}
		if end-i > maxOfEntry {
			buf = append(buf, units[i]-w.before(units[i]))
		} else {
			buf = append(buf, units[i:end]...)
		}
		i = end
	}
	return buf
}

// before tells how many units stand between a unit and its entry's whole.
func (w *writer) before(unit uint32) uint32 {
	n := uint32(0)
	for w.all[unit-n].Kind != Whole {
		n++
	}
	return n
}

func (w *writer) set(units []uint32) uint32 {
	b := appendSet(nil, units)
	if at, ok := w.have[string(b)]; ok {
		return at
	}
	at := uint32(len(w.sets))
	w.have[string(b)] = at
	w.sets = append(w.sets, b...)
	return at
}

func (w *writer) count(x Index, names int, units []uint32) {
	if x != Traits && x != Classes || names > TellNames {
		return
	}
	for _, u := range units {
		w.traits[u]++
	}
}

func (w *writer) records() (comps, entries, units []byte) {
	unit, first, last := uint32(0), uint32(0), ""
	for i, d := range w.drafts {
		if k := d.key(); i == 0 || k != last {
			if i > 0 {
				comps = w.component(comps, last, first, uint32(i))
			}
			first, last = uint32(i), k
		}
		meta, err := json.Marshal(d.Entry)
		if err != nil {
			meta = []byte("{}") // strings cannot fail
		}
		n := uint32(1 + len(d.files))
		entries = binary.LittleEndian.AppendUint32(entries, w.comp[unit])
		entries = binary.LittleEndian.AppendUint32(entries, w.keep(string(meta)))
		entries = binary.LittleEndian.AppendUint32(entries, uint32(len(meta)))
		entries = binary.LittleEndian.AppendUint32(entries, unit)
		entries = binary.LittleEndian.AppendUint32(entries, n)
		entries = binary.LittleEndian.AppendUint32(entries, w.traits[unit])
		for range n {
			u := w.all[unit].Unit
			u.Traits = int(w.traits[unit])
			units = appendUnit(units, uint32(i), w.keep(u.Path), &u)
			unit++
		}
	}
	if len(w.drafts) > 0 {
		comps = w.component(comps, last, first, uint32(len(w.drafts)))
	}
	return comps, entries, units
}

func (w *writer) component(b []byte, key string, first, end uint32) []byte {
	b = binary.LittleEndian.AppendUint32(b, w.keep(key))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(key)))
	b = binary.LittleEndian.AppendUint32(b, first)
	return binary.LittleEndian.AppendUint32(b, end-first)
}

// keep puts a text on the heap, once.
func (w *writer) keep(s string) uint32 {
	k := "heap\x00" + s
	if at, ok := w.have[k]; ok {
		return at
	}
	at := uint32(len(w.heap))
	w.have[strings.Clone(k)] = at
	w.heap = append(w.heap, s...)
	return at
}
