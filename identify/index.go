package identify

import (
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Readers finds the extractors that want a file, by its name at the cost of two map look-ups.
type Readers struct {
	exact   map[string][]named // by base name
	endings map[string][]named // by what follows the last dot of a "*.x" pattern
	globs   [256][]named       // base names with a star elsewhere, by the first byte that fits
	heads   []*biopsy.Extractor
}

// named is one pattern of one extractor, split into the folders that must come before and the base name.
type named struct {
	folders []string // last elements of the path before the base name; empty for any
	base    string
	fits    bool // who finds it in the index need not match the base name any more
	reader  *biopsy.Extractor
}

// NewReaders indexes the extractors that are asked at the depth.
func NewReaders(list []biopsy.Extractor, depth biopsy.Depth) *Readers {
	r := &Readers{exact: map[string][]named{}, endings: map[string][]named{}}
	for i := range list {
		x := &list[i]
		if rank(x.From) > rank(depth) {
			continue
		}
		if len(x.Names) == 0 {
			r.heads = append(r.heads, x)
		}
		for _, pattern := range x.Names {
			r.index(x, pattern)
		}
	}
	return r
}

func rank(d biopsy.Depth) int {
	switch d {
	case biopsy.Standard:
		return 1
	case biopsy.Deep:
		return 2
	}
	return 0
}

func (r *Readers) index(x *biopsy.Extractor, pattern string) {
	elems := strings.Split(pattern, "/")
	n := named{folders: elems[:len(elems)-1], base: elems[len(elems)-1], reader: x}
	star := strings.LastIndexByte(n.base, '*')
	dot := strings.LastIndexByte(n.base, '.')
	switch {
	case !strings.ContainsAny(n.base, "*?["):
		n.fits = true
		r.exact[n.base] = append(r.exact[n.base], n)
	case dot > star:
		n.fits = dot == 1 && star == 0
		r.endings[n.base[dot:]] = append(r.endings[n.base[dot:]], n)
	default:
		for b := range r.globs {
			if mayBegin(n.base, byte(b)) {
				r.globs[b] = append(r.globs[b], n)
			}
		}
	}
}

// mayBegin tells whether a name that begins with b may fit a pattern. It may say yes too often.
func mayBegin(pattern string, b byte) bool {
	switch pattern[0] {
	case '*', '?', '\\':
		return true
	case '[':
		end := strings.IndexByte(pattern, ']')
		if end < 0 || b >= 0x80 {
			return true
		}
		ok, err := path.Match(pattern[:end+1], string(rune(b)))
		return ok || err != nil
	}
	return pattern[0] == b
}

// ByName appends to buf the extractors that want a file of that path, each once, in the order of the list within one kind of pattern.
func (r *Readers) ByName(p string, buf []*biopsy.Extractor) []*biopsy.Extractor {
	base := p[strings.LastIndexByte(p, '/')+1:]
	buf = match(r.exact[base], p, base, buf)
	if dot := strings.LastIndexByte(base, '.'); dot >= 0 {
		buf = match(r.endings[base[dot:]], p, base, buf)
	}
	if base == "" {
		return buf
	}
	return match(r.globs[base[0]], p, base, buf)
}

// ByHead returns the extractors that only the first bytes can call: readers of programs.
func (r *Readers) ByHead() []*biopsy.Extractor { return r.heads }

func match(list []named, p, base string, buf []*biopsy.Extractor) []*biopsy.Extractor {
next:
	for i := range list {
		n := &list[i]
		if !n.fits {
			if ok, err := path.Match(n.base, base); !ok || err != nil { // a bad pattern is caught by a test of the list
				continue
			}
		}
		if !endsIn(strings.TrimSuffix(p[:len(p)-len(base)], "/"), n.folders) || (n.reader.Wants != nil && !n.reader.Wants(p)) {
			continue
		}
		for _, have := range buf {
			if have == n.reader {
				continue next
			}
		}
		buf = append(buf, n.reader)
	}
	return buf
}

// endsIn tells whether the last elements of dir match the wanted folders.
func endsIn(dir string, folders []string) bool {
	for i := len(folders) - 1; i >= 0; i-- {
		cut := strings.LastIndexByte(dir, '/')
		elem := dir[cut+1:]
		if ok, err := path.Match(folders[i], elem); elem == "" || !ok || err != nil {
			return false
		}
		dir = dir[:max(cut, 0)]
	}
	return true
}
