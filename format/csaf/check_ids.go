package csaf

import (
	"fmt"
	"slices"
	"time"

	"github.com/biopsy-sca/biopsy/eco"
)

// references calls use for every product id and group id that something refers to.
func (c *checker) references(product, group func(id, pointer string)) {
	use := func(visit func(id, pointer string), ids []string, pointer string, args ...any) {
		for i, id := range ids {
			visit(id, fmt.Sprintf(pointer, args...)+fmt.Sprintf("/%d", i))
		}
	}
	if t := c.ProductTree; t != nil {
		for i, g := range t.Groups {
			use(product, g.ProductIDs, "/product_tree/product_groups/%d/product_ids", i)
		}
		for i, r := range t.Relationships {
			product(r.Reference, fmt.Sprintf("/product_tree/relationships/%d/product_reference", i))
			product(r.RelatesTo, fmt.Sprintf("/product_tree/relationships/%d/relates_to_product_reference", i))
		}
	}
	both := func(products, groups []string, pointer string, args ...any) {
		use(product, products, pointer+"/product_ids", args...)
		use(group, groups, pointer+"/group_ids", args...)
	}
	for i, n := range c.Document.Document.Notes {
		both(n.ProductIDs, n.GroupIDs, "/document/notes/%d", i)
	}
	c.each(func(i int, v *Vulnerability) {
		for _, l := range v.Status.lists() {
			use(product, l.ids, "/vulnerabilities/%d/product_status/%s", i, l.name)
		}
		for j, s := range v.Scores {
			use(product, s.Products, "/vulnerabilities/%d/scores/%d/products", i, j)
		}
		for j, m := range v.Metrics {
			use(product, m.Products, "/vulnerabilities/%d/metrics/%d/products", i, j)
		}
		for j, r := range v.Remediations {
			both(r.ProductIDs, r.GroupIDs, "/vulnerabilities/%d/remediations/%d", i, j)
		}
		for j, t := range v.Threats {
			both(t.ProductIDs, t.GroupIDs, "/vulnerabilities/%d/threats/%d", i, j)
		}
		for j, f := range v.Flags {
			both(f.ProductIDs, f.GroupIDs, "/vulnerabilities/%d/flags/%d", i, j)
		}
		for j, n := range v.Notes {
			both(n.ProductIDs, n.GroupIDs, "/vulnerabilities/%d/notes/%d", i, j)
		}
		for j, n := range v.Involvements {
			both(n.ProductIDs, n.GroupIDs, "/vulnerabilities/%d/involvements/%d", i, j)
		}
		for j, e := range v.FirstExploited {
			both(e.ProductIDs, e.GroupIDs, "/vulnerabilities/%d/first_known_exploitation_dates/%d", i, j)
		}
	})
}

// definitions calls visit for every full product name.
func (c *checker) definitions(visit func(n *FullName, pointer string)) {
	t := c.ProductTree
	if t == nil {
		return
	}
	c.branches(func(b *Branch, pointer string) {
		if b.Product != nil {
			visit(b.Product, pointer+"/product")
		}
	})
	for i := range t.FullNames {
		visit(&t.FullNames[i], fmt.Sprintf("/product_tree/full_product_names/%d", i))
	}
	for i := range t.Relationships {
		visit(&t.Relationships[i].FullName, fmt.Sprintf("/product_tree/relationships/%d/full_product_name", i))
	}
}

func (c *checker) branches(visit func(b *Branch, pointer string)) {
	var walk func(list []Branch, pointer string, depth int)
	walk = func(list []Branch, pointer string, depth int) {
		for i := range list {
			at := fmt.Sprintf("%s/branches/%d", pointer, i)
			visit(&list[i], at)
			if depth < maxDepth {
				walk(list[i].Branches, at, depth+1)
			}
		}
	}
	if c.ProductTree != nil {
		walk(c.ProductTree.Branches, "/product_tree", 0)
	}
}

func (c *checker) productsDefined() {
	c.references(func(id, pointer string) {
		if c.products.Find(id) == nil {
			c.fail("product id "+quote(id)+" is not defined", "%s", pointer)
		}
	}, func(string, string) {})
}

func (c *checker) productsDefinedOnce() {
	seen := map[string]bool{}
	c.definitions(func(n *FullName, pointer string) {
		if seen[n.ID] {
			c.fail("product id "+quote(n.ID)+" is defined before", "%s/product_id", pointer)
		}
		seen[n.ID] = true
	})
}

// noCircle walks from the product that each relationship makes to what it is made of.
func (c *checker) noCircle() {
	if c.ProductTree == nil {
		return
	}
	all := c.ProductTree.Relationships
	made := map[string][]int{}
	for i := range all {
		made[all[i].FullName.ID] = append(made[all[i].FullName.ID], i)
	}
	const begun, done = 1, 2
	state := make([]uint8, len(all))
	var walk func(i, depth int)
	walk = func(i, depth int) {
		state[i] = begun
		for _, id := range []string{all[i].Reference, all[i].RelatesTo} {
			for _, next := range made[id] {
				switch {
				case state[next] == begun || depth > 10_000:
					c.fail("product "+quote(all[i].FullName.ID)+" is made of itself", "/product_tree/relationships/%d/full_product_name/product_id", i)
				case state[next] == 0:
					walk(next, depth+1)
				}
			}
		}
		state[i] = done
	}
	for i := range all {
		if state[i] == 0 {
			walk(i, 0)
		}
	}
}

