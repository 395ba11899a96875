package software

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/traits"
)

// compiled names a program, library or object file.
func (s *shelf) compiled(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	if strings.HasSuffix(in.Path, ".ko") {
		return nil // modules share tables and messages with libraries and tools, and no book knows the kernel that would outweigh them
	}
	f, err := traits.Read(in.Content, in.Size())
	if f == nil {
		return err
	}
	bad := s.reading(func() error {
		t := s.scratch.Get().(*tally)
		defer s.scratch.Put(t)
		defer t.reset()
		t.count(s, f)
		list, err := s.weigh(f, t.candidates(s))
		if err != nil {
			return err
		}
		for _, x := range list {
			e, err := s.evidence(in, f, t, x)
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
func (s *shelf) evidence(in biopsy.Input, f *traits.File, t *tally, x found) (biopsy.Evidence, error) {
	v, err := s.version(in, f, t, x)
	if err != nil {
		return biopsy.Evidence{}, err
	}
	name := s.comps[x.component]
	c := biopsy.Claim{Kind: biopsy.Library, Eco: name.Eco, Namespace: name.Namespace, Name: name.Name, Version: v.exact, State: biopsy.Embedded}
	if x.role == whole {
		c.State, c.Whole = biopsy.Installed, true
		if !f.Library && !x.linked {
			c.Kind = biopsy.Application
		}
	}
	if c.Version != "" {
		c.Purl = eco.Purl(c.Eco, c.Namespace, c.Name, c.Version)
	}
	quotes, first := s.quote(in, t, x.component)
	c.Extra = map[string]string{"kb:share": percent(x.share), "kb:coverage": percent(x.coverage)}
	for key, value := range map[string]string{"kb:traits": quotes, "kb:version-by": v.by, "kb:versions": strings.Join(v.possible, ",")} {
		if value != "" {
			c.Extra[key] = value
		}
	}
	if v.nearest {
		c.Extra["kb:nearest"] = "true"
	}
	p := in.Place()
	p.Offset = first
	return biopsy.Evidence{Claim: c, Place: p, Confidence: min(v.sure, x.sure())}, nil
}

func percent(f float64) string { return strconv.FormatFloat(100*f, 'f', 0, 64) + "%" }

// maxQuoted traits are shown in evidence.
const maxQuoted = 3

// quote writes the most telling traits with their offsets: names before texts, long before short.
func (s *shelf) quote(in biopsy.Input, t *tally, component uint32) (string, int64) {
	var best []traits.Trait
	for _, w := range t.witness {
		if w.component == component && w.only {
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
