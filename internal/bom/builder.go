package bom

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
)

// Builder folds components and references, in whatever order a document gives them, into an inventory.
type Builder struct {
	components []biopsy.Component
	byID       map[string]int32 // component id -> index
	refs       map[string]int32 // the document's own reference -> index in targets
	targets    []int32          // index of a component, or unknown, or artifact(n)
	names      []string         // the reference itself, by the same index
	edges      []edge
	words      words          // "" first
	folded     map[int32]bool // indexes of components that others were folded into
	gaps       []biopsy.Gap
	dropped    int // gaps beyond MaxGaps
}

// edge is small, for a document may have millions: kind and scope are indexes in words.
type edge struct {
	from, to    int32
	kind, scope uint8
	weak        bool
}

// words numbers the few kinds and scopes of a document's edges. A document with more than 255 of them has its further ones read as "".
type words []string

func (w *words) index(word string) uint8 {
	if i := slices.Index(*w, word); i >= 0 {
		return uint8(i)
	}
	if len(*w) == 256 {
		return 0
	}
	*w = append(*w, word)
	return uint8(len(*w) - 1)
}

const unknown = -1

func artifact(n int) int32 { return int32(-2 - n) }

// Add takes a component under the document's own reference, which may be "". It returns the component's id: what its fields give, but
// for a component without purl that has an id from the scan that wrote it.
func (b *Builder) Add(ref string, c biopsy.Component) string {
	if b.byID == nil {
		b.byID = map[string]int32{}
	}
	if c.ID == "" || c.Purl != "" {
		c.ID = biopsy.ComponentID(&c)
	}
	i, ok := b.byID[c.ID]
	if ok {
		fold(&b.components[i], &c)
		if b.folded == nil {
			b.folded = map[int32]bool{}
		}
		b.folded[i] = true
	} else {
		i = int32(len(b.components))
		b.byID[c.ID] = i
		b.components = append(b.components, c)
	}
	if ref != "" {
		b.point(ref, i)
	}
	return c.ID
}

// Artifact makes a reference mean artifact n of the inventory.
func (b *Builder) Artifact(ref string, n int) {
	if ref != "" {
		b.point(ref, artifact(n))
	}
}

// point keeps the first meaning of a reference that a document gives twice, and says so.
func (b *Builder) point(ref string, target int32) {
	r := b.ref(ref)
	switch b.targets[r] {
	case unknown:
		b.targets[r] = target
	case target:
	default:
		b.Gap(biopsy.Gap{Reason: fmt.Sprintf("reference %.80q names two things; the first is kept", ref)})
	}
}

func (b *Builder) ref(ref string) int32 {
	if b.refs == nil {
		b.refs = map[string]int32{}
	}
	r, ok := b.refs[ref]
	if !ok {
		r = int32(len(b.targets))
		b.refs[ref] = r
		b.targets = append(b.targets, unknown)
		b.names = append(b.names, ref)
	}
	return r
}

// Relate adds an edge between two of the document's references; either may be added later.
func (b *Builder) Relate(from, to string, kind biopsy.RelationKind, scope biopsy.Scope) {
	b.add(from, to, kind, scope, false)
}

// Hint adds an edge of a document that knows one kind of edge only: depends-on, or contains when it starts at an artifact. Any edge of
// Relate between the same two replaces it.
func (b *Builder) Hint(from, to string) {
	b.add(from, to, biopsy.DependsOn, "", true)
}

// Hold adds a contains edge that a document implies by its order; any edge of Relate between the same two replaces it.
func (b *Builder) Hold(from, to string) {
	b.add(from, to, biopsy.Contains, "", true)
}

func (b *Builder) add(from, to string, kind biopsy.RelationKind, scope biopsy.Scope, weak bool) {
	if b.words == nil {
		b.words = words{""}
	}
	b.edges = append(b.edges, edge{b.ref(from), b.ref(to), b.words.index(string(kind)), b.words.index(string(scope)), weak})
}

// Gap keeps what could not be read.
func (b *Builder) Gap(g biopsy.Gap) {
	if len(b.gaps) >= MaxGaps {
		b.dropped++
		return
	}
	b.gaps = append(b.gaps, g)
}

// ID returns what a reference means in the inventory: a component id, "artifact:N", or "" when nothing was added under it.
func (b *Builder) ID(ref string) string {
	r, ok := b.refs[ref]
	if !ok {
		return ""
	}
	return b.id(r)
}

func (b *Builder) id(r int32) string {
	switch t := b.targets[r]; {
	case t >= 0:
		return b.components[t].ID
	case t == unknown:
		return ""
	default:
		return "artifact:" + strconv.Itoa(int(-2-t))
	}
}

