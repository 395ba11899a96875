package spdx

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

func (o *writer3) relate(from, kind string, to []string, completeness, scope string) error {
	r := relation3{node: o.node("Relationship", o.iri("relation-"+strconv.Itoa(o.n)), ""), From: from, To: to, RelationshipType: kind, Completeness: completeness, Scope: scope}
	if scope != "" {
		r.Type = "LifecycleScopedRelationship"
	}
	return o.emit(r)
}

// relationships writes the edges, those of one end and kind together.
func (o *writer3) relationships() error {
	if err := o.wholes(); err != nil {
		return err
	}
	all := o.edges.All()
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && all[j].From == all[i].From {
			j++
		}
		if err := o.edgesOf(all[i:j]); err != nil {
			return err
		}
		i = j
	}
	for _, i := range bom.ByID(o.Components) {
		c := &o.Components[i]
		if bom.Resolved(c) && len(o.edges.From(c.ID)) == 0 {
			if err := o.relate(o.ref(c.ID), "dependsOn", []string{noneElement}, "complete", ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// wholes writes what the subject contains beyond the scan's own edges: its artifacts, components that nothing points to, and, when there
// are gaps, that there may be more.
func (o *writer3) wholes() error {
	var to []string
	if len(o.Artifacts) > 1 {
		for i := range o.Artifacts {
			to = append(to, o.ref("artifact:"+strconv.Itoa(i)))
		}
	}
	for _, i := range bom.ByID(o.Components) {
		if i != o.subject && !o.edges.Reached(o.Components[i].ID) {
			to = append(to, o.ref(o.Components[i].ID))
		}
	}
	completeness := "noAssertion"
	if len(o.Gaps) > 0 {
		completeness = "incomplete"
		if to == nil {
			to = []string{noAssertionElement}
		}
	}
	if to == nil {
		return nil
	}
	return o.relate(o.root(), "contains", to, completeness, "")
}

// edgesOf writes the edges of one end.
func (o *writer3) edgesOf(edges []biopsy.Relation) error {
	complete := ""
	for i := range edges {
		if edges[i].Kind == biopsy.DependsOn && o.resolved(edges[i].From) {
			complete = "complete"
		}
	}
	groups := map[[2]string][]string{}
	for _, r := range edges {
		kind, scope := kind3(r)
		if kind == "generates" {
			if err := o.relate(o.ref(r.To), kind, []string{o.ref(r.From)}, "", ""); err != nil {
				return err
			}
			continue
		}
		if from, to := o.ref(r.From), o.ref(r.To); from != to {
			groups[[2]string{kind, scope}] = append(groups[[2]string{kind, scope}], to)
		}
	}
	keys := slices.SortedFunc(maps.Keys(groups), func(a, b [2]string) int { return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1])) })
	for _, k := range keys {
		completeness := ""
		if k[0] == "dependsOn" {
			completeness = complete
		}
		if err := o.relate(o.ref(edges[0].From), k[0], groups[k], completeness, k[1]); err != nil {
			return err
		}
	}
	return nil
}

func (o *writer3) resolved(id string) bool {
	i, ok := slices.BinarySearchFunc(o.Components, id, func(c biopsy.Component, id string) int { return strings.Compare(c.ID, id) })
	return ok && bom.Resolved(&o.Components[i])
}

// kind3 names a relation, and its lifecycle scope where it has one.
func kind3(r biopsy.Relation) (kind, scope string) {
	switch {
	case r.Kind == biopsy.Contains:
		return "contains", ""
	case r.Kind == biopsy.BuiltFrom:
		return "generates", ""
	case r.Scope == biopsy.Optional:
		return "hasOptionalDependency", ""
	case r.Scope == biopsy.Runtime || r.Scope == biopsy.Development:
		return "dependsOn", string(r.Scope)
	}
	return "dependsOn", ""
}
