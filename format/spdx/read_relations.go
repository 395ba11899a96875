package spdx

import (
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

// meaning is what a kind of relationship is in our words. back turns it round.
type meaning struct {
	kind  biopsy.RelationKind
	scope biopsy.Scope
	back  bool
}

// meanings holds the kinds of SPDX 2 and 3, in lower case without "_".
var meanings = map[string]meaning{
	"contains": {kind: biopsy.Contains}, "containedby": {kind: biopsy.Contains, back: true}, "packageof": {kind: biopsy.Contains, back: true},
	"expandedfromarchive": {kind: biopsy.Contains, back: true}, "expandsto": {kind: biopsy.Contains},
	"optionalcomponentof":  {kind: biopsy.Contains, scope: biopsy.Optional, back: true},
	"hasoptionalcomponent": {kind: biopsy.Contains, scope: biopsy.Optional},
	"dependson":            {kind: biopsy.DependsOn}, "dependencyof": {kind: biopsy.DependsOn, back: true},
	"dynamiclink": {kind: biopsy.DependsOn}, "staticlink": {kind: biopsy.DependsOn}, "hasdynamiclink": {kind: biopsy.DependsOn}, "hasstaticlink": {kind: biopsy.DependsOn},
	"hasprerequisite": {kind: biopsy.DependsOn}, "prerequisitefor": {kind: biopsy.DependsOn, back: true},
	"runtimedependencyof":  {kind: biopsy.DependsOn, scope: biopsy.Runtime, back: true},
	"optionaldependencyof": {kind: biopsy.DependsOn, scope: biopsy.Optional, back: true}, "hasoptionaldependency": {kind: biopsy.DependsOn, scope: biopsy.Optional},
	"devdependencyof": {kind: biopsy.DependsOn, scope: biopsy.Development, back: true}, "builddependencyof": {kind: biopsy.DependsOn, scope: biopsy.Development, back: true},
	"testdependencyof": {kind: biopsy.DependsOn, scope: biopsy.Development, back: true}, "buildtoolof": {kind: biopsy.DependsOn, scope: biopsy.Development, back: true},
	"devtoolof": {kind: biopsy.DependsOn, scope: biopsy.Development, back: true}, "testtoolof": {kind: biopsy.DependsOn, scope: biopsy.Development, back: true},
	"provideddependencyof": {kind: biopsy.DependsOn, back: true}, "hasprovideddependency": {kind: biopsy.DependsOn},
	"generatedfrom": {kind: biopsy.BuiltFrom}, "generates": {kind: biopsy.BuiltFrom, back: true},
}

// nobody are the ends that say "none" and "no statement".
func none(ref string) bool { return ref == "NONE" || strings.HasSuffix(ref, "/NoneElement") }
func noWord(ref string) bool {
	return ref == "NOASSERTION" || strings.HasSuffix(ref, "/NoAssertionElement")
}
func plain(kind string) string { return strings.ToLower(strings.ReplaceAll(kind, "_", "")) }

func (d *document) relationship(r *relationship) {
	from, to, kind := r.SpdxElementID, r.RelatedSpdxElement, plain(r.RelationshipType)
	kind = strings.TrimPrefix(kind, "relationshiptype")
	m, known := meanings[kind]
	switch {
	case kind == "describes" && d.docs[from]:
		d.describes(to)
	case kind == "describedby" && d.docs[to]:
		d.describes(from)
	case none(to) || noWord(to):
		d.completeness(from, to, m.kind)
	case d.docs[from] || d.docs[to]: // what a document itself contains or amends is no software
	case kind == "other" && strings.HasPrefix(r.Comment, "evident-by"):
		d.evident = append(d.evident, pair{from, to})
	case !known:
		if d.foreign == nil {
			d.foreign = map[string]int{}
		}
		d.foreign[r.RelationshipType]++
	case m.back:
		d.Relate(to, from, m.kind, m.scope)
	default:
		d.Relate(from, to, m.kind, m.scope)
	}
}

func (d *document) describes(ref string) {
	if d.said == nil {
		d.said = map[string]bool{}
	}
	if !d.said[ref] {
		d.said[ref] = true
		d.described = append(d.described, ref)
	}
}

// completeness takes "depends on NONE" for a full statement, and "NOASSERTION" for an incomplete one.
func (d *document) completeness(from, to string, kind biopsy.RelationKind) {
	c := bom.Composition{Aggregate: "incomplete"}
	if none(to) {
		c.Aggregate = "complete"
	}
	switch kind {
	case biopsy.Contains:
		c.Assemblies = []string{from}
	case biopsy.DependsOn:
		c.Dependencies = []string{from}
	default:
		return
	}
	if n := len(d.complete); n > 0 && d.complete[n-1].Aggregate == c.Aggregate && (d.complete[n-1].Dependencies != nil) == (c.Dependencies != nil) {
		d.complete[n-1].Assemblies = append(d.complete[n-1].Assemblies, c.Assemblies...)
		d.complete[n-1].Dependencies = append(d.complete[n-1].Dependencies, c.Dependencies...)
		return
	}
	d.complete = append(d.complete, c)
}

// witness turns "evident by this file" into evidence.
func (d *document) witness(p pair) {
	c, file := d.Component(p.a), d.files[p.b]
	if c == nil || file == "" {
		return
	}
	e := biopsy.Evidence{Claim: c.Evidence[0].Claim, Place: biopsy.Place{Path: file}, Reader: Reader, Basis: biopsy.Attestation, Confidence: bom.Confidence}
	c.Evidence = append(c.Evidence, e)
}

// subject finds what the document is about. One described element is the subject; it stays a component when something names it as
// software. Several are parts of a subject that has the document's name.
func (d *document) subject() {
	d.out.Subject.Name = d.title
	if len(d.described) != 1 {
		for _, ref := range d.described {
			d.Relate("artifact:0", ref, biopsy.Contains, "")
		}
		d.Artifact("artifact:0", 0)
		return
	}
	ref := d.described[0]
	d.Artifact("artifact:0", 0)
	c := d.Component(ref)
	if c == nil {
		if s, ok := d.subjects[ref]; ok {
			d.out.Subject = s
		}
		return
	}
	d.out.Subject = subjectOf(c)
	switch {
	case c.Extra[bom.SubjectKey] != "": // a scan has written that it is both
	case c.Purl == "" && len(c.CPEs) == 0:
		d.Demote(ref, 0)
		return
	default:
		bom.Keep(c, bom.SubjectKey, "true")
	}
	d.out.SubjectID = c.ID
	d.Relate("artifact:0", ref, biopsy.Contains, "")
}
