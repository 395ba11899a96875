package csaf

import (
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/csaf"
)

// packages gathers what Red Hat and SUSE say of their packages, by release and name.
type packages struct {
	*statement
	list  []*rpm
	at    map[[3]string]*rpm
	parts map[*csaf.Product]part   // what packageOf said of a product that many releases have
	names map[*csaf.Product]string // what ecosystemOf said of a release
}

// part is a package's name, its version and its module stream.
type part struct{ name, evr, module string }

// rpm is a package of a release.
type rpm struct {
	ecosystem, name, module string
	fixed                   []string // builds that are mended
	affected                []string // builds that are affected; "" for all
	notAffected             []string // builds that are not; "" for all
	investigated            bool
	why                     string
	never                   string // why no fix will come
	vectors                 string
}

func newPackages(s *statement) *packages {
	return &packages{statement: s, at: map[[3]string]*rpm{}, parts: map[*csaf.Product]part{}, names: map[*csaf.Product]string{}}
}

// platform names the ecosystem of a package that is a component of a release of Red Hat or SUSE; "" for all else.
func (s *packages) platform(p *csaf.Product) string {
	if p.Component == nil || p.Relation != "default_component_of" {
		return ""
	}
	// A package of a module stream is a component of a component.
	of := p.Of
	if of.Component != nil {
		of = of.Of
	}
	name, known := s.names[of]
	if !known {
		name = s.ecosystemOf(of)
		s.names[of] = name
	}
	return name
}

// ecosystemOf names a release: Red Hat's are called by their CPEs, SUSE's by their products, as in OSV.
func (s *packages) ecosystemOf(of *csaf.Product) string {
	name := ""
	if of.Helper != nil {
		name = of.Helper.CPE
	}
	switch {
	case strings.Contains(name, ":redhat:") && strings.HasPrefix(name, "cpe:/"):
		_, rest, _ := strings.Cut(name, ":redhat:")
		return "Red Hat:" + rest
	case strings.Contains(name, ":suse:"), strings.Contains(name, ":opensuse:"), strings.HasPrefix(of.Name, "SUSE ") && s.source == "csaf/suse":
		if rest, ok := strings.CutPrefix(of.Name, "openSUSE "); ok {
			return "openSUSE:" + rest
		}
		if rest, ok := strings.CutPrefix(of.Name, "SUSE "); ok {
			return "SUSE:" + rest
		}
	case strings.HasPrefix(of.Name, "openSUSE ") && s.source == "csaf/suse":
		return "openSUSE:" + strings.TrimPrefix(of.Name, "openSUSE ")
	}
	return ""
}

// take files one package under one status.
func (s *packages) take(ecosystem string, x said) {
	p, key := s.part(x.product)
	if p.name == "" || strings.HasSuffix(p.name, "-debuginfo") || strings.HasSuffix(p.name, "-debugsource") {
		return
	}
	at := [3]string{ecosystem, p.name, key}
	r := s.at[at]
	if r == nil {
		r = &rpm{ecosystem: ecosystem, name: p.name, module: p.module}
		s.at[at] = r
		s.list = append(s.list, r)
	}
	if r.vectors == "" {
		r.vectors = strings.Join(s.scores[x.product.ID], " ")
	}
	switch x.status {
	case "fixed":
		if p.evr != "" {
			r.fixed = append(r.fixed, p.evr)
		}
	case "not affected":
		r.notAffected = append(r.notAffected, p.evr)
		if r.why == "" {
			r.why = s.why[x.product.ID]
		}
	case "investigated":
		r.investigated = true
	default:
		r.affected = append(r.affected, p.evr)
		if m := s.remedy[x.product.ID]; m != nil && m.never && !m.fix && r.never == "" {
			r.never = m.because
		}
	}
}

// part reads a component once, and its module stream from where it stands. key keeps apart what must not be weighed together: modules, and
// builds of modules that nobody names, for the fix of one stream says nothing of another's.
func (s *packages) part(p *csaf.Product) (out part, key string) {
	component, module := p.Component, ""
	if p.Of.Component != nil {
		module = stream(label(p.Of.Component))
	}
	if component.Component != nil { // the module's component, itself a component
		component, module = component.Component, stream(label(component.Of))
	}
	out, known := s.parts[component]
	if !known {
		out.name, out.evr, out.module = packageOf(component)
		s.parts[component] = out
	}
	if out.module == "" {
		out.module = module
	}
	if out.module == "" && strings.Contains(out.evr, ".module") {
		return out, out.evr
	}
	return out, out.module
}

