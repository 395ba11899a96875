package csaf

import (
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/cpe"
	"github.com/biopsy-sca/biopsy/format/csaf"
)

// shelf gathers what is said of finished products, by name and answer.
type shelf struct {
	*statement
	entries []*item
	at      map[string]*item
	fixed   map[string]string // by name: the version that is mended; several when there is more than one, and unnamed when none is named
	affects map[string]bool   // by name: whether any version is affected
}

// item is an affected package in the making.
type item struct {
	biopsy.Affected
	all    bool // every version
	vague  bool // words about versions that are not understood: the answer is for every version
	texts  []string
	except []string // versions that the ranges hold, and that are not meant
}

func newShelf(s *statement) *shelf {
	return &shelf{statement: s, at: map[string]*item{}, fixed: map[string]string{}, affects: map[string]bool{}}
}

// take files one product under one status.
func (s *shelf) take(x said) {
	main, platform, part := subject(x.product)
	name := s.name(main)
	versions := versionsOf(main)
	if versions.If != "" && (x.status == "fixed" || x.status == "not affected") {
		versions = csaf.Versions{Ecosystem: "Product", Text: versionText(main)}
	}
	if x.status == "fixed" {
		s.mended(name, versions)
		if !s.affects[name] && !versions.All && versions.Text == "" {
			e := s.entry(main, platform, part, name, biopsy.NotAffected, "mended in this version", x.product.ID)
			e.add(versions, main)
		}
		return
	}
	told := ""
	if x.status != "not affected" {
		versions, told = wider(versions, main)
	}
	status, why := s.verdict(x, versions)
	if status == "" || status == biopsy.WillNotFix {
		s.affects[name] = true
	}
	e := s.entry(main, platform, part, name, status, why, x.product.ID)
	switch {
	case versions.Text != "":
		e.vague = true
		e.texts = append(e.texts, versions.Text)
	case x.status == "first_affected" && len(versions.Exact) == 1:
		e.texts = append(e.texts, "from "+main.Version)
		e.Ranges = append(e.Ranges, biopsy.Range{Type: "ECOSYSTEM", Events: []biopsy.Event{{Introduced: versions.Exact[0]}}})
	case x.status == "last_affected" && len(versions.Exact) == 1:
		e.texts = append(e.texts, "up to "+main.Version)
		e.last(versions.Exact[0])
	default:
		e.add(versions, main)
		if told != "" {
			e.texts = append(e.texts, told)
		}
	}
}

// wider adds what the product's full name says of versions where it is more than its branch says: of "8.40" and "Viewer: < 8.40" one is a
// slip, and a reader of the advisory would not rest on either. told is the name's text, "" when it adds nothing.
func wider(v csaf.Versions, p *csaf.Product) (both csaf.Versions, told string) {
	i := strings.LastIndex(p.Name, ": ")
	if i < 0 || p.Kind == "" || v.All || v.Text != "" || v.If != "" {
		return v, ""
	}
	told = strings.TrimSpace(p.Name[i+2:])
	name := csaf.ParseVersions(told)
	if told == p.Version || told == "" || name.Text != "" || name.If != "" || name.Ecosystem != v.Ecosystem || alike(v, name) {
		return v, ""
	}
	v.All = name.All
	v.Ranges, v.Exact = slices.Concat(v.Ranges, name.Ranges), slices.Concat(v.Exact, name.Exact)
	v.Except = nil
	return v, told
}

// alike says whether two readings differ in spelling only.
func alike(a, b csaf.Versions) bool {
	same := func(x, y string) bool {
		c, err := eco.Compare(a.Ecosystem, x, y)
		return x == y || err == nil && c == 0
	}
	return a.All == b.All && slices.EqualFunc(a.Exact, b.Exact, same) && slices.EqualFunc(a.Ranges, b.Ranges, func(r, q biopsy.Range) bool {
		return slices.EqualFunc(r.Events, q.Events, func(e, f biopsy.Event) bool {
			return same(e.Introduced, f.Introduced) && same(e.Fixed, f.Fixed) && same(e.LastAffected, f.LastAffected) && same(e.Limit, f.Limit)
		})
	})
}

// last ends the range that a first affected version began, or begins one with the first version of all.
func (e *item) last(version string) {
	end := biopsy.Event{LastAffected: version}
	if n := len(e.Ranges); n > 0 && len(e.Ranges[n-1].Events) == 1 && e.Ranges[n-1].Events[0].Introduced != "0" {
		e.Ranges[n-1].Events = append(e.Ranges[n-1].Events, end)
		return
	}
	e.Ranges = append(e.Ranges, biopsy.Range{Type: "ECOSYSTEM", Events: []biopsy.Event{{Introduced: "0"}, end}})
}

