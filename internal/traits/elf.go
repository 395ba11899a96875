package traits

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy/internal/elf"
)

// Types and flags of sections (gABI 4.3, chapter 4).
const (
	progbits   = 1
	symtab     = 2
	dynsym     = 11
	verdef     = 0x6ffffffd
	flagAlloc  = 2
	flagExec   = 4
	maxSymbols = 64 << 20 // bytes of one symbol table, and of one table of names: three million symbols
)

// madeOfCode are sections that a compiler writes about its code: another compiler writes others.
var madeOfCode = map[string]bool{".interp": true, ".eh_frame": true, ".eh_frame_hdr": true, ".gcc_except_table": true, ".got": true, ".got.plt": true}

// elf collects the traits of an ELF file that lies at a range of the file: the file itself, or a member of an archive.
func (c *collector) elf(off, size int64) error {
	r := io.NewSectionReader(c.r, off, size)
	f, err := elf.Open(r, size)
	if err != nil {
		return err
	}
	d, err := f.Dynamic()
	var all problems
	all.add(err)
	c.linking(f, d)
	secs, err := f.Sections()
	all.add(err)
	if len(secs) < 2 {
		all.add(c.segments(f, off, size))
		return all.err()
	}
	for i := range secs {
		s := &secs[i]
		switch {
		case s.Type == progbits && s.Flags&flagAlloc != 0 && s.Flags&flagExec == 0 && !madeOfCode[s.Name]:
			if s.Offset > uint64(size) || s.Size > uint64(size)-s.Offset {
				all.add(fmt.Errorf("section %s: %d bytes at offset %d reach behind the end (%d bytes)", s.Name, s.Size, s.Offset, size))
				continue
			}
			all.add(c.data(span{off + int64(s.Offset), int64(s.Size)}))
		case s.Type == dynsym, s.Type == symtab && f.Type == elf.Rel:
			all.add(c.symbols(f, secs, s, off))
		case s.Type == verdef:
			all.add(c.versions(f, secs, s, off))
		}
	}
	return all.err()
}

// linking notes what the file says of itself as a whole.
func (c *collector) linking(f *elf.File, d elf.Dyns) {
	c.file.Soname, c.file.Needed = d.Soname, d.Needed
	interp := f.Interp() != ""
	c.file.Library = f.Type == elf.Rel || f.Type == elf.Dyn && d.Soname != ""
	c.file.Static = !c.file.Library && !interp && len(d.Needed) == 0
	if d.Soname != "" {
		c.add(Trait{Hash: Of(Soname, d.Soname), Kind: Soname})
	}
}

// segments reads a file without sections: everything that is loaded and is not code, or, where code and data share a segment, all of it.
func (c *collector) segments(f *elf.File, off, size int64) error {
	var all problems
	split := slices.ContainsFunc(f.Segs, func(s elf.Segment) bool {
		return s.Type == elf.Load && s.Flags&(elf.FlagX|elf.FlagW) == 0 && s.Offset > 0
	})
	for _, s := range f.Segs {
		if s.Type != elf.Load || s.Size == 0 || split && s.Flags&elf.FlagX != 0 {
			continue
		}
		if s.Offset > uint64(size) {
			all.add(fmt.Errorf("segment at offset %d lies behind the end (%d bytes)", s.Offset, size))
			continue
		}
		all.add(c.data(span{off + int64(s.Offset), int64(min(s.Size, uint64(size)-s.Offset))}))
	}
	return all.err()
}

// Bindings and section indexes of symbols.
const (
	bindLocal  = 0
	bindWeak   = 2
	bindUnique = 10 // STB_GNU_UNIQUE
	undefined  = 0
	typeFile   = 4
)

// symbols collects the names that a symbol table defines.
func (c *collector) symbols(f *elf.File, secs []elf.Section, s *elf.Section, off int64) error {
	names, at, err := linked(f, secs, s)
	if err != nil || names == nil {
		return err
	}
	b, err := f.Data(*s, maxSymbols)
	if err != nil {
		return err
	}
	entry := 16
	if f.Wide() {
		entry = 24
	}
	o := f.Order()
	for ; len(b) >= entry; b = b[entry:] {
		info, shndx := b[12], o.Uint16(b[14:])
		if f.Wide() {
			info, shndx = b[4], o.Uint16(b[6:])
		}
		if info>>4 == bindLocal || shndx == undefined || info&15 == typeFile {
			continue
		}
		name := o.Uint32(b)
		text := cstring(names, name)
		if len(text) < 3 || len(text) > 1024 {
			continue
		}
		// Templates and inline functions of C++ stand in every file that uses them, weak; they say what is used.
		if b := info >> 4; (b == bindWeak || b == bindUnique) && strings.HasPrefix(text, "_Z") {
			continue
		}
		if !c.add(Trait{Hash: Of(Define, text), Offset: off + at + int64(name), Size: int32(len(text)), Kind: Define}) {
			return nil
		}
	}
	return nil
}

// linked returns the table of names that belongs to a section, and its offset; nil when the file names none.
func linked(f *elf.File, secs []elf.Section, s *elf.Section) ([]byte, int64, error) {
	if int(s.Link) >= len(secs) {
		return nil, 0, nil
	}
	t := secs[s.Link]
	b, err := f.Data(t, maxSymbols)
	return b, int64(t.Offset), err
}

func cstring(table []byte, at uint32) string {
	if int64(at) >= int64(len(table)) {
		return ""
	}
	t := table[at:]
	for i, ch := range t {
		if ch == 0 {
			return string(t[:i])
		}
	}
	return ""
}

// versions collects the names of symbol versions that a library defines (Verdef of the Linux Standard Base 5.0, chapter 10.7).
func (c *collector) versions(f *elf.File, secs []elf.Section, s *elf.Section, off int64) error {
	names, at, err := linked(f, secs, s)
	if err != nil || names == nil {
		return err
	}
	b, err := f.Data(*s, maxSymbols)
	if err != nil {
		return err
	}
	o := f.Order()
	for len(b) >= 20 {
		aux, next := o.Uint32(b[12:]), o.Uint32(b[16:])
		if int64(aux)+8 <= int64(len(b)) {
			name := o.Uint32(b[aux:])
			if text := cstring(names, name); len(text) > 2 {
				c.add(Trait{Hash: Of(Soname, text), Offset: off + at + int64(name), Size: int32(len(text)), Kind: Soname})
			}
		}
		if next == 0 || int64(next) > int64(len(b)) {
			break
		}
		b = b[next:]
	}
	return nil
}

// problems are errors of parts; a few are kept.
type problems struct{ list []error }

func (p *problems) add(err error) {
	if err != nil && len(p.list) < 4 {
		p.list = append(p.list, err)
	}
}

func (p *problems) err() error { return errors.Join(p.list...) }
