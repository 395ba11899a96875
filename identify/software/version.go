package software

import (
	"cmp"
	"crypto/sha256"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/traits"
	"github.com/biopsy-sca/biopsy/kb"
)

// verdict is what is known of a component's version in a file.
type verdict struct {
	exact    string   // "" when it is not sure
	possible []string // versions that fit as well, oldest first; of a version nobody learned the nearest
	nearest  bool     // the version itself is perhaps not among those that were learned
	by       string   // "bytes", "text", "traits", "file-name"
	sure     float64
}

// fit is one version of a component held against a file.
type fit struct {
	version
	id       uint32 // entry by its number on the shelf
	name     string
	wrong    float64 // traits of the component that this version has not, and traits of its most similar file that are not there
	of       int     // telling traits of that file
	unit     uint32
	edge     bool // no older, or no newer version is known: the true one may lie beyond
	shared   int
	coverage float64
}

// Bounds of telling versions apart. Beyond the newest version that was learned nothing stops the true one, so it must fit better.
const (
	clearGap         = 2   // traits that the next best version is worse by,
	clearRatio       = 2.0 // and how many times as bad, or
	clearWitnesses   = 5   // how many traits only the better one has, for each that only the other has
	wrongInside      = 0.1 // of a file's traits, of a version between known ones
	wrongAtEdge      = 0.01
	strangeInside    = 0.12 // unknown among a file's traits: other processors, patches
	strangeAtEdge    = 0.015
	minVersionTraits = 5
	minEdgeTraits    = 20
	sameInside       = 0.9 // coverage of a library that is in another file as a whole
)

// version says which version a file is of, or which it may be.
func (s *shelf) version(in biopsy.Input, f *traits.File, t *tally, x found) (verdict, error) {
	same, err := s.identical(in, t, x.component)
	if err != nil || same != "" {
		return verdict{exact: same, by: "bytes", sure: 1}, err
	}
	fits, err := s.fits(t, x.component)
	if err != nil {
		return verdict{}, err
	}
	if x.stated != "" {
		return settle(x.stated, fits), nil
	}
	return s.judge(in, f, t, x, fits), nil
}

// settle writes a stated version as a learned one is written, where they are the same.
func settle(stated string, fits []fit) verdict {
	for _, x := range fits {
		if kb.SameVersion(stated, x.name) {
			return verdict{exact: x.name, by: "text", sure: 0.98}
		}
	}
	return verdict{exact: stated, by: "text", sure: 0.9}
}

// stated is the version that the file's own texts give, where known texts stand before it; "" when they give none, or several.
func (s *shelf) stated(f *traits.File, component uint32) string {
	found := ""
	several := false
	for _, v := range f.Versioned {
		kb.VersionsIn(v.Text, func(before, version string) {
			units, _ := s.look(kb.Versions, kb.VersionTrait(before), nil)
			for _, u := range units {
				if c, _ := s.of(u); c == component {
					several = several || found != "" && found != version
					found = version
					return
				}
			}
		})
	}
	if several {
		return ""
	}
	return found
}

// identical returns the version of which a learned file is this file, byte for byte; "" when none is.
func (s *shelf) identical(in biopsy.Input, t *tally, component uint32) (string, error) {
	var sum [sha256.Size]byte
	hashed := false
	for _, n := range t.seen {
		c, _ := s.of(n)
		b, u := s.unit(n)
		if c != component || int(t.hits[n]) < b.TraitsOf(u) || b.KindOf(u) == kb.Whole {
			continue
		}
		unit := b.Unit(u)
		if unit.Size != in.Size() {
			continue
		}
		if !hashed {
			h := sha256.New()
			if _, err := io.Copy(h, in.Reader()); err != nil {
				return "", err
			}
			h.Sum(sum[:0])
			hashed = true
		}
		if unit.SHA256 == sum {
			_, entry := b.ComponentOf(u)
			e, err := b.Entry(entry)
			return e.Version, err
		}
	}
	return "", nil
}

// fits holds every version of a component against a file, the best first.
func (s *shelf) fits(t *tally, component uint32) ([]fit, error) {
	list, index, err := s.versions(component)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, w := range t.witness {
		if w.component != component {
			continue
		}
		total++
		for _, e := range w.set {
			list[index[e]].wrong--
		}
	}
	for _, u := range t.seen {
		c, e := s.of(u)
		if c != component {
			continue
		}
		b, n := s.unit(u)
		of := b.TraitsOf(n)
		if of == 0 || b.KindOf(n) == kb.Whole {
			continue
		}
		x := &list[index[e]]
		if h, cov := int(t.hits[u]), float64(t.hits[u])/float64(of); x.of == 0 || float64(h)*cov > float64(x.shared)*x.coverage {
			x.shared, x.coverage, x.of, x.unit = h, cov, of, u
		}
	}
	for i := range list {
		x := &list[i]
		x.wrong += float64(total)
		if x.of > 0 {
			x.wrong += float64(x.of - x.shared)
		} else {
			x.wrong += float64(total)
		}
	}
	slices.SortStableFunc(list, func(a, b fit) int { return cmp.Compare(a.wrong, b.wrong) })
	return list, nil
}