// subject is the product that a statement is about. A component of a product stands for that product; what is installed on another is
// itself the subject, and the other its platform.
func subject(p *csaf.Product) (main *csaf.Product, platform, part string) {
	// A relationship may be of relationships; their makers nest two.
	for range 8 {
		if p.Component == nil {
			break
		}
		switch p.Relation {
		case "installed_on", "installed_with":
			platform, p = label(p.Of), p.Component
		default:
			part, p = label(p.Component), p.Of
		}
	}
	return p, platform, part
}

func label(p *csaf.Product) string {
	if p.Name != "" {
		return p.Name
	}
	return p.ID
}

// name is "vendor:product". A product that stands in no branch is the publisher's, when that is a vendor.
func (s *shelf) name(p *csaf.Product) string {
	vendor, product := p.Vendor, p.Product
	if product == "" {
		product = p.Family
	}
	if product == "" {
		product = label(p)
	}
	if vendor == "" && s.Document.Document.Publisher.Category == "vendor" {
		vendor = s.Document.Document.Publisher.Name
	}
	return eco.ProductName(vendor, product)
}

// versionsOf reads the branch of the version. A product without one is meant in every version, unless it stands in no branch: then its
// name may say anything.
func versionsOf(p *csaf.Product) csaf.Versions {
	switch {
	case p.Kind != "":
		return csaf.ParseVersions(versionText(p))
	case p.Product != "" || p.Family != "":
		if rest := strings.TrimSpace(p.Patch + " " + p.Rest); rest != "" {
			return csaf.Versions{Ecosystem: "Product", Text: rest}
		}
		return csaf.Versions{Ecosystem: "Product", All: true}
	}
	if h := p.Helper; h != nil && h.Purl != "" {
		if name, err := eco.Parse(h.Purl); err == nil && name.Version != "" {
			return csaf.Versions{Ecosystem: "Product", Exact: []string{name.Version}}
		}
	}
	return csaf.Versions{Ecosystem: "Product", Text: label(p)}
}

// versionText is a version with the patch level that stands in a branch of its own. Cisco repeats the version there: "15.0SE" and
// "15.0(2)SE".
func versionText(p *csaf.Product) string {
	stem := p.Version[:len(p.Version)-len(strings.TrimLeft(p.Version, "0123456789."))]
	switch {
	case p.Patch == "":
		return p.Version
	case stem != "" && strings.HasPrefix(p.Patch, stem):
		return p.Patch
	}
	return p.Version + " " + p.Patch
}

// verdict is the source's own where it is more than its versions.
func (s *shelf) verdict(x said, v csaf.Versions) (biopsy.Status, string) {
	switch r := s.remedy[x.product.ID]; {
	case x.status == "not affected" && v.Text != "":
		return biopsy.Undetermined, notAffectedInWords
	case x.status == "not affected":
		return biopsy.NotAffected, s.why[x.product.ID]
	case x.status == "investigated":
		return biopsy.Undetermined, "under investigation"
	case v.Text != "", v.If != "":
		return biopsy.Undetermined, affectedInWords
	case r != nil && r.never && !r.fix:
		return biopsy.WillNotFix, r.because
	}
	return "", ""
}

// What is said of versions that no range can say; the advisory's words follow.
const (
	affectedInWords    = "affected as the advisory words it: "
	notAffectedInWords = "not affected as the advisory words it: "
)

// entry finds or makes the entry for products of one name about which the same is said.
func (s *shelf) entry(p *csaf.Product, platform, part, name string, status biopsy.Status, why, id string) *item {
	own, vectors := s.own(id), strings.Join(s.scores[id], " ")
	key := strings.Join([]string{name, platform, part, string(status), why, own, vectors}, "\x00")
	e := s.at[key]
	if e == nil {
		e = &item{Affected: biopsy.Affected{Ecosystem: "Product", Name: name, Status: status, Why: why, Extra: map[string]string{}}}
		if platform != "" {
			e.Platforms = []string{platform}
		}
		for k, v := range map[string]string{"remediation": own, "severity": vectors, "component": part, "family": p.Family} {
			if v != "" {
				e.Extra[k] = v
			}
		}
		s.at[key] = e
		s.entries = append(s.entries, e)
	}
	e.help(p.Helper)
	return e
}

