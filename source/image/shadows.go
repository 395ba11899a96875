package image

import (
	"hash/maphash"
	"strings"
)

// shadows remembers what the newer layers brought and deleted, as hashes of paths: a few dozen bytes for each. The hash is
// seeded, so that nobody can craft a path that hides another.
type shadows struct {
	seed maphash.Seed
	seen map[uint64]mark
	now  []marked // of the layer being read: they bind the older layers only

	dir     string // the last folder asked for, and the answer
	dirGone bool
}

// mark says what a path means for older layers.
type mark uint8

const (
	self  mark = 1 << iota // the path itself is replaced or deleted
	below                  // everything below it is
)

type marked struct {
	path uint64
	mark mark
}

func newShadows() *shadows {
	return &shadows{seed: maphash.MakeSeed(), seen: map[uint64]mark{}}
}

// next ends a layer.
func (s *shadows) next() {
	for _, m := range s.now {
		s.seen[m.path] |= m.mark
	}
	s.now = s.now[:0]
	s.dir, s.dirGone = "", false
}

func (s *shadows) set(path string, m mark) {
	s.now = append(s.now, marked{maphash.String(s.seed, path), m})
}

// add notes an entry: it replaces what older layers have there. Folders merge with older folders.
func (s *shadows) add(path string, dir bool) {
	if dir {
		s.set(path, self)
		return
	}
	s.set(path, self|below)
}

// hide tells whether a newer layer replaced or deleted the path.
func (s *shadows) hide(path string) bool {
	if len(s.seen) == 0 {
		return false
	}
	if s.seen[maphash.String(s.seed, path)]&self != 0 {
		return true
	}
	i := strings.LastIndexByte(path, '/')
	return i >= 0 && s.gone(path[:i])
}

// gone tells whether everything below the folder is replaced or deleted.
func (s *shadows) gone(dir string) bool {
	if s.seen[maphash.String(s.seed, "")]&below != 0 {
		return true
	}
	if dir == s.dir {
		return s.dirGone
	}
	s.dir, s.dirGone = dir, false
	for i := 0; i <= len(dir); i++ {
		if (i == len(dir) || dir[i] == '/') && s.seen[maphash.String(s.seed, dir[:i])]&below != 0 {
			s.dirGone = true
			break
		}
	}
	return s.dirGone
}

// whiteout takes the marks of deletion in (OCI image specification, layer.md, "Whiteouts") and tells whether path is one.
func (s *shadows) whiteout(path string) bool {
	dir, name := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, name = path[:i], path[i+1:]
	}
	hidden, ok := strings.CutPrefix(name, ".wh.")
	switch {
	case !ok:
		return false
	case name == ".wh..wh..opq":
		s.set(dir, below)
	case strings.HasPrefix(hidden, ".wh."), hidden == "", hidden == ".", hidden == "..": // AUFS's own, and nonsense
	default:
		s.set(strings.TrimPrefix(dir+"/"+hidden, "/"), self|below)
	}
	return true
}
