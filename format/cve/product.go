package cve

import (
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/cpe"
)

// Product is one element of "affected".
type Product struct {
	Vendor        string    `json:"vendor"` // "n/a" in many old records
	Product       string    `json:"product"`
	CollectionURL string    `json:"collectionURL"`
	PackageName   string    `json:"packageName"`
	PackageURL    string    `json:"packageURL"` // since 5.2
	CPEs          []string  `json:"cpes"`
	Modules       []string  `json:"modules"`
	Files         []string  `json:"programFiles"`
	Routines      []routine `json:"programRoutines"`
	Platforms     []string  `json:"platforms"`
	Repo          string    `json:"repo"`
	Default       string    `json:"defaultStatus"` // "" is "unknown"
	Versions      []Version `json:"versions"`
}

type routine struct {
	Name string `json:"name"`
}

// Names finds the name by which ecosystem Upstream knows software: purl type "cpe" and a CPE name, or "generic" and a name; "" when it
// knows none. nil knows none either.
type Names func(purlType, name string) string

// Statement is what a product of a record comes to.
type Statement struct {
	Affected []biopsy.Affected
	Synonyms []biopsy.Synonym // of a package or repository and a CPE that stand in the same product
	Bad      []string         // what was left out, and why
}

// Add joins another statement to this one.
func (s *Statement) Add(o Statement) {
	s.Affected, s.Synonyms = append(s.Affected, o.Affected...), append(s.Synonyms, o.Synonyms...)
	s.addBad(o.Bad)
}

// addBad adds what is not yet told.
func (s *Statement) addBad(why []string) {
	for _, w := range why {
		if !slices.Contains(s.Bad, w) && len(s.Bad) < maxBad {
			s.Bad = append(s.Bad, w)
		}
	}
}

// maxBad bounds what is told of one record.
const maxBad = 20

// Products tells all products of a list.
func Products(list []Product, by string, names Names) Statement {
	var out Statement
	for i := range list {
		out.Add(list[i].Statement(by, names))
	}
	return out
}

// maxTargets bounds the names of one product; Microsoft's have some dozens of CPEs.
const maxTargets = 1000

// target is one name under which a product's versions are told.
type target struct {
	biopsy.Affected
	commits bool // git ranges are told too
	only    bool // and no others
	repo    string
}

// Statement tells a product's versions under every name that a component may be found by. by is who says it.
func (p *Product) Statement(by string, names Names) Statement {
	var out Statement
	targets := p.targets(by, names, &out)
	extents := map[string]*Extent{}
	for i := range targets {
		t := &targets[i]
		base := eco.Base(t.Ecosystem)
		if extents[base] == nil {
			x := Extents(p.Versions, p.Default, orderOf(base))
			out.addBad(x.Bad)
			extents[base] = &x
		}
		out.Affected = append(out.Affected, t.tell(extents[base], p)...)
	}
	return out
}

// orderOf is the order in which versions under a name are compared; makers' own where the ecosystem has none, and for finished products,
// whose order leaves open more than a list of versions does.
func orderOf(ecosystem string) Order {
	if o := eco.Order(ecosystem); o != nil && ecosystem != "Product" {
		return o
	}
	return eco.Order("Upstream")
}

func (p *Product) targets(by string, names Names, out *Statement) []target {
	base := biopsy.Affected{Files: p.Files, Platforms: p.Platforms, Extra: p.extra(by)}
	for _, r := range p.Routines {
		base.Symbols = append(base.Symbols, r.Name)
	}
	var all []target
	add := func(ecosystem, name string) *target {
		t := target{Affected: base}
		t.Ecosystem, t.Name = ecosystem, name
		all = append(all, t)
		return &all[len(all)-1]
	}
	if _, host := collectionOf(p.CollectionURL); host == redHatPackages {
		for _, s := range p.redHat() {
			add("Red Hat:"+s, p.redHatName())
		}
		return all // its CPE names are of the product that has the package
	}
	if p.isKernel() {
		t := add("Linux", "Kernel")
		t.commits, t.repo = true, p.Repo
		return append(all, p.cpeTargets(base, out)...)
	}
	pack, packed := p.packageOf()
	if packed {
		add(pack.ecosystem, pack.name).Purl = pack.purl
	}
	cpes := p.cpeTargets(base, out)
	all = append(all, cpes...)
	repo := repoName(p.Repo)
	if repo != "" {
		t := add("GIT", repo)
		// A repository may hold many packages, each with versions of its own.
		t.commits, t.only, t.repo = true, packed, p.Repo
	}
	out.Synonyms = pairs(pack.purl, repo, cpes)
	if packed || len(cpes) > 0 || !p.named() || p.ofDistribution() {
		return all
	}
	if name := p.upstream(names, repo); name != "" {
		add("Upstream", name)
	}
	add("Product", eco.ProductName(p.Vendor, p.Product))
	return all
}

