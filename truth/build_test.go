package truth

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// part is one file that is built into another.
type part struct {
	name string
	data []byte
}

// take removes the files below a folder from the stage and returns them by name.
func take(stage map[string][]byte, folder string) []part {
	var parts []part
	for _, name := range slices.Sorted(maps.Keys(stage)) {
		if rest, ok := strings.CutPrefix(name, folder); ok {
			parts = append(parts, part{rest, stage[name]})
			delete(stage, name)
		}
	}
	return parts
}

func zipped(parts []part) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, p := range parts {
		f, err := w.Create(p.name)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(p.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

func tarred(parts []part) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, p := range parts {
		if err := w.WriteHeader(&tar.Header{Name: p.name, Size: int64(len(p.data)), Mode: 0o644}); err != nil {
			return nil, err
		}
		if _, err := w.Write(p.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data) // a bytes.Buffer takes all
	w.Close()
	return b.Bytes()
}

func targzipped(parts []part) ([]byte, error) {
	b, err := tarred(parts)
	return gzipped(b), err
}

// archived writes the common ar format, in the spelling of dpkg-deb: a .deb when its parts are debian-binary, control.tar.gz and
// data.tar.gz, which dpkg wants in this order.
func archived(parts []part) ([]byte, error) {
	slices.SortStableFunc(parts, func(a, b part) int {
		return strings.Compare(strings.TrimPrefix(a.name, "debian-"), strings.TrimPrefix(b.name, "debian-"))
	})
	b := []byte("!<arch>\n")
	for _, p := range parts {
		if len(p.name) > 16 {
			return nil, fmt.Errorf("%s: longer than 16 bytes", p.name)
		}
		b = fmt.Appendf(b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", p.name, 0, 0, 0, "100644", len(p.data))
		b = append(b, p.data...)
		if len(p.data)%2 == 1 {
			b = append(b, '\n')
		}
	}
	return b, nil
}

// cpioed writes the "newc" format that an initramfs is in.
func cpioed(parts []part) ([]byte, error) {
	var b []byte
	pad := func() {
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	for i, p := range append(parts, part{name: "TRAILER!!!"}) {
		b = fmt.Appendf(b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
			i+1, 0o100644, 0, 0, 1, 0, len(p.data), 0, 0, 0, 0, len(p.name)+1, 0)
		b = append(append(b, p.name...), 0)
		pad()
		b = append(b, p.data...)
		pad()
	}
	return b, nil
}

// imaged writes what "docker save" writes. The first folder of each part is its layer, oldest first.
func imaged(parts []part) ([]byte, error) {
	layers := map[string][]part{}
	for _, p := range parts {
		layer, name, _ := strings.Cut(p.name, "/")
		layers[layer] = append(layers[layer], part{name, p.data})
	}
	var out []part
	var diffs, names []string
	for _, l := range slices.Sorted(maps.Keys(layers)) {
		b, err := tarred(layers[l])
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(b)
		diffs = append(diffs, "sha256:"+hex.EncodeToString(sum[:]))
		names = append(names, hex.EncodeToString(sum[:])+"/layer.tar")
		out = append(out, part{names[len(names)-1], b})
	}
	config, err := json.Marshal(map[string]any{
		"architecture": "amd64", "os": "linux", "rootfs": map[string]any{"type": "layers", "diff_ids": diffs},
	})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(config)
	name := hex.EncodeToString(sum[:]) + ".json"
	manifest, err := json.Marshal([]any{map[string]any{"Config": name, "RepoTags": []string{"truth:1"}, "Layers": names}})
	if err != nil {
		return nil, err
	}
	return tarred(append(out, part{name, config}, part{"manifest.json", manifest}))
}

// linked writes a 64-bit little-endian ELF program whose sections are the parts, each in the encoding its producer uses: the text of
// .go.buildinfo as the Go linker writes it, .dep-v0 as cargo-auditable does, .note.* with owner "FDO"; all else as it is.
func linked(parts []part) ([]byte, error) {
	const header, segment, section, base = 64, 56, 64, 0x400000
	body, names := make([]byte, header+segment*(1+len(parts))), []byte("\x00")
	heads, segments := []elf.Section64{{}}, []elf.Prog64{}
	add := func(name string, kind elf.SectionType, flags elf.SectionFlag, data []byte) {
		for len(body)%16 != 0 {
			body = append(body, 0)
		}
		heads = append(heads, elf.Section64{Name: uint32(len(names)), Type: uint32(kind), Flags: uint64(flags),
			Addr: uint64(base + len(body)), Off: uint64(len(body)), Size: uint64(len(data)), Addralign: 16})
		body, names = append(body, data...), append(append(names, name...), 0)
	}
	for _, p := range parts {
		switch {
		case p.name == ".go.buildinfo":
			add(p.name, elf.SHT_PROGBITS, elf.SHF_ALLOC|elf.SHF_WRITE, goBuildInfo(p.data))
		case p.name == ".dep-v0":
			var z bytes.Buffer
			w := zlib.NewWriter(&z)
			w.Write(p.data) // a bytes.Buffer takes all
			w.Close()
			add(p.name, elf.SHT_PROGBITS, 0, z.Bytes())
		case strings.HasPrefix(p.name, ".note."):
			add(p.name, elf.SHT_NOTE, elf.SHF_ALLOC, packageNote(p.data))
			at := heads[len(heads)-1]
			segments = append(segments, elf.Prog64{Type: uint32(elf.PT_NOTE), Flags: uint32(elf.PF_R), Off: at.Off, Vaddr: at.Addr,
				Paddr: at.Addr, Filesz: at.Size, Memsz: at.Size, Align: 4})
		default:
			add(p.name, elf.SHT_PROGBITS, elf.SHF_ALLOC, p.data)
		}
	}
	table := append(slices.Clone(names), ".shstrtab\x00"...)
	add(".shstrtab", elf.SHT_STRTAB, 0, table)
	for len(body)%16 != 0 {
		body = append(body, 0)
	}
	var tail bytes.Buffer
	binary.Write(&tail, binary.LittleEndian, heads) // a bytes.Buffer takes all
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Entry: base, Phoff: header, Shoff: uint64(len(body)),
		Ehsize: header, Phentsize: segment, Phnum: uint16(1 + len(segments)), Shentsize: section, Shnum: uint16(len(heads)), Shstrndx: uint16(len(heads) - 1)}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	all := elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Vaddr: base, Paddr: base,
		Filesz: uint64(len(body)), Memsz: uint64(len(body)), Align: 4096}
	var front bytes.Buffer
	binary.Write(&front, binary.LittleEndian, h) // as above
	binary.Write(&front, binary.LittleEndian, append(segments, all))
	copy(body, front.Bytes())
	return append(body, tail.Bytes()...), nil
}

// goBuildInfo writes the form of Go 1.18 and later: the first line is the version of Go, all else is the module information between
// its sixteen-byte marks.
func goBuildInfo(text []byte) []byte {
	version, mods, _ := strings.Cut(string(text), "\n")
	b := make([]byte, 32)
	copy(b, "\xff Go buildinf:")
	b[14], b[15] = 8, 2 // size of a pointer, flag: strings follow
	mods = strings.Repeat("\x30", 16) + mods + strings.Repeat("\x31", 16)
	for _, s := range []string{version, mods} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

// packageNote writes an ELF note as systemd's "package metadata for executables" has it.
func packageNote(text []byte) []byte {
	text = append(bytes.TrimSpace(text), 0)
	b := binary.LittleEndian.AppendUint32(nil, 4)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	b = binary.LittleEndian.AppendUint32(b, 0xcafe1a7e)
	b = append(append(b, "FDO\x00"...), text...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