// stream cuts a module's name down to its stream: "nodejs:18:8090020231010:a75119d5" is "nodejs:18".
func stream(module string) string {
	parts := strings.SplitN(module, ":", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[0] + ":" + parts[1]
}

// packageOf reads an rpm's name, its epoch, version and release, and its module stream, from purl, "openssl-1:1.1.1k-8.el8_6.x86_64",
// "nodejs:18/nodejs" or a bare name. The name is "" for what is no rpm: container images.
func packageOf(p *csaf.Product) (name, evr, module string) {
	if p.Helper != nil && p.Helper.Purl != "" {
		u, err := eco.Parse(p.Helper.Purl)
		if err == nil && u.Type != "rpm" {
			return "", "", ""
		}
		if err == nil {
			evr = u.Version
			if epoch := u.Qualifier("epoch"); evr != "" && epoch != "" && epoch != "0" {
				evr = epoch + ":" + evr
			}
			return u.Name, evr, stream(u.Qualifier("rpmmod"))
		}
	}
	text := p.Version
	if text == "" {
		text = label(p)
	}
	if m, rest, ok := strings.Cut(text, "/"); ok && strings.Contains(m, ":") {
		module, text = stream(m), rest
	}
	if text == "" || strings.ContainsAny(text, "/@ ") {
		return "", "", ""
	}
	name, evr = splitNEVRA(text)
	return name, evr, module
}

var architectures = strings.Fields("noarch src nosrc x86_64 i386 i486 i586 i686 aarch64 arm64 armv6hl armv7hl ppc64 ppc64le s390 s390x riscv64 ia64")

// splitNEVRA parts "openssl-1:1.1.1k-8.el8_6.x86_64", with or without the architecture. A text that is none is a bare name.
func splitNEVRA(s string) (name, evr string) {
	whole := s
	if i := strings.LastIndexByte(s, '.'); i > 0 && slices.Contains(architectures, s[i+1:]) {
		s = s[:i]
	}
	release := strings.LastIndexByte(s, '-')
	if release < 1 {
		return whole, ""
	}
	version := strings.LastIndexByte(s[:release], '-')
	if version < 1 {
		return whole, ""
	}
	evr = strings.TrimPrefix(s[version+1:], "0:")
	if !startsWithDigit(evr[strings.IndexByte(evr, ':')+1:]) || !startsWithDigit(s[release+1:]) || eco.Valid("Red Hat", evr) != nil {
		return whole, "" // "java-1.8.0-openjdk" is all name
	}
	return s[:version], evr
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// affected ends all packages: mended ones first, for a mended build decides.
func (s *packages) affected() []biopsy.Affected {
	var out []biopsy.Affected
	for _, r := range s.list {
		a := biopsy.Affected{Ecosystem: r.ecosystem, Name: r.name, Extra: map[string]string{}}
		if r.module != "" {
			a.Extra["module"] = r.module
		}
		if r.vectors != "" {
			a.Extra["severity"] = r.vectors
		}
		events := []biopsy.Event{{Introduced: "0"}}
		switch {
		case len(r.fixed) > 0:
			events = append(events, biopsy.Event{Fixed: lowest(r.fixed)})
			a.Ranges = []biopsy.Range{{Type: "ECOSYSTEM", Events: events}}
		case len(r.affected) > 0:
			a.Ranges = []biopsy.Range{{Type: "ECOSYSTEM", Events: events}}
			if r.never != "" {
				a.Status, a.Why = biopsy.WillNotFix, r.never
			}
		case len(r.notAffected) > 0:
			a.Status, a.Why = biopsy.NotAffected, r.why
			if !slices.Contains(r.notAffected, "") {
				a.Versions = unique(r.notAffected)
			}
		case r.investigated:
			a.Status, a.Why = biopsy.Undetermined, "under investigation"
		default:
			continue
		}
		out = append(out, a)
	}
	return out
}

// lowest is the first build that is mended: later builds of the list were mended before they were built.
func lowest(builds []string) string {
	low := builds[0]
	for _, b := range builds[1:] {
		if c, err := eco.Compare("Red Hat", b, low); err == nil && c < 0 {
			low = b
		}
	}
	return low
}