// Component returns what was added under a reference, for what a document says of it later; nil when nothing was, and for artifacts. Its
// identity (kind, names, version, purl, hashes) may not change.
func (b *Builder) Component(ref string) *biopsy.Component {
	r, ok := b.refs[ref]
	if !ok || b.targets[r] < 0 {
		return nil
	}
	return &b.components[b.targets[r]]
}

// Demote takes a component out again and makes all its references mean artifact n: a document said late that it is the subject.
func (b *Builder) Demote(ref string, n int) {
	r, ok := b.refs[ref]
	if !ok || b.targets[r] < 0 {
		return
	}
	i := b.targets[r]
	delete(b.byID, b.components[i].ID)
	b.components[i].ID = ""
	for j, t := range b.targets {
		if t == i {
			b.targets[j] = artifact(n)
		}
	}
}

// Len is how many different components there are so far.
func (b *Builder) Len() int { return len(b.components) }

// Inventory returns everything sorted. Edges to what is not in the document become gaps. name and reader say whose gaps they are.
func (b *Builder) Inventory(name, reader string) biopsy.Inventory {
	inv := biopsy.Inventory{Relations: b.relations()}
	for i := range b.folded {
		distinct(&b.components[i])
	}
	inv.Components = slices.DeleteFunc(b.components, func(c biopsy.Component) bool { return c.ID == "" })
	if b.dropped > 0 {
		b.gaps = append(b.gaps, biopsy.Gap{Reason: fmt.Sprintf("%d more gaps of this kind are not listed", b.dropped)})
	}
	for i := range b.gaps {
		g := &b.gaps[i]
		g.Reader = reader
		if g.Place.Path == "" {
			g.Place.Path = name
		}
	}
	inv.Gaps = b.gaps
	slices.SortFunc(inv.Components, func(x, y biopsy.Component) int { return strings.Compare(x.ID, y.ID) })
	for i := range inv.Components {
		sortComponent(&inv.Components[i])
	}
	*b = Builder{}
	return inv
}

// relations resolves the edges, drops weak ones beside strong ones, and sorts.
func (b *Builder) relations() []biopsy.Relation {
	b.resolve()
	slices.SortFunc(b.edges, func(x, y edge) int {
		return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to), order(x.weak, y.weak),
			strings.Compare(b.words[x.kind], b.words[y.kind]), strings.Compare(b.words[x.scope], b.words[y.scope]))
	})
	if len(b.edges) == 0 {
		return nil
	}
	out := make([]biopsy.Relation, 0, len(b.edges))
	for i, e := range b.edges {
		if i > 0 {
			last := b.edges[i-1]
			if last == e || (e.weak && last.from == e.from && last.to == e.to) {
				continue
			}
		}
		out = append(out, biopsy.Relation{From: b.target(e.from), To: b.target(e.to), Kind: biopsy.RelationKind(b.words[e.kind]), Scope: biopsy.Scope(b.words[e.scope])})
	}
	slices.SortFunc(out, func(x, y biopsy.Relation) int {
		return cmp.Or(strings.Compare(x.From, y.From), strings.Compare(string(x.Kind), string(y.Kind)), strings.Compare(x.To, y.To),
			strings.Compare(string(x.Scope), string(y.Scope)))
	})
	return out
}

// resolve turns the references of all edges into targets, and leaves out those that mean nothing or point at themselves.
func (b *Builder) resolve() {
	kept := b.edges[:0]
	for _, e := range b.edges {
		from, to := b.targets[e.from], b.targets[e.to]
		switch {
		case from == unknown:
			b.dangling(e.from)
		case to == unknown:
			b.dangling(e.to)
		case from == to: // two references folded into one component, or a document that loops
		default:
			if e.weak && from < unknown {
				e.kind = b.words.index(string(biopsy.Contains))
			}
			e.from, e.to = from, to
			kept = append(kept, e)
		}
	}
	b.edges = kept
}

func (b *Builder) dangling(ref int32) {
	b.Gap(biopsy.Gap{Reason: fmt.Sprintf("relation with %.80q, which is not in the document", b.names[ref])})
}

func (b *Builder) target(t int32) string {
	if t >= 0 {
		return b.components[t].ID
	}
	return "artifact:" + strconv.Itoa(int(-2-t))
}

func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// sortComponent sorts what has an order of its own; evidence stays as the document has it.
func sortComponent(c *biopsy.Component) {
	slices.Sort(c.Aliases)
	slices.SortFunc(c.Hashes, func(x, y biopsy.Hash) int {
		return cmp.Or(strings.Compare(x.Alg, y.Alg), strings.Compare(x.Value, y.Value))
	})
}

// Each calls do for every component, in the order they were added. Their identity may not change.
func (b *Builder) Each(do func(*biopsy.Component)) {
	for i := range b.components {
		if b.components[i].ID != "" {
			do(&b.components[i])
		}
	}
}
