package installed

import (
	"bytes"
	"compress/zlib"
	"context"
	"debug/macho"
	"encoding/json"
	"errors"
	"fmt"
	"path"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/pe"
)

// RustBinary reads the crates that cargo-auditable (format 0.2 and 1.0, 2020 and 2025) puts into section .dep-v0 of programs:
// zlib-packed JSON with versions and edges.
var RustBinary = biopsy.Extractor{
	Name:    "rust-binary",
	Basis:   biopsy.Binary,
	Head:    isProgram,
	Extract: rustBinary,
}

const (
	crateSection = ".dep-v0"
	maxCrates    = 8 << 20 // packed and unpacked; 1,000 crates have some 100 KiB
)

type crate struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Source  string `json:"source"` // "crates.io", "git", "local", "registry"
	Kind    string `json:"kind"`   // "" is runtime, else "build"
	Needs   []int  `json:"dependencies"`
	Root    bool   `json:"root"`
}

func rustBinary(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	packed, err := sectionOf(in, crateSection, maxCrates)
	if err != nil || packed == nil {
		return err
	}
	crates, err := readCrates(packed)
	if err != nil {
		return err
	}
	sayCrates(sheet{in, "rust-binary", biopsy.Binary, emit}, crates)
	return nil
}

// sectionOf reads a section of a program of any format; nil when it has none of that name.
func sectionOf(in biopsy.Input, name string, limit uint64) ([]byte, error) {
	f, err := elf.Open(in.Content, in.Size())
	switch {
	case errors.Is(err, elf.ErrNot):
		return otherSection(in, name, limit)
	case err != nil:
		return nil, err
	}
	if found, _, err := f.Mentions(name); err != nil || !found {
		return nil, err
	}
	s, ok, err := f.Section(name)
	if err != nil || !ok {
		return nil, err
	}
	return f.Data(s, limit)
}

// otherSection reads a section of a PE or Mach-O file.
func otherSection(in biopsy.Input, name string, limit uint64) ([]byte, error) {
	var head [4]byte
	if err := readFull(in, head[:], 0); err != nil {
		return nil, err
	}
	switch {
	case string(head[:2]) == "MZ":
		f, err := pe.Open(in.Content, in.Size())
		if errors.Is(err, pe.ErrNot) {
			return nil, nil // DOS programs start so too
		}
		if err != nil {
			return nil, err
		}
		return f.Data(name, int64(limit))
	case isMacho(head[:]):
		f, err := macho.NewFile(in.Content)
		if err != nil {
			return nil, fmt.Errorf("read mach-o: %w", err)
		}
		if s := f.Section(name); s != nil && s.Size <= limit {
			return s.Data()
		}
	}
	return nil, nil
}

// readCrates unpacks and checks the list. Edges that point nowhere are an error: nothing else in it could be trusted.
func readCrates(packed []byte) ([]crate, error) {
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", crateSection, err)
	}
	b, err := limited(z, 8*int64(len(packed)), maxCrates, crateSection)
	if err != nil {
		return nil, err
	}
	var list struct {
		Packages []crate `json:"packages"`
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("parse %s: %w", crateSection, err)
	}
	for _, c := range list.Packages {
		for _, n := range c.Needs {
			if n < 0 || n >= len(list.Packages) {
				return nil, fmt.Errorf("parse %s: %s needs crate %d of %d", crateSection, c.Name, n, len(list.Packages))
			}
		}
	}
	return list.Packages, nil
}

func sayCrates(s sheet, crates []crate) {
	purls := make([]string, len(crates))
	for i, c := range crates {
		purls[i] = eco.Purl("cargo", "", c.Name, c.Version)
	}
	for i, k := range crates {
		if k.Name == "" {
			continue
		}
		c := biopsy.Claim{Eco: "cargo", Name: k.Name, Version: k.Version, Purl: purls[i], State: biopsy.Embedded, Scope: biopsy.Runtime}
		if k.Kind == "build" {
			c.Scope = biopsy.Development
		}
		c.Extra = map[string]string{}
		if k.Root {
			c.Kind, c.State = biopsy.Application, biopsy.Installed
			c.Extra["rust:program"] = path.Base(s.in.Path)
		}
		if k.Source != "" && k.Source != "crates.io" {
			c.Extra["rust:source"] = k.Source
		}
		for _, n := range k.Needs {
			c.Needs = append(c.Needs, biopsy.Need{Purl: purls[n], Scope: biopsy.Runtime})
		}
		s.say(c, sureProperties)
	}
}
