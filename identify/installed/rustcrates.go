package installed

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/pe"
)

// RustCrates finds crates in Rust programs that were built without cargo-auditable, by the source paths that panic messages keep:
// ".cargo/registry/src/index.crates.io-6f17d22bba15001f/regex-1.7.1/src/exec.rs". Crates that cannot panic stay unseen, and so do
// all in programs built with trimmed paths.
var RustCrates = biopsy.Extractor{
	Name:    "rust-crates",
	Basis:   biopsy.Binary,
	From:    biopsy.Standard, // all constants of a program are read
	Head:    isProgram,
	Extract: rustCrates,
}

const (
	maxConstants = 256 << 20 // bytes of one section; the largest program known has 60 MiB
	chunk        = 256 << 10
	maxCratePath = 512 // from "registry" to behind the crate's folder
	maxSeen      = 1 << 14
)

func rustCrates(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	at, size, err := constants(in)
	if err != nil || size == 0 {
		return err
	}
	seen := map[[2]string]bool{}
	buf := make([]byte, min(size, chunk+maxCratePath))
	for pos := int64(0); pos < size && len(seen) < maxSeen; pos += chunk {
		b := buf[:min(int64(len(buf)), size-pos)]
		if err := readFull(in, b, at+pos); err != nil {
			return err
		}
		cratePaths(b, seen)
	}
	s := sheet{in, "rust-crates", biopsy.Binary, emit}
	for _, k := range slices.SortedFunc(maps.Keys(seen), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		s.say(biopsy.Claim{Eco: "cargo", Name: k[0], Version: k[1], State: biopsy.Embedded, Scope: biopsy.Runtime}, sureManifest)
	}
	return nil
}

// constants returns where a program keeps its constants. Size 0 is of programs that tell better what they hold, or have no
// such section.
func constants(in biopsy.Input) (at, size int64, err error) {
	f, err := elf.Open(in.Content, in.Size())
	if errors.Is(err, elf.ErrNot) {
		return windowsConstants(in)
	}
	if err != nil {
		return 0, 0, err
	}
	told, _, err := f.Mentions(crateSection, ".go.buildinfo")
	if err != nil || told {
		return 0, 0, err
	}
	s, ok, err := f.Section(".rodata")
	if err != nil || !ok {
		return 0, 0, err
	}
	at, size = within(in, s.Offset, s.Size)
	return at, size, nil
}

func windowsConstants(in biopsy.Input) (at, size int64, err error) {
	f, err := pe.Open(in.Content, in.Size())
	if errors.Is(err, pe.ErrNot) {
		return 0, 0, nil
	}
	if err != nil || f.Managed() {
		return 0, 0, err
	}
	for _, s := range f.Sections {
		switch s.Name {
		case crateSection:
			return 0, 0, nil
		case ".rdata":
			at, size = within(in, uint64(s.Offset), uint64(s.Size))
		}
	}
	return at, size, nil
}

// within cuts a section down to what the file has and the limit allows.
func within(in biopsy.Input, offset, size uint64) (int64, int64) {
	if offset >= uint64(in.Size()) {
		return 0, 0
	}
	return int64(offset), int64(min(size, uint64(in.Size())-offset, maxConstants))
}

var (
	registry  = []byte("registry")
	crateName = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_-]*)-(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)$`)
	indexName = regexp.MustCompile(`^[A-Za-z0-9.-]+-[0-9a-f]{16}$`) // "github.com-1ecc6299db9ec823": host and hash of the index
)

// cratePaths adds the crates whose folders stand behind "registry" in b. A path cut off at the end is left to the next chunk, whose
// start overlaps.
func cratePaths(b []byte, seen map[[2]string]bool) {
	for {
		i := bytes.Index(b, registry)
		if i < 0 || i+len(registry) >= len(b) {
			return
		}
		b = b[i+len(registry):]
		if sep := b[0]; sep == '/' || sep == '\\' {
			if name, version, ok := crateFolder(string(b[1:min(len(b), maxCratePath-len(registry))]), sep); ok {
				seen[[2]string{name, version}] = true
			}
		}
	}
}

// crateFolder reads the crate of "src/INDEX/NAME-VERSION/" or, as Debian has it, "NAME-VERSION/".
func crateFolder(p string, sep byte) (name, version string, ok bool) {
	for range 3 {
		e, rest, more := strings.Cut(p, string(sep))
		if !more || len(e) > 128 {
			return "", "", false
		}
		if m := crateName.FindStringSubmatch(e); m != nil && !indexName.MatchString(e) {
			return m[1], m[2], true
		}
		if e != "src" && !indexName.MatchString(e) {
			return "", "", false
		}
		p = rest
	}
	return "", "", false
}
