package reconcile

import (
	"path"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// owners knows which component a file belongs to.
type owners struct {
	files   map[string]map[biopsy.Path]*draft // by descents, then by path: what package databases list
	folders map[string]*draft                 // full path of a folder whose metadata file makes it one component
	whole   map[string]*draft                 // full path of a file that is itself a component
	ranks   map[string]int                    // full path of such a file to the rank of what it is
}

// folderFiles are the metadata files whose folder, with all below it, is the component.
var folderFiles = []string{"package.json", "composer.json"}

// owners settles the drafts and indexes what they own.
func (b *builder) owners() *owners {
	o := &owners{files: map[string]map[biopsy.Path]*draft{}, folders: map[string]*draft{}, whole: map[string]*draft{}, ranks: map[string]int{}}
	for _, d := range b.drafts {
		b.settle(d)
		for i := range d.evidence {
			o.index(d, &d.evidence[i])
		}
	}
	return o
}

func (o *owners) index(d *draft, e *biopsy.Evidence) {
	if e.Shadowed {
		return
	}
	in, inner := biopsy.Split(e.Place.Path)
	if len(e.Claim.Owns) > 0 {
		m := o.files[in]
		if m == nil {
			m = make(map[biopsy.Path]*draft, len(e.Claim.Owns))
			o.files[in] = m
		}
		for _, p := range e.Claim.Owns {
			m[p] = d
		}
	}
	c := e.Claim
	if c.State == biopsy.Installed && slices.Contains(folderFiles, path.Base(inner)) {
		o.folders[biopsy.Join(in, path.Dir(inner))] = d
	}
	if c.Whole || (c.Kind == biopsy.Application && c.State != biopsy.Declared && c.State != biopsy.Locked) {
		if rank, have := wholeRank(e), o.ranks[e.Place.Path]; o.whole[e.Place.Path] == nil || rank > have {
			o.whole[e.Place.Path], o.ranks[e.Place.Path] = d, rank
		}
	}
}

// sameBytes is the rank of a file that was seen before, byte for byte, and is known by another source than its own words.
const sameBytes = 3

// wholeRank orders what a file may be: the very bytes of a component, a component that is the file and has a name, an application told by
// build info, a plain program.
func wholeRank(e *biopsy.Evidence) int {
	switch c := e.Claim; {
	case c.Kind == biopsy.FileKind:
		return 0
	case c.Whole && e.Basis == biopsy.HashMatch:
		return sameBytes
	case c.Whole:
		return 2
	}
	return 1
}

// hasDatabase tells whether a tree says who owns its files.
func (o *owners) hasDatabase(in string) bool { return len(o.files[in]) > 0 }

// of returns the component whose package installed the file, looking through containers outwards; nil when nobody says.
func (o *owners) of(full string) *draft {
	for {
		in, inner := biopsy.Split(full)
		if m := o.files[in]; m != nil {
			for _, p := range spellings(inner) {
				if d := m[biopsy.HashPath(p)]; d != nil {
					return d
				}
			}
		}
		if in == "" {
			return nil
		}
		full = in
	}
}

// spellings are the names one file has in a tree where bin, sbin and lib are links into usr: package databases keep the old ones.
func spellings(p string) []string {
	all := []string{p}
	for _, top := range []string{"bin/", "sbin/", "lib/", "lib64/", "lib32/"} {
		if i := strings.Index(p, "usr/"+top); i == 0 || (i > 0 && p[i-1] == '/') {
			all = append(all, p[:i]+p[i+len("usr/"):])
		} else if strings.HasPrefix(p, top) {
			all = append(all, "usr/"+p)
		}
	}
	return all
}

// folder returns the component in whose folder the file lies, the nearest first, looking through containers outwards; nil when there
// is none.
func (o *owners) folder(full string) *draft {
	for {
		in, inner := biopsy.Split(full)
		for dir := path.Dir(inner); dir != "." && dir != "/"; dir = path.Dir(dir) {
			if d := o.folders[biopsy.Join(in, dir)]; d != nil {
				return d
			}
		}
		if in == "" {
			return nil
		}
		full = in
	}
}

// fold moves what is said about owned files to their owners, and flags the programs that have none.
func (b *builder) fold(o *owners) {
	for _, d := range b.drafts {
		if d.gone || d.first().Claim.Kind == biopsy.OperatingSystem {
			continue
		}
		kept := d.evidence[:0:0]
		for _, e := range d.evidence {
			to := o.destination(d, e)
			if to == nil {
				kept = append(kept, e)
				continue
			}
			if e.Claim.State != biopsy.Declared && e.Claim.State != biopsy.Locked && (e.Claim.Kind != biopsy.FileKind || o.whole[e.Place.Path] == to) {
				to.evidence = append(to.evidence, e)
				if !distroEcos[e.Claim.Eco] {
					to.aliases = appendNonEmpty(to.aliases, e.Claim.Purl)
				}
			}
		}
		if !slices.ContainsFunc(kept, func(e biopsy.Evidence) bool { return !e.Claim.About && !e.Shadowed }) {
			d.gone = true
			continue
		}
		d.evidence = kept
		d.unowned = o.unowned(d)
	}
}

func appendNonEmpty(l []string, s string) []string {
	if s == "" {
		return l
	}
	return append(l, s)
}

// destination is the draft to which the evidence's bytes belong; nil when it stays where it is. Installed things belong to the
// package that installed them. What manifests and locks inside a package's own files ask for was for building that package.
func (o *owners) destination(d *draft, e biopsy.Evidence) *draft {
	c, full := e.Claim, e.Place.Path
	if e.Shadowed || c.About {
		return nil
	}
	note := distroEcos[c.Eco] && e.Basis == biopsy.Binary // the builder's note in a program: which package it was built for
	if !note && (distroEcos[c.Eco] || c.State == biopsy.Embedded) {
		return nil
	}
	candidates := []*draft{o.of(full)}
	switch {
	case c.Kind == biopsy.FileKind:
		candidates = append(candidates, o.whole[full], o.folder(full))
	case c.State != biopsy.Installed:
		candidates = append(candidates, o.folder(full))
	case c.Whole && e.Basis != biopsy.HashMatch && o.ranks[full] == sameBytes && o.whole[full].first().Claim.Eco == c.Eco:
		candidates = append(candidates, o.whole[full]) // what the file says of itself is then a second opinion
	}
	for _, to := range candidates {
		if to != nil && to != d && !to.gone {
			return to
		}
	}
	return nil
}

// unowned tells a program that no package brought, in a tree where packages say what they bring.
func (o *owners) unowned(d *draft) bool {
	for _, e := range d.evidence {
		in, _ := biopsy.Split(e.Place.Path)
		program := e.Claim.Kind == biopsy.FileKind || (e.Claim.Kind == biopsy.Application && e.Claim.State == biopsy.Installed)
		if program && !e.Shadowed && o.hasDatabase(in) && o.of(e.Place.Path) == nil && o.folder(e.Place.Path) == nil {
			return true
		}
	}
	return false
}
