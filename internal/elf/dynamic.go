package elf

import "fmt"

// Dyns is what the dynamic section says.
type Dyns struct {
	Soname  string
	Needed  []string // in the order of the file
	Runpath string   // DT_RUNPATH, else DT_RPATH
	PIE     bool     // DF_1_PIE: a program that loads anywhere, not a library
	Now     bool     // DF_BIND_NOW or DF_1_NOW: all symbols are bound before the program starts
}

// Tags of dynamic entries.
const (
	dtNull    = 0
	dtNeeded  = 1
	dtStrtab  = 5
	dtSoname  = 14
	dtRpath   = 15
	dtRunpath = 29
	dtBindNow = 24
	dtFlags   = 30
	dtFlags1  = 0x6ffffffb
	dfNow     = 0x8 // in DT_FLAGS
	df1Now    = 0x1 // in DT_FLAGS_1
	dfPIE     = 0x08000000
)

// Dynamic reads the dynamic segment. Strings that lie nowhere are left out. The zero Dyns is of files without the segment.
func (f *File) Dynamic() (Dyns, error) {
	for _, s := range f.Segs {
		if s.Type == Dynamic {
			return f.dynamic(s)
		}
	}
	return Dyns{}, nil
}

func (f *File) dynamic(s Segment) (Dyns, error) {
	entry := uint64(8)
	if f.wide {
		entry = 16
	}
	if s.Size/entry > maxDynamic {
		return Dyns{}, fmt.Errorf("dynamic segment: %d bytes", s.Size)
	}
	b, err := f.bytes(s.Offset, s.Size, nil)
	if err != nil {
		return Dyns{}, fmt.Errorf("dynamic segment: %w", err)
	}
	var d Dyns
	var soname, rpath, runpath, strtab uint64
	var needed []uint64
	for ; uint64(len(b)) >= entry; b = b[entry:] {
		tag, val := uint64(f.order.Uint32(b)), uint64(0)
		if f.wide {
			tag, val = f.order.Uint64(b), f.order.Uint64(b[8:])
		} else {
			val = uint64(f.order.Uint32(b[4:]))
		}
		if tag == dtNull {
			break
		}
		switch tag {
		case dtNeeded:
			needed = append(needed, val)
		case dtStrtab:
			strtab = val
		case dtSoname:
			soname = val
		case dtRpath:
			rpath = val
		case dtRunpath:
			runpath = val
		case dtBindNow:
			d.Now = true
		case dtFlags:
			d.Now = d.Now || val&dfNow != 0
		case dtFlags1:
			d.PIE, d.Now = val&dfPIE != 0, d.Now || val&df1Now != 0
		}
	}
	base, ok := f.offsetOf(strtab)
	if !ok {
		return d, nil
	}
	at := func(v uint64) string {
		if v == 0 {
			return ""
		}
		return f.text(base + v)
	}
	for _, v := range needed[:min(len(needed), 1024)] {
		if n := at(v); n != "" {
			d.Needed = append(d.Needed, n)
		}
	}
	d.Soname = at(soname)
	if d.Runpath = at(runpath); d.Runpath == "" {
		d.Runpath = at(rpath)
	}
	return d, nil
}

// offsetOf turns an address into a file offset.
func (f *File) offsetOf(addr uint64) (uint64, bool) {
	for _, s := range f.Segs {
		if s.Type == Load && addr >= s.Addr && addr-s.Addr < s.Size {
			return s.Offset + (addr - s.Addr), true
		}
	}
	return 0, false
}

// Note is one note.
type Note struct {
	Owner string // "GNU", "Go", "FDO"
	Type  uint32
	Desc  []byte
}

// Types of notes by owner.
const (
	GNUBuildID = 3          // "GNU"
	GoBuildID  = 4          // "Go"
	FDOPackage = 0xcafe1a7e // "FDO": JSON about the package (systemd's ELF package metadata)
)

const shtNote = 7

// Notes reads the note segments, or in files without segments the note sections, until visit returns false. Broken notes end
// their segment.
func (f *File) Notes(visit func(Note) bool) error {
	if len(f.Segs) > 0 {
		for _, s := range f.Segs {
			if s.Type == NoteSeg && s.Size <= maxNotes {
				if more, err := f.notes(s.Offset, s.Size, visit); err != nil || !more {
					return err
				}
			}
		}
		return nil
	}
	secs, err := f.Sections()
	for _, s := range secs {
		if s.Type == shtNote && s.Size <= maxNotes {
			if more, err := f.notes(s.Offset, s.Size, visit); err != nil || !more {
				return err
			}
		}
	}
	return err
}

func (f *File) notes(off, size uint64, visit func(Note) bool) (more bool, err error) {
	b, err := f.bytes(off, size, nil)
	if err != nil {
		return false, fmt.Errorf("notes: %w", err)
	}
	for len(b) >= 12 {
		nameLen, descLen := uint64(f.order.Uint32(b)), uint64(f.order.Uint32(b[4:]))
		n := Note{Type: f.order.Uint32(b[8:])}
		b = b[12:]
		// GNU tools align both parts to 4 bytes in both classes.
		namePad, descPad := (nameLen+3)&^3, (descLen+3)&^3
		if nameLen > uint64(len(b)) || namePad > uint64(len(b)) || descLen > uint64(len(b))-namePad {
			return true, nil
		}
		if n.Owner = string(b[:nameLen]); nameLen > 0 && n.Owner[nameLen-1] == 0 {
			n.Owner = n.Owner[:nameLen-1]
		}
		n.Desc = b[namePad : namePad+descLen]
		b = b[min(namePad+descPad, uint64(len(b))):]
		if n.Owner == "Go\x00" {
			n.Owner = "Go" // Go's linker pads inside the length
		}
		if !visit(n) {
			return false, nil
		}
	}
	return true, nil
}
