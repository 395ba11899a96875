package bom

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
)

// Edges answers questions about a scan's relations for a writer.
type Edges struct {
	byFrom, byTo []biopsy.Relation
}

// NewEdges sorts a scan's relations both ways; the scan's own slice is left as it is. A relation with an end that is no component and no
// artifact of the scan is left out: a document may not refer to what is not in it.
func NewEdges(s *biopsy.Scan) Edges {
	known := make(map[string]bool, len(s.Components)+len(s.Artifacts))
	for i := range s.Components {
		known[s.Components[i].ID] = true
	}
	for i := range max(len(s.Artifacts), 1) {
		known["artifact:"+strconv.Itoa(i)] = true
	}
	kept := make([]biopsy.Relation, 0, len(s.Relations))
	for _, r := range s.Relations {
		if known[r.From] && known[r.To] {
			kept = append(kept, r)
		}
	}
	e := Edges{byFrom: kept, byTo: slices.Clone(kept)}
	slices.SortFunc(e.byFrom, func(x, y biopsy.Relation) int {
		return cmp.Or(strings.Compare(x.From, y.From), strings.Compare(x.To, y.To), strings.Compare(string(x.Kind), string(y.Kind)),
			strings.Compare(string(x.Scope), string(y.Scope)))
	})
	slices.SortFunc(e.byTo, func(x, y biopsy.Relation) int {
		return cmp.Or(strings.Compare(x.To, y.To), strings.Compare(x.From, y.From), strings.Compare(string(x.Kind), string(y.Kind)),
			strings.Compare(string(x.Scope), string(y.Scope)))
	})
	return e
}

// All returns every relation, by From.
func (e Edges) All() []biopsy.Relation { return e.byFrom }

// From returns the relations that start at id.
func (e Edges) From(id string) []biopsy.Relation {
	i := sort.Search(len(e.byFrom), func(i int) bool { return e.byFrom[i].From >= id })
	j := i
	for j < len(e.byFrom) && e.byFrom[j].From == id {
		j++
	}
	return e.byFrom[i:j]
}

// Into returns the relations that end at id.
func (e Edges) Into(id string) []biopsy.Relation {
	i := sort.Search(len(e.byTo), func(i int) bool { return e.byTo[i].To >= id })
	j := i
	for j < len(e.byTo) && e.byTo[j].To == id {
		j++
	}
	return e.byTo[i:j]
}

// Reached tells whether anything contains id or depends on it.
func (e Edges) Reached(id string) bool {
	return slices.ContainsFunc(e.Into(id), func(r biopsy.Relation) bool { return r.Kind != biopsy.BuiltFrom })
}

// Froms lists every end that relations start at, and root, sorted.
func (e Edges) Froms(root string) []string {
	out := []string{root}
	for i, r := range e.byFrom {
		if i == 0 || r.From != e.byFrom[i-1].From {
			out = append(out, r.From)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// To lists what id contains or depends on, each once, sorted, under the names that ref gives.
func (e Edges) To(id string, ref func(string) string) []string {
	var out []string
	for _, r := range e.From(id) {
		if r.Kind != biopsy.BuiltFrom {
			out = append(out, ref(r.To))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// SubjectOf returns the index of the component that the scan is about, as an SBOM named it; -1 when there is none or more than one.
func SubjectOf(s *biopsy.Scan) int {
	found := -1
	for i := range s.Components {
		if s.Components[i].Extra[SubjectKey] == "" {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
	return found
}

// ByID returns the indexes of components in the order of their ids, each id once.
func ByID(components []biopsy.Component) []int {
	out := make([]int, len(components))
	for i := range out {
		out[i] = i
	}
	slices.SortFunc(out, func(i, j int) int { return strings.Compare(components[i].ID, components[j].ID) })
	return slices.CompactFunc(out, func(i, j int) bool { return components[i].ID == components[j].ID })
}