// extra keeps what has no field: "vendor", "product", "modules", "by", and "default" where the record says that nobody vouches for
// versions it does not list.
func (p *Product) extra(by string) map[string]string {
	m := map[string]string{}
	put := func(key, value string) {
		if value != "" && !says(value, unspecifiedWords) {
			m[key] = value
		}
	}
	put("vendor", p.Vendor)
	put("product", p.Product)
	put("modules", strings.Join(p.Modules, ", "))
	put("by", by)
	if p.Default == unknown {
		m["default"] = unknown
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

func (p *Product) isKernel() bool {
	return strings.EqualFold(p.Vendor, "Linux") && (strings.EqualFold(p.Product, "Linux") || strings.EqualFold(p.Product, "Linux Kernel")) ||
		strings.EqualFold(p.Vendor, "Linux") && repoName(p.Repo) == "git.kernel.org/pub/scm/linux/kernel/git/stable/linux"
}

// named says whether vendor and product tell something: "n/a" and what no key can hold do not.
func (p *Product) named() bool {
	for _, s := range [...]string{p.Vendor, p.Product} {
		if says(strings.TrimSpace(s), unspecifiedWords) || len(s) > 400 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return false
		}
	}
	return true
}

// upstream finds the makers' name where it is certain: the repository is known, vendor and product are those of a known CPE, or vendor
// and product are the same word and known. A product's name alone ("Server", "Core") never is.
func (p *Product) upstream(names Names, repo string) string {
	if names == nil {
		return ""
	}
	if _, path, ok := strings.Cut(repo, "/"); ok {
		if n := names("github", path); n != "" && strings.HasPrefix(repo, "github.com/") {
			return n
		}
	}
	vendor, product := underscored(p.Vendor), underscored(p.Product)
	for _, v := range [...]string{vendor, vendor + "_project", strings.TrimSuffix(vendor, "_project")} {
		n := cpe.Name{Part: "a", Vendor: cpe.Attr(v), Product: cpe.Attr(product)}
		if known := names("cpe", n.Product23()); known != "" {
			return known
		}
	}
	if vendor == product {
		return names("generic", product)
	}
	return ""
}

// underscored writes a name as CPE would.
func underscored(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(s)), "_")
}

// redHat returns the streams of Red Hat's products ("enterprise_linux:8::appstream") that a product of Red Hat's records is about; none
// for container images, which have no package of that name.
func (p *Product) redHat() []string {
	var out []string
	for _, c := range p.CPEs {
		if rest, ok := strings.CutPrefix(c, "cpe:/"); ok && len(out) < maxTargets && p.redHatName() != "" {
			if _, stream, ok := strings.Cut(rest, ":redhat:"); ok && !slices.Contains(out, stream) {
				out = append(out, stream)
			}
		}
	}
	return out
}

// redHatName is the source package: "nodejs" of "nodejs:18/nodejs"; "" for an image ("rhel8/nodejs-18").
func (p *Product) redHatName() string {
	stream, name, ok := strings.Cut(p.PackageName, "/")
	switch {
	case !ok:
		return p.PackageName
	case strings.Contains(stream, ":") && !strings.Contains(name, "/"):
		return name
	}
	return ""
}

// ofDistribution says whether the list is of a package's versions and product and CPE names are of the system that has it.
func (p *Product) ofDistribution() bool {
	return p.PackageName != "" && slices.ContainsFunc(p.Versions, func(v Version) bool { return v.Type == "rpm" || v.Type == "deb" || v.Type == "dpkg" })
}

