package match

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/cpe"
)

// identity is another name of a component, how sure it is, and why.
type identity struct {
	cpe        string // "cpe:2.3:a:openssl:openssl"
	key        string // "openssl:openssl"
	confidence float64
	because    string
}

// Confidences. What is below sure makes of a yes an unknown; what is below guess is not asked for. They are shares of right names as
// measured on public lists of names (see identity_test.go).
const (
	stated  = 1.0  // the bytes name it: a recipe's CPE_ID, an SBOM's entry of a generic component
	curated = 0.99 // the list of names that ships
	said    = 0.95 // a feed says so
	sure    = 0.9
	guess   = 0.6
)

// Synonyms is what a book may know beside Book: the other names of a software. *refdb.Book does.
type Synonyms interface {
	Synonyms(name string) ([]biopsy.Synonym, error)
}

// identities returns the CPE names of a component, surest first. Sources, in order: the component's own bytes, then synonyms of its
// names. Only where none of these knows it, and only for software that neither a language's registry nor a distribution names, a product
// of its own name is looked for among the vendors that stand for makers without a name ("foo:foo", "foo_project:foo") and GNU.
func (w *world) identities(c *biopsy.Component) ([]identity, error) {
	var out []identity
	language := !builtFromUpstream(c.Eco)
	if !language && !isDistribution(c.Eco) {
		out = statedCPEs(c)
	}
	for _, name := range w.namesOf(c) {
		all, err := w.synonyms(name.text)
		if err != nil {
			return nil, err
		}
		out = append(out, fromSynonyms(all, name, plainName(c))...)
	}
	out = surest(out)
	if len(out) > 0 || language || isDistribution(c.Eco) {
		return out, nil
	}
	return w.guessed(c)
}

func statedCPEs(c *biopsy.Component) []identity {
	var out []identity
	for _, text := range c.CPEs {
		n, err := cpe.Parse(text)
		if err != nil || !n.Vendor.Literal() || !n.Product.Literal() {
			continue // names no product
		}
		out = append(out, identity{n.Product23(), n.Key(), stated, "stated by the component's own metadata"})
	}
	return out
}

// known is a name under which books are asked for synonyms.
type knownName struct {
	text  string
	trust float64 // what an answer is worth at most
}

// namesOf are the names that synonyms may know a component by. Debian's source packages lend their names to software that is built from
// source elsewhere, since they carry their makers' names; nothing of a language's registry is ever lent.
func (w *world) namesOf(c *biopsy.Component) []knownName {
	var out []knownName
	add := func(name string, trust float64) {
		if name != "" && !slices.ContainsFunc(out, func(k knownName) bool { return k.text == name }) {
			out = append(out, knownName{name, trust})
		}
	}
	if !builtFromUpstream(c.Eco) {
		add(purlOf(c.Eco, c.Namespace, c.Name), 1)
		return out
	}
	source, _ := sourceOf(c)
	if c.Eco == "github" || c.Eco == "gitlab" || c.Eco == "bitbucket" {
		add(repoOf(c), 1)
		if canonical := canonicalName(c, []string{c.Namespace + "/" + c.Name}, w.o); canonical != "" {
			add(purlOf("generic", "", canonical), 1)
		}
		return out
	}
	if canonical := canonicalName(c, []string{source, c.Name}, w.o); canonical != "" {
		add(purlOf("generic", "", canonical), 1)
	}
	if isDistribution(c.Eco) {
		add(purlOf(c.Eco, cmp.Or(c.Namespace, distroID(c)), source), 1)
	} else if c.Eco != "" {
		add(purlOf(c.Eco, c.Namespace, source), 1)
	}
	if repo := repoOf(c); repo != "" {
		add(repo, 1)
	}
	add(purlOf("generic", "", strings.ToLower(source)), 1)
	add(purlOf("deb", "debian", strings.ToLower(source)), said)
	return out
}

// repoOf is the repository of a component as synonyms and git ranges spell it: "github.com/openssl/openssl"; "" when none is known.
func repoOf(c *biopsy.Component) string {
	switch c.Eco {
	case "github", "gitlab", "bitbucket":
		host := map[string]string{"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}[c.Eco]
		return strings.ToLower(host + "/" + c.Namespace + "/" + c.Name)
	}
	url := c.Repository
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	if _, rest, ok := strings.Cut(url, "git@"); ok {
		url = strings.Replace(rest, ":", "/", 1)
	}
	url, _, _ = strings.Cut(url, "#")
	url, _, _ = strings.Cut(url, "?")
	return strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(url, "/"), ".git"))
}

