package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// merge makes the component of a settled draft. The first evidence that speaks about a field wins; lists are united.
func (b *builder) merge(d *draft) biopsy.Component {
	first := d.first().Claim
	c := biopsy.Component{
		ID: d.id, Kind: first.Kind, Eco: first.Eco, Namespace: first.Namespace, Name: first.Name, Version: first.Version, Purl: first.Purl,
		Arch: first.Arch, Distro: first.Distro, Unowned: d.unowned, Evidence: d.evidence,
	}
	hashes := map[string][]string{}
	scopes := map[biopsy.Scope]bool{}
	for i := range d.evidence {
		e := &d.evidence[i]
		x := &e.Claim
		x.Owns, x.Needs = nil, nil // they have become relations
		c.Kind = cmp.Or(c.Kind, x.Kind)
		c.Supplier = cmp.Or(c.Supplier, x.Supplier)
		c.Description = cmp.Or(c.Description, x.Description)
		c.Homepage = cmp.Or(c.Homepage, x.Homepage)
		c.Repository = cmp.Or(c.Repository, x.Repository)
		c.Download = cmp.Or(c.Download, x.Download)
		if c.Source == nil {
			c.Source = x.Source
		}
		if stateRank(x.State) > stateRank(c.State) {
			c.State = x.State
		}
		if !x.About {
			scopes[x.Scope] = true
		}
		c.CPEs = append(c.CPEs, x.CPEs...)
		c.Licenses = append(c.Licenses, x.Licenses...)
		gatherHashes(hashes, e)
		c.Extra = gatherExtra(c.Extra, x.Extra)
	}
	c.Scope = weigh(scopes)
	c.Hashes = agreed(hashes)
	slices.Sort(c.CPEs)
	c.CPEs = slices.Compact(c.CPEs)
	slices.SortFunc(c.Licenses, func(x, y biopsy.License) int {
		return cmp.Or(cmp.Compare(x.Basis, y.Basis), cmp.Compare(x.Expression, y.Expression), cmp.Compare(x.Name, y.Name), cmp.Compare(x.URL, y.URL))
	})
	c.Licenses = slices.Compact(c.Licenses)
	slices.Sort(d.aliases)
	c.Aliases = slices.DeleteFunc(slices.Compact(d.aliases), func(a string) bool { return a == c.Purl })
	c.Layer = b.oldestLayer(d)
	return c
}

// weigh says what a component is needed for when its claims differ: shipped once is shipped, and who knows outranks who does not.
func weigh(scopes map[biopsy.Scope]bool) biopsy.Scope {
	for _, s := range []biopsy.Scope{biopsy.Runtime, biopsy.Optional, biopsy.Development} {
		if scopes[s] {
			return s
		}
	}
	return ""
}

func gatherHashes(all map[string][]string, e *biopsy.Evidence) {
	hs := e.Claim.Hashes
	if e.Claim.Whole && e.Digest != "" {
		hs = append(slices.Clip(hs), biopsy.Hash{Alg: "SHA-256", Value: strings.TrimPrefix(e.Digest, "sha256:")})
	}
	for _, h := range hs {
		if !slices.Contains(all[h.Alg], h.Value) {
			all[h.Alg] = append(all[h.Alg], h.Value)
		}
	}
}

// agreed keeps the digests that all evidence agrees on; where it does not, each claim still shows its own.
func agreed(all map[string][]string) []biopsy.Hash {
	var hs []biopsy.Hash
	for _, alg := range slices.Sorted(maps.Keys(all)) {
		if len(all[alg]) == 1 {
			hs = append(hs, biopsy.Hash{Alg: alg, Value: all[alg][0]})
		}
	}
	return hs
}

func gatherExtra(into, from map[string]string) map[string]string {
	for k, v := range from {
		if k == "root" {
			continue
		}
		if into == nil {
			into = map[string]string{}
		}
		if _, known := into[k]; !known {
			into[k] = v
		}
	}
	return into
}

// oldestLayer returns the layer that first brought the component, shadowed evidence included.
func (b *builder) oldestLayer(d *draft) string {
	for _, l := range b.art.Layers {
		for i := range d.evidence {
			if d.evidence[i].Place.Layer == l.DiffID && !d.evidence[i].Claim.About {
				return l.DiffID
			}
		}
	}
	return ""
}
