package software

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/traits"
	"github.com/biopsy-sca/biopsy/kb"
)

// Bounds of naming jars by their classes.
const (
	minClasses   = 3
	jarCoverage  = 0.9 // of a learned jar's classes, in a jar that is it
	jarShare     = 0.9 // of the jar's own classes
	insideJar    = 0.8 // of a learned jar's classes, in a jar that holds it among others
	maxJarTraits = 1 << 20
)

// java names a Java archive by the sum of its members, or by its classes.
func (s *shelf) java(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	j, err := traits.ReadJar(in.Content, in.Size())
	if err != nil {
		return nil // the reader of its metadata says what is wrong with it
	}
	return s.reading(func() error {
		units, _ := s.look(kb.Archives, j.Sum, nil)
		if len(units) > 0 {
			for _, u := range units {
				if err := s.sayJar(in, u, whole, 1, 1, emit); err != nil {
					return err
				}
			}
			return nil
		}
		return s.classes(in, j, emit)
	})
}

// classes names what is in an archive by its classes.
func (s *shelf) classes(in biopsy.Input, j *traits.Jar, emit func(biopsy.Evidence)) error {
	hits := map[uint32]int{}
	var buf []uint32
	own := 0
	for _, c := range j.Classes[:min(len(j.Classes), maxJarTraits)] {
		if !kb.Kept(kb.Classes, c.Hash) {
			continue
		}
		own++
		units, _ := s.look(kb.Classes, c.Hash, buf[:0])
		for _, u := range units {
			hits[u]++
		}
		buf = units
	}
	type held struct {
		unit     uint32
		n        int
		coverage float64
	}
	best := map[string]held{}
	for u, n := range hits {
		b, i := s.unit(u)
		of := b.TraitsOf(i)
		if n < minClasses || of == 0 || b.KindOf(i) != kb.Jar {
			continue
		}
		c, _ := s.of(u)
		k := s.comps[c].Namespace + ":" + s.comps[c].Name
		h := held{u, n, min(float64(n)/float64(of), 1)}
		if have, ok := best[k]; !ok || h.coverage > have.coverage || h.coverage == have.coverage && (h.n > have.n || h.n == have.n && h.unit < have.unit) {
			best[k] = h
		}
	}
	names := make([]string, 0, len(best))
	for k := range best {
		names = append(names, k)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(best[b].n, best[a].n), cmp.Compare(a, b)) })
	for _, k := range names {
		h := best[k]
		share := float64(h.n) / float64(max(own, 1))
		role := inside
		switch {
		case h.coverage >= jarCoverage && share >= jarShare:
			role = whole
		case h.coverage < insideJar:
			continue
		}
		if err := s.sayJar(in, h.unit, role, share, h.coverage, emit); err != nil {
			return err
		}
	}
	return nil
}

// sayJar emits a jar's coordinates.
func (s *shelf) sayJar(in biopsy.Input, unit uint32, r role, share, coverage float64, emit func(biopsy.Evidence)) error {
	b, u := s.unit(unit)
	_, entry := b.ComponentOf(u)
	e, err := b.Entry(entry)
	if err != nil {
		return err
	}
	c := biopsy.Claim{Kind: biopsy.Library, Eco: e.Eco, Namespace: e.Namespace, Name: e.Name, Version: e.Version, State: biopsy.Embedded,
		Purl: eco.Purl(e.Eco, e.Namespace, e.Name, e.Version), Extra: map[string]string{
			"kb:share": strconv.FormatFloat(share, 'f', 2, 64), "kb:coverage": strconv.FormatFloat(coverage, 'f', 2, 64), "kb:learned-from": strings.Join(e.Origins, ", ")}}
	ev := biopsy.Evidence{Claim: c, Place: in.Place(), Confidence: 0.9}
	if r == whole {
		ev.Claim.State, ev.Claim.Whole = biopsy.Installed, true
		if coverage == 1 && share == 1 {
			ev.Confidence, ev.Basis = 0.99, biopsy.HashMatch
		}
	}
	emit(ev)
	return nil
}