// fromSynonyms weighs what books say of one name. Feeds and the curated list are believed; what was learned from records that name
// both is believed by how alike the names are and how often they met.
func fromSynonyms(all []biopsy.Synonym, name knownName, plain string) []identity {
	most := 0
	for i := range all {
		most = max(most, all[i].Records)
	}
	var out []identity
	for i := range all {
		s := &all[i]
		n, err := cpe.Parse(s.Same)
		if err != nil {
			continue // a name of another kind
		}
		id := identity{cpe: s.Same, key: n.Key()}
		switch {
		case s.Source == "builtin":
			id.confidence, id.because = curated, s.Name+" is "+n.Key()+" by the curated list of names"
		case s.Records == 0:
			id.confidence, id.because = said, s.Name+" is "+n.Key()+" by the word of "+s.Source
		default:
			id.confidence = learned(plain, &n, s.Records, most)
			id.because = fmt.Sprintf("%s is %s in %d records that name both", s.Name, n.Key(), s.Records)
		}
		if id.confidence = min(id.confidence, name.trust); id.confidence >= guess {
			out = append(out, id)
		}
	}
	return out
}

// learned is how sure a pair of names is that was found in records. most is the number of records of the name's most frequent partner.
func learned(plain string, n *cpe.Name, records, most int) float64 {
	alike := likeness(plain, string(n.Vendor), string(n.Product))
	switch {
	case records < 3 && alike < 3: // what two records say is wrong more often than what three say
		return 0.85
	case alike >= 2 && records*2 >= most:
		return 0.96
	case alike >= 1 && records*2 >= most:
		return 0.93
	case records*2 >= most: // what one is the host of the other's holes looks just so: Xen's are also the kernel's
		return 0.7
	}
	return 0
}

// likeness says how alike a package's plain name and a product's are: 3 the same but for marks, 2 the same but for "lib" and a number at the
// end, 1 one holds the other or the vendor is the name, 0 not at all.
func likeness(plain, vendor, product string) int {
	a, b := folded(plain), folded(product)
	switch {
	case a == "" || b == "":
		return 0
	case a == b:
		return 3
	case bare(a) == bare(b) && bare(a) != "":
		return 2
	case len(a) > 2 && len(b) > 2 && (strings.Contains(a, b) || strings.Contains(b, a)), folded(vendor) == a:
		return 1
	}
	return 0
}

// folded drops marks and case: "GDK-Pixbuf" and "gdk_pixbuf" are "gdkpixbuf".
func folded(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// bare drops "lib" and a number at the end: "libpng16" and "png" are "png".
func bare(s string) string { return strings.TrimRight(strings.TrimPrefix(s, "lib"), "0123456789") }

// plainName is the name of the software that a component was built from.
func plainName(c *biopsy.Component) string {
	source, _ := sourceOf(c)
	return source
}

// surest keeps each product once, by its surest source, and orders by confidence.
func surest(all []identity) []identity {
	slices.SortStableFunc(all, func(a, b identity) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(b.confidence, a.confidence))
	})
	all = slices.CompactFunc(all, func(a, b identity) bool { return a.key == b.key })
	slices.SortStableFunc(all, func(a, b identity) int { return cmp.Compare(b.confidence, a.confidence) })
	return all[:min(len(all), maxIdentities)]
}

// maxIdentities bounds the products that one component is asked for; software has a handful of CPE names over its life.
const maxIdentities = 8

// guessed looks for a product of the component's own name in the books. The vendors that share a product's name are its makers in most
// cases, but not surely.
func (w *world) guessed(c *biopsy.Component) ([]identity, error) {
	name := strings.ToLower(plainName(c))
	if len(name) < 3 || notSoftware(c.Kind) || c.Eco == "" && c.Kind != biopsy.Library && c.Kind != biopsy.Application {
		return nil, nil
	}
	for _, product := range spellings(name) {
		for _, vendor := range []string{product, product + "_project", "gnu"} {
			key := vendor + ":" + product
			all, err := w.anyOf(pkg{"CPE", key})
			if err != nil {
				return nil, err
			}
			if all {
				return []identity{{"cpe:2.3:a:" + key, key, 0.7, "guessed: the books know a product of the same name, " + key}}, nil
			}
		}
	}
	return nil, nil
}

// spellings are the ways in which CPE may write a package's name.
func spellings(name string) []string {
	out := []string{name}
	if s := strings.ReplaceAll(name, "-", "_"); s != name {
		out = append(out, s)
	}
	return out
}

// name is the component's CPE name of one identity: its product, and what its own CPE of that product states beside. The version is
// filled in by setVersion.
func (id *identity) name(c *biopsy.Component) cpe.Name {
	n, err := cpe.Parse(id.cpe)
	if err != nil {
		return cpe.Name{} // made from one that was parsed
	}
	if id.confidence == stated {
		for _, text := range c.CPEs {
			if own, err := cpe.Parse(text); err == nil && own.Key() == id.key {
				n = own
			}
		}
	}
	return n
}