// cpeTargets are the CPE names of a product. Where it lists versions they count and not the name's, which some makers use for the fixed
// one.
func (p *Product) cpeTargets(base biopsy.Affected, out *Statement) []target {
	var all []target
	for _, s := range p.CPEs {
		n, err := cpe.Parse(s)
		if err != nil {
			out.Bad = append(out.Bad, err.Error())
			continue
		}
		if !n.Vendor.Literal() || !n.Product.Literal() || n.Part == "o" && p.ofDistribution() {
			continue
		}
		if len(p.Versions) > 0 {
			n.Version = cpe.Any
		}
		t := target{Affected: base}
		t.Ecosystem, t.Name, t.CPE = "CPE", n.Key(), n.String()
		if len(all) < maxTargets && !slices.ContainsFunc(all, func(o target) bool { return o.CPE == t.CPE }) {
			all = append(all, t)
		}
	}
	return all
}

// pairs are the names that a product gives to one thing. Of a product with several CPE products none is certain.
func pairs(purl, repo string, cpes []target) []biopsy.Synonym {
	if len(cpes) == 0 || slices.ContainsFunc(cpes, func(t target) bool { return t.Name != cpes[0].Name }) {
		return nil
	}
	n, err := cpe.Parse(cpes[0].CPE)
	if err != nil || n.Part != "a" {
		return nil // hardware and systems are no packages
	}
	var out []biopsy.Synonym
	for _, name := range [...]string{purl, repo} {
		if name != "" {
			out = append(out, biopsy.Synonym{Name: "cpe:2.3:" + string(n.Part) + ":" + n.Key(), Same: name, Source: "learned", Records: 1})
		}
	}
	return out
}

// tell writes an extent under a name: what is affected, what nobody knows, and what is said in words only.
func (t *target) tell(x *Extent, p *Product) []biopsy.Affected {
	var out []biopsy.Affected
	a := t.Affected
	if t.only {
		x = &Extent{Commits: x.Commits}
		if len(x.Commits) == 0 {
			return nil
		}
	}
	a.Ranges, a.Versions = x.Affected.ranges(p), x.Affected.Versions
	if t.commits {
		for _, r := range x.Commits {
			r.Repo = t.repo
			a.Ranges = append(a.Ranges, r)
		}
	}
	if len(a.Ranges)+len(a.Versions) > 0 {
		a.Extra = except(t.Extra, x.Affected.Except)
		out = append(out, a)
	}
	if u := t.Affected; !x.Unknown.empty() {
		u.Ranges, u.Versions = x.Unknown.ranges(p), x.Unknown.Versions
		u.Status, u.Why = biopsy.Undetermined, "the status of these versions is unknown"
		u.Extra = except(t.Extra, x.Unknown.Except)
		out = append(out, u)
	}
	if u := t.Affected; len(x.Prose) > 0 {
		u.Status, u.Why = biopsy.Undetermined, strings.Join(x.Prose[:min(len(x.Prose), 8)], "; ")
		out = append(out, u)
	}
	if len(out) > 0 {
		return out
	}
	switch {
	case x.None:
		a.Status, a.Why = biopsy.NotAffected, "all versions are unaffected"
	case len(x.Commits) > 0:
		return nil // commits are told under the repository
	case a.CPE != "" && len(p.Versions) == 0 && p.Default == "":
		// The CPE says the version.
	case len(x.Bad) > 0:
		a.Status, a.Why = biopsy.Undetermined, x.Bad[0]
	default:
		a.Status, a.Why = biopsy.Undetermined, "the record says of no version that it is affected"
	}
	return append(out, a)
}

// ranges writes the set's ranges; their type is that of the list's entries.
func (s *Set) ranges(p *Product) []biopsy.Range {
	kind := "ECOSYSTEM"
	if len(p.Versions) > 0 && !slices.ContainsFunc(p.Versions, func(v Version) bool { return v.Type != "semver" }) {
		kind = "SEMVER"
	}
	var out []biopsy.Range
	if len(s.Events) > 0 {
		out = append(out, biopsy.Range{Type: kind, Events: s.Events})
	}
	for _, e := range s.Loose {
		out = append(out, biopsy.Range{Type: kind, Events: e})
	}
	return out
}

// except adds the versions that are good inside ranges, one a line.
func except(extra map[string]string, versions []string) map[string]string {
	if len(versions) == 0 {
		return extra
	}
	m := map[string]string{"except": strings.Join(versions, "\n")}
	for k, v := range extra {
		m[k] = v
	}
	return m
}
