// Package reconcile makes components of claims.
//
// What comes in: the evidence of one artifact, in any order. What goes out: its components and relations, sorted. It will never
// drop a claim silently: each ends as evidence of a component, or is about a component that does not exist and says nothing else.
//
// The rules, in the order in which they are applied:
//
//  1. Distribution packages learn their distribution from the os-release of the same tree.
//  2. Claims about one thing, by purl, a plain file by its bytes, else by kind, name and version, are one component.
//  3. A claim without a version joins the components of its name in the same tree, or the version that a file manages for all
//     (central package management, constraints); alone, it stays without a version.
//  4. What a package installed in its tree is the package: the claim of a language's metadata at an owned file folds into the owner
//     as an alias, and an owned program is not reported again. What is embedded in an owned file is contained by the owner. What
//     manifests and locks inside an installed package ask for was for building that package, and makes no component.
//  5. A program that names itself another way (build info, jar) takes the plain program's evidence; a program that no package owns,
//     in a tree that has a package database, is flagged. What a file says of itself yields to what its very bytes are known to be.
//  6. Needs become edges: by purl, else by name in the same tree, nearest first.
package reconcile

import (
	"cmp"
	"slices"

	"github.com/biopsy-sca/biopsy"
)

// Run reconciles the evidence of one artifact; index is its place in the scan's list of artifacts. It reorders evidence.
func Run(index int, art biopsy.Artifact, evidence []biopsy.Evidence) ([]biopsy.Component, []biopsy.Relation) {
	slices.SortStableFunc(evidence, order)
	evidence = slices.CompactFunc(evidence, same)
	trees := readTrees(evidence)
	b := &builder{art: art, trees: trees, byKey: map[string]*draft{}}
	var about, loose []biopsy.Evidence
	for _, e := range evidence {
		trees.name(&e.Claim, e.Place)
		switch {
		case e.Claim.About && !trees.onlyLegacy(e):
			about = append(about, e)
		case e.Claim.Version == "" && e.Claim.Eco != "":
			loose = append(loose, e)
		default:
			b.add(e)
		}
	}
	b.addLoose(loose, about)
	b.addAbout(about)
	own := b.owners()
	b.fold(own)
	relations := b.relate(index, own)
	return b.components(), relations
}

func order(a, b biopsy.Evidence) int {
	return cmp.Or(a.Place.Compare(b.Place), cmp.Compare(a.Reader, b.Reader), cmp.Compare(a.Claim.Eco, b.Claim.Eco),
		cmp.Compare(a.Claim.Namespace, b.Claim.Namespace), cmp.Compare(a.Claim.Name, b.Claim.Name),
		cmp.Compare(a.Claim.Version, b.Claim.Version), cmp.Compare(a.Claim.Purl, b.Claim.Purl), cmp.Compare(a.Claim.Arch, b.Claim.Arch),
		cmp.Compare(a.Claim.State, b.Claim.State), cmp.Compare(a.Claim.Scope, b.Claim.Scope), cmp.Compare(a.Digest, b.Digest))
}

// same tells a claim that a reader made twice at one place.
func same(a, b biopsy.Evidence) bool {
	return order(a, b) == 0 && a.Shadowed == b.Shadowed && len(a.Claim.Needs) == len(b.Claim.Needs) && len(a.Claim.Owns) == len(b.Claim.Owns)
}
