package csaf

import (
	"slices"
	"strings"
)

// Product is a product id with all that the tree says of it.
type Product struct {
	ID     string
	Name   string  // full name
	Helper *Helper // nil when there is none

	// Of its branches; "" where the tree has none.
	Vendor       string
	Family       string
	Product      string // product_name
	Version      string // product_version or product_version_range, without what Kind says
	Kind         string // BranchVersion or BranchRange; "" when no branch is a version
	Patch        string // service_pack and patch_level
	Architecture string
	Rest         string // names of the other branches, joined by ", "

	// Of a relationship; nil for other products.
	Component *Product // the part
	Of        *Product // what it is part of, or stands on
	Relation  string   // category of the relationship
}

// Products are the products of a document by id, and its groups.
type Products struct {
	All    []*Product // in order of the document
	byID   map[string]*Product
	groups map[string][]string
	spent  int // members of groups that were handed out
}

// maxMembers bounds the members of groups that one document may have handed out: a hostile one names one large group in a million places.
const maxMembers = 1_000_000

// Exhausted says that Members has left groups out because the document names more of them than is sensible.
func (p *Products) Exhausted() bool { return p.spent > maxMembers }

// Find returns nil when the id is not defined.
func (p *Products) Find(id string) *Product { return p.byID[id] }

// maxDepth bounds the depth of branches and of relationships: a tree of ten levels is rare.
const maxDepth = 64

// Products resolves the product tree. Of several definitions of an id the first counts. Relationships that lead in a circle, or to what
// is not defined, leave Component or Of nil.
func (d *Document) Products() *Products {
	p := &Products{byID: map[string]*Product{}, groups: map[string][]string{}}
	t := d.ProductTree
	if t == nil {
		return p
	}
	p.branches(t.Branches, Product{}, 0)
	for i := range t.FullNames {
		p.add(&t.FullNames[i], Product{})
	}
	for i := range t.Relationships {
		p.add(&t.Relationships[i].FullName, Product{Relation: t.Relationships[i].Category})
	}
	p.relate(t.Relationships)
	for _, g := range t.Groups {
		p.groups[g.ID] = append(p.groups[g.ID], g.ProductIDs...)
	}
	return p
}

// relate fills Component and Of, a part before the whole, so that no circle comes to be.
func (p *Products) relate(all []Relationship) {
	made := make(map[string]int, len(all)) // product id -> relationship that defines it
	for i := len(all) - 1; i >= 0; i-- {
		made[all[i].FullName.ID] = i
	}
	const begun, done = 1, 2
	state := make([]uint8, len(all))
	var resolve func(id string, depth int) bool
	resolve = func(id string, depth int) bool {
		i, ok := made[id]
		if !ok || state[i] == done {
			return true
		}
		if state[i] == begun || depth > maxDepth {
			return false
		}
		state[i] = begun
		r, product := &all[i], p.byID[id]
		part, of := p.byID[r.Reference], p.byID[r.RelatesTo]
		if part != nil && of != nil && resolve(r.Reference, depth+1) && resolve(r.RelatesTo, depth+1) {
			product.Component, product.Of = part, of
		}
		state[i] = done
		return true
	}
	for i := range all {
		resolve(all[i].FullName.ID, 0)
	}
}

func (p *Products) branches(list []Branch, above Product, depth int) {
	if depth > maxDepth {
		return
	}
	for i := range list {
		b, here := &list[i], above
		here.enter(b)
		if b.Product != nil {
			p.add(b.Product, here)
		}
		p.branches(b.Branches, here, depth+1)
	}
}

func (p *Product) enter(b *Branch) {
	name := strings.TrimSpace(b.Name)
	switch b.Category {
	case BranchVendor:
		p.Vendor = name
	case BranchFamily:
		p.Family = strings.TrimSpace(p.Family + " " + name)
	case BranchName:
		p.Product = name
	case BranchVersion, BranchRange:
		p.Version, p.Kind = name, b.Category
	case "service_pack", "patch_level":
		p.Patch = strings.TrimSpace(p.Patch + " " + name)
	case "architecture":
		p.Architecture = name
	default:
		p.Rest = strings.TrimPrefix(p.Rest+", "+name, ", ")
	}
}

func (p *Products) add(n *FullName, about Product) {
	if p.byID[n.ID] != nil {
		return
	}
	about.ID, about.Name, about.Helper = n.ID, n.Name, n.Helper
	p.byID[n.ID] = &about
	p.All = append(p.All, &about)
}

// Members returns ids and the members of groups, each once, in order.
func (p *Products) Members(ids, groups []string) []string {
	for _, g := range groups {
		p.spent += 1 + len(p.groups[g])
	}
	if len(groups) == 0 || p.Exhausted() {
		return ids
	}
	seen := map[string]bool{}
	var out []string
	for _, id := range slices.Concat(append([][]string{ids}, p.groupsOf(groups)...)...) {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

func (p *Products) groupsOf(ids []string) [][]string {
	out := make([][]string, len(ids))
	for i, id := range ids {
		out[i] = p.groups[id]
	}
	return out
}
