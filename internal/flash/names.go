package flash

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// Kind is what a name stands for.
type Kind uint8

// The kinds.
const (
	Other Kind = iota // links, devices, pipes, sockets
	File
	Dir
)

// Bounds of Names: entries of all versions, the bytes of their names, and how deep directories stand in each other.
const (
	maxEntries  = 8 << 20
	maxNameSize = 512 << 20
	maxDepth    = 512
	maxPath     = 4096
)

// ErrMany says that an image holds more than we keep in memory.
var ErrMany = errors.New("more directory entries than we can hold")

// Names turns directory entries, in any order, into paths.
type Names struct {
	entries []entry
	names   []byte
}

// entry says that a directory had a name for an inode since a version. Inode 0 says that the name was removed.
type entry struct {
	version     uint64
	parent, ino uint32
	at          uint32 // of the name in Names.names
	size        uint16
	kind        Kind
}

// Add takes one entry. Of the entries of one name in one directory the highest version holds; inode 0 removes the name.
func (n *Names) Add(parent, ino uint32, version uint64, name []byte, kind Kind) error {
	if len(n.entries) >= maxEntries || len(n.names) > maxNameSize {
		return ErrMany
	}
	if len(name) > maxPath {
		return fmt.Errorf("name of %d bytes", len(name))
	}
	n.entries = append(n.entries, entry{version, parent, ino, uint32(len(n.names)), uint16(len(name)), kind})
	n.names = append(n.names, name...)
	return nil
}

func (n *Names) name(e entry) []byte { return n.names[e.at : e.at+uint32(e.size)] }

// Visitor is told what a walk finds.
type Visitor struct {
	Visit func(path string, ino uint32, kind Kind) error // an error ends the walk
	Enter func(path string, ino uint32) bool             // nil enters every directory
	Lost  func(path, reason string)
	// Stray is asked for a path for each directory that has names and no place in the tree: its own name was lost, or it was
	// deleted and is not yet erased. "" leaves it; nil leaves all.
	Stray func(dir uint32, names int) string
}

// Walk visits every name below the root directory, sorted by name within each directory. It may be called once.
func (n *Names) Walk(root uint32, v Visitor) error {
	n.settle()
	w := namesWalk{Names: n, Visitor: v, seen: map[uint32]bool{}}
	if err := w.dir("", root, 0); err != nil || v.Stray == nil {
		return err
	}
	return w.strays()
}

// settle keeps the newest entry of each name.
func (n *Names) settle() {
	slices.SortFunc(n.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.parent, b.parent), bytes.Compare(n.name(a), n.name(b)), cmp.Compare(b.version, a.version), cmp.Compare(b.at, a.at))
	})
	kept := n.entries[:0]
	for i, e := range n.entries {
		if i > 0 && e.parent == n.entries[i-1].parent && bytes.Equal(n.name(e), n.name(n.entries[i-1])) {
			continue
		}
		kept = append(kept, e)
	}
	n.entries = slices.DeleteFunc(kept, func(e entry) bool { return e.ino == 0 })
}

type namesWalk struct {
	*Names
	Visitor
	seen map[uint32]bool
}

// of returns the entries of a directory.
func (w *namesWalk) of(dir uint32) []entry {
	from := sort.Search(len(w.entries), func(i int) bool { return w.entries[i].parent >= dir })
	to := from
	for to < len(w.entries) && w.entries[to].parent == dir {
		to++
	}
	return w.entries[from:to]
}

func (w *namesWalk) dir(path string, ino uint32, depth int) error {
	switch {
	case w.seen[ino]:
		w.Lost(path, "directory stands in two places: entered at the first only")
		return nil
	case depth > maxDepth:
		w.Lost(path, fmt.Sprintf("more than %d directories in each other", maxDepth))
		return nil
	}
	w.seen[ino] = true
	for _, e := range w.of(ino) {
		p := element(string(w.name(e)))
		if path != "" {
			p = path + "/" + p
		}
		if len(p) > maxPath {
			w.Lost(path, "a name's path is longer than 4096 bytes")
			continue
		}
		if err := w.Visit(p, e.ino, e.kind); err != nil {
			return err
		}
		if e.kind != Dir {
			continue
		}
		if w.Enter != nil && !w.Enter(p, e.ino) {
			w.below(e.ino)
			continue
		}
		if err := w.dir(p, e.ino, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Below counts the files in a directory and all below it, after Walk has begun.
func (n *Names) Below(dir uint32) int {
	w := namesWalk{Names: n, seen: map[uint32]bool{}}
	return w.below(dir)
}

// below marks a directory and all below it as seen, and counts the files.
func (w *namesWalk) below(dir uint32) (files int) {
	for todo := []uint32{dir}; len(todo) > 0; {
		dir, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if w.seen[dir] {
			continue
		}
		w.seen[dir] = true
		for _, e := range w.of(dir) {
			switch e.kind {
			case File:
				files++
			case Dir:
				todo = append(todo, e.ino)
			}
		}
	}
	return files
}

// strays visits directories that the root does not lead to: first those that no other leads to, then what goes in a circle.
func (w *namesWalk) strays() error {
	inside := map[uint32]bool{}
	for _, e := range w.entries {
		if e.kind == Dir && !w.seen[e.parent] && e.ino != e.parent {
			inside[e.ino] = true
		}
	}
	for _, all := range []bool{false, true} {
		for i := 0; i < len(w.entries); {
			dir := w.entries[i].parent
			names := len(w.of(dir))
			i += names
			if w.seen[dir] || inside[dir] && !all {
				continue
			}
			path := w.Stray(dir, names)
			if path == "" {
				w.below(dir)
				continue
			}
			if err := w.dir(path, dir, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// element escapes one name so that it is one element of a path.
func element(name string) string {
	switch name {
	case "":
		return "%00"
	case ".", "..":
		return strings.Repeat("%2E", len(name))
	}
	return strings.ReplaceAll(treepath.Escape(name), "/", "%2F")
}
