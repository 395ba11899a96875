package installed

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/nameset"
)

// goSymbols reads the names of all functions that Go's linker put into a program, inlined ones too, by the path of their module ("" is
// the standard library). They stand in the line table, which stripping leaves alone (cmd/link/internal/ld/pcln.go, Go 1.16 and later).
// nil when the program has no such table.
func goSymbols(in biopsy.Input, info *debug.BuildInfo) (map[string]*nameset.Set, error) {
	at, size, err := goNames(in)
	if err != nil || size == 0 {
		return nil, err
	}
	byModule := map[string]*nameset.Set{"": {}}
	for _, path := range modulePaths(info) {
		byModule[path] = &nameset.Set{}
	}
	for _, s := range byModule {
		s.Add("") // a module of which nothing is left has a set too
	}
	r := bufio.NewReaderSize(io.NewSectionReader(in.Content, at, size), 64<<10)
	var pkg string // of the name before: neighbours share it
	var set *nameset.Set
	for {
		name, err := r.ReadSlice(0)
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil, errors.New("go line table: a function's name has no end")
		}
		if errors.Is(err, io.EOF) {
			return byModule, nil
		}
		if err != nil {
			return nil, err
		}
		p, symbol, ok := goSymbol(name[:len(name)-1])
		if !ok {
			continue
		}
		if set == nil || string(p) != pkg {
			pkg = string(p)
			set = moduleOf(byModule, packagePath(pkg, info))
			set.Add(packagePath(pkg, info))
		}
		addSymbol(set, packagePath(pkg, info), symbol)
	}
}

func modulePaths(info *debug.BuildInfo) []string {
	paths := []string{info.Main.Path}
	for _, m := range info.Deps {
		if m != nil {
			paths = append(paths, m.Path)
		}
	}
	return paths
}

// packagePath undoes the linker's escapes in the last element ("gopkg.in/yaml%2ev2") and names the main package.
func packagePath(pkg string, info *debug.BuildInfo) string {
	if pkg == "main" && info.Path != "" {
		return info.Path
	}
	if p, err := url.PathUnescape(pkg); err == nil {
		return p
	}
	return pkg
}

// moduleOf finds the module with the longest path that holds a package; what no module holds is of the standard library.
func moduleOf(byModule map[string]*nameset.Set, pkg string) *nameset.Set {
	for p := pkg; p != ""; {
		if s := byModule[p]; s != nil {
			return s
		}
		i := strings.LastIndexByte(p, '/')
		p = p[:max(i, 0)]
	}
	return byModule[""]
}

// goSymbol splits "net/http.(*Client).Do" into package and the rest. Type arguments are left out. ok is false for what the compiler
// made of types.
func goSymbol(name []byte) (pkg, symbol []byte, ok bool) {
	if i := bytes.IndexByte(name, '['); i >= 0 {
		if j := bytes.LastIndexByte(name, ']'); j > i {
			name = slices.Concat(name[:i], name[j+1:])
		} else {
			name = name[:i]
		}
	}
	if bytes.HasPrefix(name, []byte("go:")) || bytes.HasPrefix(name, []byte("type:")) || bytes.HasPrefix(name, []byte("type..")) {
		return nil, nil, false
	}
	slash := bytes.LastIndexByte(name, '/') + 1
	dot := bytes.IndexByte(name[slash:], '.')
	if dot <= 0 {
		return nil, nil, false
	}
	return name[:slash+dot], name[slash+dot+1:], true
}

// addSymbol adds "Client.Do" of "(*Client).Do.func1", and "Client" with it: a closure that is there says that the function around it
// was compiled, even where nothing else of it is left.
func addSymbol(set *nameset.Set, pkg string, symbol []byte) {
	s := strings.NewReplacer("(*", "", ")", "").Replace(strings.TrimSuffix(string(symbol), "-fm"))
	first, rest, more := strings.Cut(s, ".")
	set.Add(pkg + "." + first)
	if more {
		second, _, _ := strings.Cut(rest, ".")
		set.Add(pkg + "." + first + "." + second)
	}
}

// maxGoNames bounds the names that are read: the largest programs known have some 30 MB.
const maxGoNames = 256 << 20

// goNames finds the table of names: offset and size in the file; size 0 when there is none of a form known.
func goNames(in biopsy.Input) (at, size int64, err error) {
	table, err := goLineTable(in)
	if err != nil || table < 0 {
		return 0, 0, err
	}
	head := make([]byte, 8+8*8)
	if err := readFull(in, head, table); err != nil {
		return 0, 0, nil // a table cut off says nothing
	}
	order, words := lineTableForm(head)
	if order == nil {
		return 0, 0, nil
	}
	word := func(i int) int64 {
		if head[7] == 4 {
			return int64(order.Uint32(head[8+4*i:]))
		}
		return int64(order.Uint64(head[8+8*i:]) & (1<<63 - 1))
	}
	from, to := word(words), word(words+1)
	if from < 0 || to <= from || to-from > maxGoNames || to > in.Size()-table {
		return 0, 0, nil
	}
	return table + from, to - from, nil
}

// lineTableForm reads the header's magic: the byte order, and which of its words is the offset of the names; the next is their end.
// Source: debug/gosym/pclntab.go of Go 1.16 (0xfffffffa), 1.18 (0xfffffff0) and 1.20 (0xfffffff1).
func lineTableForm(head []byte) (binary.ByteOrder, int) {
	if head[4] != 0 || head[5] != 0 || head[6] != 1 && head[6] != 2 && head[6] != 4 || head[7] != 4 && head[7] != 8 {
		return nil, 0
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(head) {
		case 0xfffffff0, 0xfffffff1:
			return order, 3
		case 0xfffffffa:
			return order, 2
		}
	}
	return nil, 0
}

// goLineTable returns the table's offset: by its section, else by searching; -1 when there is none.
func goLineTable(in biopsy.Input) (int64, error) {
	f, err := elf.Open(in.Content, in.Size())
	if errors.Is(err, elf.ErrNot) {
		return searchLineTable(in)
	}
	if err != nil {
		return -1, err
	}
	for _, name := range []string{".gopclntab", ".data.rel.ro.gopclntab"} {
		s, ok, err := f.Section(name)
		if err != nil {
			return -1, err
		}
		if ok {
			return int64(s.Offset), nil
		}
	}
	return searchLineTable(in)
}

// searchLineTable looks for the magic with a sensible header behind it.
func searchLineTable(in biopsy.Input) (int64, error) {
	const window, header = 1 << 20, 72
	buf := make([]byte, window+header)
	for off := int64(0); off < in.Size(); off += window {
		n, err := in.ReadAt(buf, off)
		if err != nil && err != io.EOF {
			return -1, err
		}
		b := buf[:n]
		for at := 0; ; {
			i := bytes.Index(b[at:], []byte{0xff, 0xff, 0xff})
			if i < 0 {
				break
			}
			at += i + 1
			for _, start := range []int{at - 2, at - 1} { // little endian has the odd byte first, big endian last
				if start >= 0 && start < window && start+8 <= len(b) && start%4 == 0 {
					if order, _ := lineTableForm(b[start:]); order != nil {
						return off + int64(start), nil
					}
				}
			}
		}
	}
	return -1, nil
}
