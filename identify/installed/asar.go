package installed

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// ElectronArchive reads app.asar (electron/asar 3): the program's own package.json and those in its node_modules.
var ElectronArchive = biopsy.Extractor{
	Name:    "electron-asar",
	Basis:   biopsy.Manifest,
	Names:   []string{"*.asar"},
	Extract: electronArchive,
}

const maxAsarHeader = 64 << 20 // the JSON index; 100,000 files have some 12 MiB

// asarNode is a folder or a file of the index.
type asarNode struct {
	Files    map[string]*asarNode `json:"files,omitempty"`
	Offset   string               `json:"offset"` // decimal, behind the header
	Size     int64                `json:"size"`
	Unpacked bool                 `json:"unpacked"` // stands beside the archive, where the walk sees it
}

// asar is an opened archive.
type asar struct {
	in   biopsy.Input
	base int64 // where the files' bytes start
	say  func(c biopsy.Claim, confidence float64)
	bad  *several
}

func electronArchive(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	var h [16]byte
	if err := readFull(in, h[:], 0); err != nil {
		return err
	}
	// Four little-endian numbers of Chromium's pickle: 4, size of the header pickle, its payload, length of the JSON.
	size, length := int64(binary.LittleEndian.Uint32(h[4:])), int64(binary.LittleEndian.Uint32(h[12:]))
	if binary.LittleEndian.Uint32(h[:]) != 4 || length > maxAsarHeader || length > in.Size()-16 || size > in.Size()-8 || length > size {
		return errors.New("not an asar archive")
	}
	b := make([]byte, length)
	if err := readFull(in, b, 16); err != nil {
		return err
	}
	var root asarNode
	if err := json.Unmarshal(b, &root); err != nil {
		return fmt.Errorf("parse index: %w", err)
	}
	a := asar{in, 8 + size, sheet{in, "electron-asar", biopsy.Manifest, emit}.say, &several{}}
	a.walk(&root, "", 0)
	return a.bad.err()
}

// walk visits folders by name. A package that cannot be read costs itself only.
func (a asar) walk(n *asarNode, at string, depth int) {
	if depth > 256 {
		a.bad.add(fmt.Errorf("folders nested more than %d deep", depth))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(n.Files)) {
		f, p := n.Files[name], path.Join(at, name)
		if f == nil {
			continue
		}
		if f.Files != nil {
			a.walk(f, p, depth+1)
		} else if p == "package.json" || (name == "package.json" && nodeResolves(p)) {
			a.bad.add(a.module(f, p))
		}
	}
}

func (a asar) module(f *asarNode, p string) error {
	if f.Unpacked {
		return nil
	}
	off, err := strconv.ParseInt(f.Offset, 10, 64)
	if err != nil || off < 0 || f.Size < 0 || f.Size > maxZipEntry || off > a.in.Size()-a.base-f.Size {
		return fmt.Errorf("%s: %d bytes at offset %q lie outside the archive", p, f.Size, f.Offset)
	}
	b := make([]byte, f.Size)
	if err := readFull(a.in, b, a.base+off); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	c, err := readPackageJSON(b, strings.TrimSuffix(strings.TrimSuffix(p, "package.json"), "/"))
	if err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	if c.Name == "" || c.Version == "" {
		return nil
	}
	if c.State = biopsy.Embedded; p == "package.json" {
		c.Kind = biopsy.Application
	}
	a.say(c, sureProperties)
	return nil
}