// versions lists a component's versions in their order, each once though several books know it.
func (s *shelf) versions(component uint32) ([]fit, map[uint32]int, error) {
	var list []fit
	ids := map[string][]uint32{}
	for _, v := range s.comps[component].versions {
		e, err := s.books[v.book].Entry(v.entry)
		if err != nil {
			return nil, nil, err
		}
		id := s.entries[v.book] + v.entry
		if ids[e.Version] == nil {
			list = append(list, fit{version: v, id: id, name: e.Version, edge: len(e.Origins) < 2})
		}
		ids[e.Version] = append(ids[e.Version], id)
	}
	slices.SortFunc(list, func(a, b fit) int { return older(a.name, b.name) })
	index := map[uint32]int{}
	for i := range list {
		// A lone version that several releases brought has stood for years: it is no edge.
		list[i].edge = (list[i].edge || len(list) > 1) && (i == 0 || i == len(list)-1)
		for _, id := range ids[list[i].name] {
			index[id] = i
		}
	}
	return list, index, nil
}

// judge tells versions apart by the traits that changed between them, and where none did by what the file is called.
func (s *shelf) judge(in biopsy.Input, f *traits.File, t *tally, x found, fits []fit) verdict {
	best := fits[0]
	rivals := []fit{best}
	for i := 1; i < len(fits); i++ {
		if !t.clear(x.component, best, fits[i]) {
			rivals = append(rivals, fits[i])
		}
	}
	strange := float64(t.unknown) / float64(max(t.unknown+t.telling, 1))
	if x.role == inside {
		strange = 0 // what the rest of the file is says nothing
	}
	if len(rivals) > 1 {
		if named := s.called(in, rivals); named >= 0 && x.role == whole {
			return verdict{exact: rivals[named].name, by: "file-name", sure: 0.9}
		}
		if bare := bare(f, rivals); bare >= 0 && x.role == whole {
			best, rivals = rivals[bare], rivals[bare:bare+1]
		}
	}
	wrong, odd, enough, sure := wrongInside, strangeInside, minVersionTraits, 0.95
	if best.edge {
		wrong, odd, enough, sure = wrongAtEdge, strangeAtEdge, minEdgeTraits, 0.85
	}
	if len(rivals) == 1 && (x.role == whole || best.coverage >= sameInside) && best.of >= enough && best.wrong <= wrong*float64(best.of)+1 && strange <= odd {
		return verdict{exact: best.name, by: "traits", sure: sure}
	}
	v := verdict{nearest: strange > odd || best.wrong > wrong*float64(best.of)+1, sure: 1}
	for _, r := range rivals {
		v.possible = append(v.possible, r.name)
	}
	slices.SortFunc(v.possible, older)
	return v
}

// clear tells whether the best version is told apart from another.
func (t *tally) clear(component uint32, best, other fit) bool {
	gap := other.wrong - best.wrong
	if gap < clearGap {
		return false
	}
	if other.wrong >= clearRatio*best.wrong {
		return true
	}
	pro, contra := t.apart(component, best.id, other.id)
	return pro >= clearWitnesses && pro >= clearWitnesses*contra
}

// apart counts the witnesses that one version has and the other has not, both ways.
func (t *tally) apart(component, a, b uint32) (forA, forB int) {
	for _, w := range t.witness {
		if w.component != component {
			continue
		}
		inA, inB := slices.Contains(w.set, a), slices.Contains(w.set, b)
		if inA && !inB {
			forA++
		}
		if inB && !inA {
			forB++
		}
	}
	return forA, forB
}

// called returns the one rival whose most similar file is called as this one, with a number in its name; -1 when none or several are.
func (s *shelf) called(in biopsy.Input, rivals []fit) int {
	name := path.Base(in.Path)
	if !strings.ContainsAny(name, "0123456789") {
		return -1
	}
	at := -1
	for i, r := range rivals {
		if r.of == 0 {
			continue
		}
		b, u := s.unit(r.unit)
		if path.Base(b.Unit(u).Path) != name {
			continue
		}
		if at >= 0 {
			return -1
		}
		at = i
	}
	return at
}

// bare returns the one rival whose version stands in the file as a text of its own; -1 when none or several do.
func bare(f *traits.File, rivals []fit) int {
	at := -1
	for i, r := range rivals {
		if !slices.ContainsFunc(f.Versioned, func(v traits.Versioned) bool { return kb.SameVersion(v.Text, r.name) }) {
			continue
		}
		if at >= 0 {
			return -1
		}
		at = i
	}
	return at
}

func older(a, b string) int {
	n, err := eco.Compare("Upstream", a, b)
	if err != nil || n == 0 {
		return cmp.Compare(a, b)
	}
	return n
}
