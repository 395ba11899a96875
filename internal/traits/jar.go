package traits

import (
	"archive/zip"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Jar is what the directory of a Java archive tells.
type Jar struct {
	Classes []Trait // sorted by hash, each once; Offset is that of the class's bytes, 0 when unknown
	Sum     uint64  // of all members' names, sizes and CRC-32: the same whatever the archive's own times, order and packing are
	Names   int
}

// maxMembersOfJar; the largest honest ones have two hundred thousand.
const maxMembersOfJar = 1 << 20

// ReadJar reads the directory of a Java archive and nothing else: the CRC-32 and size of a class, which stand there, tell it from others
// of its name as well as a longer digest would, and cost no unpacking. Who forges them hides a class; the archive's own digest is
// the proof where one is needed.
func ReadJar(r io.ReaderAt, size int64) (*Jar, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("read zip directory: %w", err)
	}
	if len(z.File) > maxMembersOfJar {
		return nil, fmt.Errorf("zip directory of %d members", len(z.File))
	}
	j := &Jar{}
	var lines []uint64
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		base := f.Name[strings.LastIndexByte(f.Name, '/')+1:]
		lines = append(lines, member(f.Name, f))
		if strings.HasSuffix(base, ".class") && base != "module-info.class" && base != "package-info.class" {
			j.Classes = append(j.Classes, Trait{Hash: member(base, f), Kind: 'c'})
		}
	}
	slices.Sort(lines)
	h := begin('j')
	for _, l := range lines {
		h = mix(h, l)
	}
	j.Sum, j.Names = finish(h), len(lines)
	slices.SortFunc(j.Classes, func(a, b Trait) int { return cmp.Compare(a.Hash, b.Hash) })
	j.Classes = slices.CompactFunc(j.Classes, func(a, b Trait) bool { return a.Hash == b.Hash })
	return j, nil
}

func member(name string, f *zip.File) uint64 {
	h := begin('c')
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * prime
	}
	return finish(mix(h, uint64(f.CRC32)<<32|f.UncompressedSize64&0xffffffff))
}

func mix(h, v uint64) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	for _, c := range b {
		h = (h ^ uint64(c)) * prime
	}
	return h
}