func (c *checker) groupsDefined() {
	c.references(func(string, string) {}, func(id, pointer string) {
		if _, ok := c.products.groups[id]; !ok {
			c.fail("product group "+quote(id)+" is not defined", "%s", pointer)
		}
	})
}

func (c *checker) groupsDefinedOnce() {
	if c.ProductTree == nil {
		return
	}
	seen := map[string]bool{}
	for i, g := range c.ProductTree.Groups {
		if seen[g.ID] {
			c.fail("product group "+quote(g.ID)+" is defined before", "/product_tree/product_groups/%d/group_id", i)
		}
		seen[g.ID] = true
	}
}

// contradictions are the kinds of status of which a product may have one; "recommended" goes with any.
var contradictions = map[string]string{
	"first_affected": "affected", "known_affected": "affected", "last_affected": "affected", "known_not_affected": "not affected",
	"first_fixed": "fixed", "fixed": "fixed", "under_investigation": "under investigation", "unknown": "unknown",
}

func (c *checker) noContradiction() {
	c.each(func(i int, v *Vulnerability) {
		first := map[string]string{}
		for _, l := range v.Status.lists() {
			kind := contradictions[l.name]
			if kind == "" {
				continue
			}
			for j, id := range l.ids {
				if has, ok := first[id]; ok && has != kind {
					c.fail("product "+quote(id)+" is "+kind+" here and "+has+" elsewhere", "/vulnerabilities/%d/product_status/%s/%d", i, l.name, j)
				} else {
					first[id] = kind
				}
			}
		}
	})
}

func (c *checker) purls() {
	c.definitions(func(n *FullName, pointer string) {
		if n.Helper == nil {
			return
		}
		if n.Helper.Purl != "" {
			if _, err := eco.Parse(n.Helper.Purl); err != nil {
				c.fail(err.Error(), "%s/product_identification_helper/purl", pointer)
			}
		}
		for i, p := range n.Helper.Purls {
			if _, err := eco.Parse(p); err != nil {
				c.fail(err.Error(), "%s/product_identification_helper/purls/%d", pointer, i)
			}
		}
	})
}

func (c *checker) hashOnce() {
	c.definitions(func(n *FullName, pointer string) {
		if n.Helper == nil {
			return
		}
		for i, file := range n.Helper.Hashes {
			var seen []string
			for j, h := range file.Hashes {
				if slices.Contains(seen, h.Algorithm) {
					c.fail("the file has a hash of algorithm "+quote(h.Algorithm)+" before", "%s/product_identification_helper/hashes/%d/file_hashes/%d", pointer, i, j)
				}
				seen = append(seen, h.Algorithm)
			}
		}
	})
}

func (c *checker) cveOnce() {
	seen := map[string]bool{}
	c.each(func(i int, v *Vulnerability) {
		if v.CVE != "" && seen[v.CVE] {
			c.fail(v.CVE+" has a vulnerability before", "/vulnerabilities/%d/cve", i)
		}
		seen[v.CVE] = true
	})
}

func (c *checker) involvementOnce() {
	type deed struct {
		party string
		date  time.Time
		text  string // the date when it is none
	}
	c.each(func(i int, v *Vulnerability) {
		seen := map[deed]bool{}
		for j, n := range v.Involvements {
			d := deed{party: n.Party}
			var err error
			if d.date, err = time.Parse(time.RFC3339, n.Date); err != nil {
				d.text = n.Date
			}
			d.date = d.date.UTC()
			if seen[d] {
				c.fail("party "+quote(n.Party)+" has an involvement of that date before", "/vulnerabilities/%d/involvements/%d", i, j)
			}
			seen[d] = true
		}
	})
}

func (c *checker) remediationProducts() {
	c.each(func(i int, v *Vulnerability) {
		for j, r := range v.Remediations {
			if len(r.ProductIDs)+len(r.GroupIDs) == 0 {
				c.fail("the remediation names no product", "/vulnerabilities/%d/remediations/%d", i, j)
			}
		}
	})
}

func (c *checker) flagProducts() {
	c.each(func(i int, v *Vulnerability) {
		for j, f := range v.Flags {
			if len(f.ProductIDs)+len(f.GroupIDs) == 0 {
				c.fail("the flag names no product", "/vulnerabilities/%d/flags/%d", i, j)
			}
		}
	})
}

var justifications = []string{ComponentNotPresent, InlineMitigations, CodeNotControllable, CodeNotInExecutePath, VulnerableCodeNotPresent}

func (c *checker) oneJustification() {
	c.each(func(i int, v *Vulnerability) {
		has := map[string]int{}
		for j, f := range v.Flags {
			if !slices.Contains(justifications, f.Label) {
				continue
			}
			for _, id := range c.products.Members(f.ProductIDs, f.GroupIDs) {
				if first, ok := has[id]; ok && first != j {
					c.fail("product "+quote(id)+" has a justification before", "/vulnerabilities/%d/flags/%d", i, j)
				}
				has[id] = j
			}
		}
	})
}