// help notes what else identifies the product.
func (e *item) help(h *csaf.Helper) {
	if h == nil {
		return
	}
	join := func(key string, values []string) {
		for _, v := range values {
			if have := e.Extra[key]; !contains(have, v) && len(have) < maxSummary*4 {
				e.Extra[key] = strings.TrimPrefix(have+", "+v, ", ")
			}
		}
	}
	join("model", h.ModelNumbers)
	join("serial", h.Serials)
	join("sku", h.SKUs)
	for _, f := range h.Hashes {
		for _, x := range f.Hashes {
			join("hash", []string{x.Algorithm + ":" + x.Value})
		}
	}
	if e.Purl == "" {
		e.Purl = h.Purl
	}
	if e.CPE == "" {
		e.CPE = h.CPE
	}
}

func contains(list, item string) bool {
	for have := range strings.SplitSeq(list, ", ") {
		if have == item {
			return true
		}
	}
	return false
}

// maxRanges bounds what one entry says of versions.
const maxRanges = 2000

func (e *item) add(v csaf.Versions, p *csaf.Product) {
	if p.Version != "" && !v.All {
		e.texts = append(e.texts, versionText(p))
	}
	if len(e.Ranges)+len(e.Versions) > maxRanges {
		return
	}
	if v.All {
		e.all = true
		return
	}
	e.Ranges = append(e.Ranges, v.Ranges...)
	e.Versions = append(e.Versions, v.Exact...)
	e.except = append(e.except, v.Except...)
}

// affected ends all entries. A product that is affected in every version, and mended in one, is affected up to that.
func (s *shelf) affected() []biopsy.Affected {
	var out []biopsy.Affected
	for _, e := range s.entries {
		if e.all || e.vague {
			e.Ranges, e.Versions = nil, nil
		}
		if len(e.except) > 0 && len(e.Ranges) > 0 {
			e.Extra["except"] = strings.Join(unique(e.except), "\n")
		}
		// A list of single versions says nothing of others, unless it also says where the hole is mended.
		if len(e.Ranges) == 0 && len(e.Versions) > 0 && e.Status != biopsy.NotAffected && s.fixed[e.Name] == "" {
			e.Extra["default"] = "unknown"
		}
		if e.all && (e.Status == "" || e.Status == biopsy.WillNotFix) {
			events := []biopsy.Event{{Introduced: "0"}}
			if fix := s.fixed[e.Name]; fix != "" && fix != several && fix != unnamed {
				events = append(events, biopsy.Event{Fixed: fix})
			}
			e.Ranges = []biopsy.Range{{Type: "ECOSYSTEM", Events: events}}
		}
		if len(e.texts) > 0 && !e.all {
			e.Extra["version"] = cut(strings.Join(unique(e.texts), "; "), maxSummary*4)
		}
		e.Versions = unique(e.Versions)
		if e.Why == affectedInWords || e.Why == notAffectedInWords {
			e.Why += e.Extra["version"]
		}
		if e.all && e.Status != biopsy.Undetermined {
			e.Extra["version"] = "all versions"
		}
		cpeName, purl := e.CPE, e.Purl
		e.CPE, e.Purl = "", ""
		out = append(out, e.Affected)
		out = append(out, elsewhere(e.Affected, cpeName, purl)...)
	}
	return out
}

// What may stand for the version that is mended.
const (
	several = "several"
	unnamed = "unnamed"
)

// mended notes a version that has the fix.
func (s *shelf) mended(name string, v csaf.Versions) {
	have := s.fixed[name]
	for _, one := range v.Exact {
		switch have {
		case "", unnamed, one:
			have = one
		default:
			have = several
		}
	}
	if have == "" {
		have = unnamed
	}
	s.fixed[name] = have
}

// elsewhere says the same under the names that a CPE or purl gives, where people look for packages. That a package is not affected is
// said of the maker's own build of it, and is no news for everybody's.
func elsewhere(a biopsy.Affected, cpeName, purl string) []biopsy.Affected {
	if a.Status == biopsy.NotAffected || a.Status == biopsy.Undetermined {
		return nil
	}
	var out []biopsy.Affected
	if n, err := cpe.Parse(cpeName); err == nil && cpeName != "" && n.Vendor.Literal() && n.Product.Literal() {
		b := a
		n.Version, n.Update = cpe.Any, cpe.Any // the ranges say which
		b.Ecosystem, b.Name, b.CPE = "CPE", n.Key(), n.String()
		out = append(out, b)
	}
	if p, err := eco.Parse(purl); err == nil && purl != "" {
		if name, suffix, ok := eco.For(p.Type, p.Qualifier("distro")); ok && name != "Upstream" {
			b := a
			b.Ecosystem, b.Name, b.Purl = name, eco.OSVName(name, p.Namespace, p.Name), purl
			if suffix != "" {
				b.Ecosystem += ":" + suffix
			}
			out = append(out, b)
		}
	}
	return out
}

func unique(all []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, s := range all {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
