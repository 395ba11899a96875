// Package pe reads the few parts of a Windows program that tell what it is, within bounds.
//
// What comes in: an io.ReaderAt and its size. What goes out: header facts, sections by name, version strings, the name and
// references of a .NET assembly (Microsoft PE Format, 2024; VS_VERSIONINFO of the Windows SDK; ECMA-335, 6th edition, II.22 and
// II.24). It never reads code, imports or signatures.
package pe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// File is a PE file whose headers were read.
type File struct {
	r        io.ReaderAt
	size     int64
	Machine  uint16
	Flags    uint16 // COFF characteristics
	DLLFlags uint16 // "DllCharacteristics": how the loader may treat it
	Sections []Section

	dirs [16]dir
}

// Section is one section header.
type Section struct {
	Name         string
	Addr, Span   uint32 // in memory
	Offset, Size uint32 // in the file
}

// dir is one data directory.
type dir struct{ addr, size uint32 }

// Flags that readers ask for.
const (
	IsDLL         = 0x2000 // COFF
	DynamicBase   = 0x0040 // DLL characteristics: may be loaded anywhere
	NXCompatible  = 0x0100
	dirResource   = 2
	dirSecurity   = 4
	dirCLI        = 14
	maxSections   = 1024
	maxResource   = 1 << 20 // one version resource
	maxMetadata   = 64 << 20
	maxAssemblies = 1 << 14
)

// ErrNot says that a file is no PE file; programs for DOS start alike.
var ErrNot = errors.New("not a PE file")

var le = binary.LittleEndian

// Open reads the headers.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size}
	dos, err := f.bytes(0, 64)
	if err != nil || string(dos[:2]) != "MZ" {
		return nil, ErrNot
	}
	at := int64(le.Uint32(dos[60:]))
	coff, err := f.bytes(at, 24)
	if err != nil || string(coff[:4]) != "PE\x00\x00" {
		return nil, ErrNot
	}
	f.Machine, f.Flags = le.Uint16(coff[4:]), le.Uint16(coff[22:])
	sections, optional := int(le.Uint16(coff[6:])), int64(le.Uint16(coff[20:]))
	if sections > maxSections {
		return nil, fmt.Errorf("%d sections", sections)
	}
	opt, err := f.bytes(at+24, optional)
	if err != nil {
		return nil, fmt.Errorf("optional header: %w", err)
	}
	f.optional(opt)
	table, err := f.bytes(at+24+optional, int64(sections)*40)
	if err != nil {
		return nil, fmt.Errorf("section headers: %w", err)
	}
	for ; len(table) >= 40; table = table[40:] {
		f.Sections = append(f.Sections, Section{Name: strings.TrimRight(string(table[:8]), "\x00"), Span: le.Uint32(table[8:]), Addr: le.Uint32(table[12:]),
			Size: le.Uint32(table[16:]), Offset: le.Uint32(table[20:])})
	}
	return f, nil
}

// optional takes the data directories of PE32 (magic 0x10b) and PE32+ (0x20b).
func (f *File) optional(b []byte) {
	if len(b) < 72 {
		return
	}
	f.DLLFlags = le.Uint16(b[70:])
	at := 96
	if le.Uint16(b) == 0x20b {
		at = 112
	}
	for i := range f.dirs {
		if len(b) < at+8*i+8 {
			return
		}
		f.dirs[i] = dir{le.Uint32(b[at+8*i:]), le.Uint32(b[at+8*i+4:])}
	}
}

// Signed tells whether the file carries a certificate table. Nobody checked the signature.
func (f *File) Signed() bool { return f.dirs[dirSecurity].size > 0 }

// Managed tells whether the file is a .NET assembly or module.
func (f *File) Managed() bool { return f.dirs[dirCLI].size >= 72 }

// Arch names the machine; "" for machines that are not listed.
func (f *File) Arch() string {
	switch f.Machine {
	case 0x14c:
		return "386"
	case 0x8664:
		return "amd64"
	case 0xaa64:
		return "arm64"
	case 0x1c0, 0x1c2, 0x1c4:
		return "arm"
	case 0x200:
		return "ia64"
	}
	return ""
}

// Data reads the section of a name; nil when there is none.
func (f *File) Data(name string, limit int64) ([]byte, error) {
	for _, s := range f.Sections {
		if s.Name == name {
			if int64(s.Size) > limit {
				return nil, fmt.Errorf("section %s: %d bytes", name, s.Size)
			}
			return f.bytes(int64(s.Offset), int64(s.Size))
		}
	}
	return nil, nil
}

// at reads n bytes at an address in memory.
func (f *File) at(addr uint32, n int64) ([]byte, error) {
	for _, s := range f.Sections {
		if addr >= s.Addr && addr-s.Addr < max(s.Span, s.Size) {
			return f.bytes(int64(s.Offset)+int64(addr-s.Addr), n)
		}
	}
	return nil, fmt.Errorf("address 0x%x lies in no section", addr)
}

func (f *File) bytes(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > f.size || n > f.size-off {
		return nil, fmt.Errorf("%d bytes at offset %d reach behind the end (%d bytes)", n, off, f.size)
	}
	b := make([]byte, n)
	if m, err := f.r.ReadAt(b, off); int64(m) < n {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read %d bytes at offset %d: %w", n, off, err)
	}
	return b, nil
}
