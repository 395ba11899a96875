package refdb

import (
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
	at      map[string]uint32 // id in lower case -> node
	names   []string          // by node, as first seen
	parent  []uint32          // by node; a root is its own parent
	members map[uint32][]string
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
	g.members = map[uint32][]string{}
	for i := range g.names {
		r := g.root(uint32(i))
		g.members[r] = append(g.members[r], g.names[i])
	}
	for _, m := range g.members {
		slices.Sort(m)
	}
}

// of returns all names of the hole or holes of a record, sorted, without id.
func (g *groups) of(id string, own []string) []string {
	var out []string
	for _, name := range append([]string{id}, own...) {
		if n, ok := g.at[strings.ToLower(name)]; ok {
			out = append(out, g.members[g.root(n)]...)
		} else {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return slices.DeleteFunc(out, func(s string) bool { return strings.EqualFold(s, id) })
}

func (g *groups) node(id string) uint32 {
	key := strings.ToLower(id)
	n, ok := g.at[key]
	if !ok {
		n = uint32(len(g.names))
		g.at[strings.Clone(key)] = n
		g.names = append(g.names, strings.Clone(id))
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
