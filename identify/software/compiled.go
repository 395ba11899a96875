package software

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/traits"
	"github.com/biopsy-sca/biopsy/kb"
)

// compiled names a program, library or object file.
func (s *shelf) compiled(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	f, err := traits.Read(in.Content, in.Size())
	if f == nil {
		return err
	}
	bad := s.reading(func() error {
		t := s.scratch.Get().(*tally)
		defer s.scratch.Put(t)
		defer t.reset()
		t.count(s, f)
		is, roles := s.weigh(t.candidates(s))
		for i, c := range is {
			e, err := s.evidence(in, f, t, c, roles[i])
			if err != nil {
				return err
			}
			emit(e)
		}
		return nil
	})
	if bad != nil {
		return bad
	}
	return err
}

// evidence is what a file shows of one component.
func (s *shelf) evidence(in biopsy.Input, f *traits.File, t *tally, c candidate, r role) (biopsy.Evidence, error) {
	v, err := s.version(in, f, t, c, r)
	if err != nil {
		return biopsy.Evidence{}, err
	}
	name := s.comps[c.component]
	x := biopsy.Claim{Kind: biopsy.Library, Eco: name.Eco, Namespace: name.Namespace, Name: name.Name, Version: v.exact, State: biopsy.Embedded, Extra: map[string]string{}}
	if r == whole {
		x.State, x.Whole = biopsy.Installed, true
		if !f.Library {
			x.Kind = biopsy.Application
		}
	}
	if len(v.possible) > 0 {
		x.Extra["kb:versions"] = strings.Join(v.possible, ",")
	}
	if v.nearest {
		x.Extra["kb:nearest"] = "true"
	}
	if x.Version != "" {
		x.Purl = eco.Purl(x.Eco, x.Namespace, x.Name, x.Version)
	}
	x.Extra["kb:share"] = strconv.FormatFloat(c.share, 'f', 2, 64)
	x.Extra["kb:coverage"] = strconv.FormatFloat(c.coverage, 'f', 2, 64)
	places, first := s.quote(in, t, c.component)
	x.Extra["kb:traits"] = places
	p := in.Place()
	p.Offset = first
	return biopsy.Evidence{Claim: x, Place: p, Confidence: v.sure}, nil
}

// maxQuoted traits are shown in evidence.
const maxQuoted = 3

// quote writes the most telling traits with their offsets: names before texts, long before short.
func (s *shelf) quote(in biopsy.Input, t *tally, component uint32) (string, int64) {
	var best []traits.Trait
	for _, w := range t.witness {
		if w.component == component {
			best = append(best, w.trait)
		}
	}
	slices.SortFunc(best, func(a, b traits.Trait) int {
		return cmp.Or(cmp.Compare(min(b.Size, 60), min(a.Size, 60)), cmp.Compare(a.Offset, b.Offset))
	})
	var lines []string
	first := int64(0)
	for _, tr := range best[:min(len(best), maxQuoted)] {
		b := make([]byte, min(tr.Size, 80))
		if n, err := in.ReadAt(b, tr.Offset); n < len(b) && err != nil || len(b) == 0 {
			continue // a trait without bytes of its own
		}
		if first == 0 {
			first = tr.Offset
		}
		lines = append(lines, fmt.Sprintf("0x%x %q", tr.Offset, b))
	}
	return strings.Join(lines, "; "), first
}

// version says which version a file is of, or which it may be.
func (s *shelf) version(in biopsy.Input, f *traits.File, t *tally, c candidate, r role) (verdict, error) {
	fits := s.fits(t, c.component)
	names := make([]string, len(fits))
	for i, x := range fits {
		e, err := s.books[x.book].Entry(x.entry)
		if err != nil {
			return verdict{}, err
		}
		names[i] = e.Version
	}
	if same, err := s.identical(in, t, c.component); err != nil {
		return verdict{}, err
	} else if same != "" {
		return verdict{exact: same, sure: 1}, nil
	}
	stated := s.stated(f, c.component)
	if stated != "" {
		return settle(stated, names), nil
	}
	return t.judge(c, r, fits, names), nil
}

// settle writes a stated version as a learned one is written, where they are the same.
func settle(stated string, names []string) verdict {
	for _, n := range names {
		if kb.SameVersion(stated, n) {
			return verdict{exact: n, stated: true, sure: 0.98}
		}
	}
	return verdict{exact: stated, stated: true, sure: 0.9}
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
		if c != component || int(t.hits[n]) < b.TraitsOf(u) {
			continue
		}
		unit := b.Unit(u)
		if unit.Size != in.Size() || unit.Kind == kb.Whole {
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

// judge tells versions apart by the traits that changed between them.
func (t *tally) judge(c candidate, r role, fits []fit, names []string) verdict {
	v := verdict{sure: 0.9}
	rivals := []string{names[0]}
	close := true
	for i := 1; i < len(fits); i++ {
		a, b := t.apart(c.component, fits[0].id, fits[i].id)
		switch {
		case a >= minApart && float64(b) <= maxAgainst*float64(a), a >= 1 && b == 0 && fits[0].coverage >= fits[i].coverage+0.02:
		case b == 0 && a == 0 && fits[0].coverage >= fits[i].coverage+0.05: // what the other would have and is not there
		case float64(b) > maxAgainst*float64(a) && b >= minApart:
			close = false
			rivals = append(rivals, names[i])
		default:
			rivals = append(rivals, names[i])
		}
	}
	slices.SortFunc(rivals, older)
	switch {
	case len(rivals) > 1:
		v.possible, v.nearest = rivals, !close
	case r == whole && fits[0].coverage >= sameBuild && t.strange(c) <= maxStrange:
		v.exact = names[0]
	default:
		v.possible, v.nearest = rivals, true
	}
	return v
}

// maxStrange is how much of a file may be unknown that is of a known version, built elsewhere.
const maxStrange = 0.12

func (t *tally) strange(candidate) float64 {
	return float64(t.unknown) / float64(max(t.unknown+t.telling, 1))
}

func older(a, b string) int {
	n, err := eco.Compare("Upstream", a, b)
	if err != nil || n == 0 {
		return cmp.Compare(a, b)
	}
	return n
}
