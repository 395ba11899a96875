package refdb

import (
	"cmp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// groups joins ids that are names of one hole. OSV's aliases hold both ways and through each other, so they are closed here once,
// for all records.
//
// A record that has several CVEs as aliases is a notice about several holes (each CVE is one by CVE's own rules): it is a member of
// each of their groups but does not join them.
type groups struct {
	at     map[string]uint32 // id in upper case, as most are -> node
	names  []string          // by node, as first seen
	parent []uint32          // by node; a root is its own parent
	order  []uint32          // after close: nodes by root, then by name
	first  []uint32          // after close: by root, where its nodes begin in order
}

func newGroups() *groups { return &groups{at: map[string]uint32{}} }

// add learns what one record says. Records come in a fixed order, so spelling and roots are the same every time.
func (g *groups) add(a *biopsy.Advisory) {
	if len(a.Aliases) == 0 || severalHoles(a) {
		return
	}
	n := g.node(a.ID)
	for _, alias := range a.Aliases {
		g.parent[g.root(g.node(alias))] = g.root(n)
	}
}

// close ends the learning.
func (g *groups) close() {
	g.order, g.first = make([]uint32, len(g.names)), make([]uint32, len(g.names))
	for i := range g.order {
		g.order[i] = uint32(i)
	}
	slices.SortFunc(g.order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(g.root(a), g.root(b)), cmp.Compare(g.names[a], g.names[b]))
	})
	for i := len(g.order) - 1; i >= 0; i-- {
		g.first[g.root(g.order[i])] = uint32(i)
	}
}

// of returns all names of the hole or holes of a record, sorted, without id.
func (g *groups) of(id string, own []string) []string {
	out := g.with(nil, id)
	for _, name := range own {
		out = g.with(out, name)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return slices.DeleteFunc(out, func(s string) bool { return strings.EqualFold(s, id) })
}

// with appends the names of the group that name is in, or name alone.
func (g *groups) with(out []string, name string) []string {
	n, ok := g.at[strings.ToUpper(name)]
	if !ok {
		return append(out, name)
	}
	root := g.root(n)
	for _, m := range g.order[g.first[root]:] {
		if g.root(m) != root {
			break
		}
		out = append(out, g.names[m])
	}
	return out
}

func (g *groups) node(id string) uint32 {
	key := strings.ToUpper(id)
	n, ok := g.at[key]
	if !ok {
		n = uint32(len(g.names))
		name := strings.Clone(id)
		if key == id {
			key = name // one copy serves both
		}
		g.at[key] = n
		g.names = append(g.names, name)
		g.parent = append(g.parent, n)
	}
	return n
}

func (g *groups) root(n uint32) uint32 {
	for g.parent[n] != n {
		g.parent[n] = g.parent[g.parent[n]]
		n = g.parent[n]
	}
	return n
}

func severalHoles(a *biopsy.Advisory) bool {
	cves := 0
	for _, alias := range a.Aliases {
		if strings.HasPrefix(alias, "CVE-") {
			cves++
		}
	}
	return cves > 1
}
