package installed

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/pe"
)

// DotnetBundle reads the deps.json inside a .NET single-file program (bundle format 1, 2 and 6: .NET Core 3 to .NET 10). The
// program's files are appended to a host, which knows where they start by a number in front of a fixed signature in its data.
var DotnetBundle = biopsy.Extractor{
	Name:    "dotnet-bundle",
	Basis:   biopsy.Binary,
	Head:    isProgram,
	Extract: dotnetBundle,
}

// bundleSignature is the SHA-256 of ".net core bundle" and a line feed.
var bundleSignature = []byte("\x8b\x12\x02\xb9\x6a\x61\x20\x38\x72\x7b\x93\x02\x14\xd7\xa0\x32\x13\xf5\xb9\xe6\xef\xae\x33\x18\xee\x3b\x2d\xce\x24\xb3\x6a\xae")

const (
	maxHost       = 32 << 20 // data of a host; the one with the runtime inside has 1 MiB of data in 12 MiB
	minBundle     = 4096     // appended bytes: less is padding or a signature
	maxBundleHead = 4 << 20  // header and list of files
	maxBundleSize = 1 << 36  // offsets beyond are no offsets
	maxFiles      = 1 << 16
)

var errBundle = errors.New("bad .NET bundle")

func dotnetBundle(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	at, err := bundleHeader(in)
	if err != nil || at == 0 {
		return err
	}
	name, b, err := bundledDeps(in, at)
	if err != nil || b == nil {
		return err
	}
	program := strings.TrimSuffix(path.Base(name), ".deps.json")
	if name == "" {
		program = strings.TrimSuffix(path.Base(in.Path), ".exe")
	}
	return sayDeps(sheet{in, "dotnet-bundle", biopsy.Binary, emit}, b, program, biopsy.Embedded)
}

// bundleHeader returns the offset of the bundle's header; 0 when the program is no bundle.
func bundleHeader(in biopsy.Input) (int64, error) {
	regions, end, err := hostData(in)
	if err != nil {
		return 0, err
	}
	for _, r := range regions {
		b := make([]byte, min(r.size, maxHost, in.Size()-r.offset))
		if err := readFull(in, b, r.offset); err != nil {
			return 0, err
		}
		if i := bytes.Index(b, bundleSignature); i >= 8 {
			at := binary.LittleEndian.Uint64(b[i-8:])
			switch {
			case at < uint64(end), at > maxBundleSize: // a host that carries nothing, or a program that only knows the signature
				return 0, nil
			case at > uint64(in.Size()-12):
				return 0, fmt.Errorf("header at offset %d: %w", at, errBundle)
			}
			return int64(at), nil
		}
	}
	return 0, nil
}

// region is a part of a file.
type region struct{ offset, size int64 }

// hostData returns where a program's data stands and where the program ends; nil when too little is appended to it for a bundle.
func hostData(in biopsy.Input) (parts []region, end int64, err error) {
	add := func(offset, size uint64, data bool) {
		if offset > uint64(in.Size()) || size > uint64(in.Size())-offset {
			return
		}
		end = max(end, int64(offset+size))
		if data {
			parts = append(parts, region{int64(offset), int64(size)})
		}
	}
	f, err := elf.Open(in.Content, in.Size())
	switch {
	case err == nil:
		for _, s := range f.Segs {
			add(s.Offset, s.Size, s.Type == elf.Load && s.Flags&elf.FlagW != 0)
		}
		add(uint64(f.SectionsEnd()), 0, false)
	case errors.Is(err, elf.ErrNot):
		f, err := pe.Open(in.Content, in.Size())
		if errors.Is(err, pe.ErrNot) {
			return nil, 0, nil // a DOS program, or one for macOS
		}
		if err != nil {
			return nil, 0, err
		}
		for _, s := range f.Sections {
			add(uint64(s.Offset), uint64(s.Size), s.Name == ".data")
		}
	default:
		return nil, 0, err
	}
	if in.Size()-end < minBundle {
		return nil, 0, nil
	}
	return parts, end, nil
}

// bundledDeps reads the header and returns the bytes of deps.json, nil when the bundle has none, and its name where that is told.
func bundledDeps(in biopsy.Input, at int64) (name string, b []byte, err error) {
	head := bytes.NewBuffer(make([]byte, min(in.Size()-at, maxBundleHead)))
	if err := readFull(in, head.Bytes(), at); err != nil {
		return "", nil, err
	}
	var fixed struct{ Major, Minor, Files uint32 }
	if err := binary.Read(head, binary.LittleEndian, &fixed); err != nil || fixed.Files > maxFiles {
		return "", nil, fmt.Errorf("header at offset %d: %w", at, errBundle)
	}
	if _, err := bundleString(head); err != nil { // the bundle's id
		return "", nil, err
	}
	switch fixed.Major {
	case 1:
		return firstDeps(in, head, int(fixed.Files))
	case 2, 6:
		var where struct{ Offset, Size int64 }
		if err := binary.Read(head, binary.LittleEndian, &where); err != nil {
			return "", nil, fmt.Errorf("header at offset %d: %w", at, errBundle)
		}
		b, err := bundled(in, where.Offset, where.Size)
		return "", b, err
	}
	return "", nil, fmt.Errorf("version %d.%d is not known: %w", fixed.Major, fixed.Minor, errBundle)
}

// firstDeps goes through the list of files that version 1 has instead of a pointer.
func firstDeps(in biopsy.Input, head *bytes.Buffer, files int) (string, []byte, error) {
	const depsType = 3
	for range files {
		var f struct {
			Offset, Size int64
			Type         uint8
		}
		if err := binary.Read(head, binary.LittleEndian, &f); err != nil {
			return "", nil, fmt.Errorf("list of files: %w", errBundle)
		}
		name, err := bundleString(head)
		if err != nil {
			return "", nil, err
		}
		if f.Type == depsType {
			b, err := bundled(in, f.Offset, f.Size)
			return name, b, err
		}
	}
	return "", nil, nil
}

func bundled(in biopsy.Input, offset, size int64) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	if offset < 0 || size < 0 || size > maxText || offset > in.Size()-size {
		return nil, fmt.Errorf("deps.json of %d bytes at offset %d: %w", size, offset, errBundle)
	}
	b := make([]byte, size)
	return b, readFull(in, b, offset)
}

// bundleString reads a string with its length in front, seven bits a byte.
func bundleString(b *bytes.Buffer) (string, error) {
	n, err := binary.ReadUvarint(b)
	if err != nil && !errors.Is(err, io.EOF) || n > 4096 || n > uint64(b.Len()) {
		return "", fmt.Errorf("string of %d bytes: %w", n, errBundle)
	}
	return string(b.Next(int(n))), nil
}
