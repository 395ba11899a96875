package match

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/cpe"
)

// cpeRule asks what CPE names a component has. Vendor and product must be the same; the other attributes are held against what is known of
// the component as NISTIR 7696 relates them, and what the record asks for and nobody knows makes of a yes an unknown.
var cpeRule = Rule{
	Name: "cpe-range",
	Says: "a CPE name of the component is in a range of a record that names products by CPE",
	asks: func(c *biopsy.Component, w *world) ([]ask, error) {
		if c.Eco == "" && notSoftware(c.Kind) {
			return nil, nil
		}
		ids, err := w.identities(c)
		if err != nil || len(ids) == 0 {
			return nil, err
		}
		_, version := sourceOf(c)
		a := ask{rank: rankListed, ecosystem: "CPE", version: upstreamVersion(c.Eco, version)}
		switch {
		case isDistribution(c.Eco) || c.Eco == "brew":
			a.soften = mayBePatched + ended(c)
		case !builtFromUpstream(c.Eco):
			own, _, ok := eco.For(c.Eco, "")
			if !ok {
				return nil, nil
			}
			a.unless = &pkg{own, eco.OSVName(own, c.Namespace, c.Name)}
		case w.shipped[c.ID]:
			a.soften = shippedIn
		default:
			a.note = patchesUnseen
		}
		return w.cpeAsks(a, c, ids), nil
	},
}

func (w *world) cpeAsks(a ask, c *biopsy.Component, ids []identity) []ask {
	var out []ask
	for i := range ids {
		id := &ids[i]
		b := a
		switch {
		case id.confidence < sure && a.unless != nil:
			continue // a language's package is asked for by sure names only
		case id.confidence < sure && b.soften == "":
			b.soften = "the name is a guess"
		}
		b.name, b.known = id.key, id.because
		if id.key == "linux:linux_kernel" {
			b.soften = b.kernel().soften
		}
		b.subject = &traits{name: id.name(c), eco: c.Eco, arch: c.Arch, plain: plainName(c), tree: w.trees[artifactOf(c)]}
		b.subject.setVersion(a.version)
		out = append(out, b)
	}
	return out
}

// traits is what is known of a component beyond vendor and product.
type traits struct {
	name  cpe.Name
	eco   string // purl type
	arch  string
	plain string // name of the source it was built from
	tree  *tree  // nil when nothing is known of the system
}

// setVersion fills version and update in, parted as CPE parts them.
func (t *traits) setVersion(version string) {
	v, u := eco.SplitUpdate(version)
	t.name.Version, t.name.Update = cpe.Attr(strings.ToLower(v)), cpe.Attr(strings.ToLower(u))
}

// product holds a criterion against the component: answer is no when an attribute rules it out, unknown when one that the record asks
// for is not known; reason says which. version says how the criterion's own version holds: yes or no, unknown when it has none ("-").
func (t *traits) product(crit *cpe.Name) (answer biopsy.Answer, reason string) {
	answer = biopsy.Yes
	if (crit.Part == "h") != (t.name.Part == "h") && t.name.Part != cpe.Any && crit.Part != cpe.Any {
		return biopsy.No, "the record is about part " + crit.Part.String() + " of that name"
	}
	for _, check := range [...]func(*cpe.Name) (biopsy.Answer, string){t.targetSW, t.targetHW, t.edition} {
		a, why := check(crit)
		switch {
		case a == biopsy.No:
			return a, why
		case a == biopsy.Unknown && answer == biopsy.Yes:
			answer, reason = a, why
		}
	}
	return answer, reason
}

// hosts are the target_sw words of software that other software is loaded into, or languages: a library or program in C is none of it.
// The value is the purl type whose packages it means; "" when there is none.
var hosts = map[string]string{
	"wordpress": "", "joomla": "", "joomla\\!": "", "joomla!": "", "drupal": "", "typo3": "", "jenkins": "", "prestashop": "", "moodle": "", "mediawiki": "", "magento": "", "opencart": "",
	"confluence": "", "jira": "", "jira_server": "", "jira_data_center": "", "bamboo": "", "bitbucket": "", "firefox": "", "chrome": "", "vscode": "", "visual_studio_code": "",
	"visual_studio": "", "kubernetes": "", "docker": "", "minecraft": "", "xwiki": "", "nextcloud": "", "owncloud": "", "grafana": "", "splunk": "", "sharepoint": "", "salesforce": "",
	"nagios": "", "dotnetnuke": "", "unity": "", "phpbb": "", "phpnuke": "", "php-nuke": "", "mambo": "", "cakephp": "", "laravel": "composer", "symfony": "composer",
	"node.js": "npm", "nodejs": "npm", "python": "pypi", "ruby": "gem", "ruby_on_rails": "gem", "rails": "gem", "php": "composer", "go": "golang", "golang": "golang", "rust": "cargo",
	"java": "maven", "maven": "maven", "perl": "cpan", ".net": "nuget", "asp.net": "nuget", ".net_framework": "nuget", "jquery": "npm", "erlang": "hex", "lua": "luarocks", "r": "cran", "dart": "pub",
}

// otherSystems are the target_sw words of operating systems that are not Linux.
var otherSystems = []string{"windows", "windows_10", "windows_server", "windows_nt", "macos", "mac_os", "mac_os_x", "mac", "iphone_os", "ios", "ipados", "watchos", "android", "aix",
	"hp-ux", "solaris", "sunos", "freebsd", "openbsd", "netbsd", "z\\/os", "z/os", "os/2", "vxworks", "qnx", "tru64", "irix", "openvms", "netware", "symbian", "windows_phone", "chrome_os"}

// linuxWords are the target_sw words that a Linux system is, whatever distribution.
var linuxWords = []string{"linux", "linux_kernel", "unix", "unix-like", "gnu/linux", "posix"}

// families are the beginnings of source packages that distributions give to packages of a language.
var families = map[string]string{"npm": "node-", "pypi": "python-", "gem": "ruby-", "composer": "php-", "golang": "golang-", "cargo": "rust-", "cpan": "lib", "maven": "lib"}

func (t *traits) targetSW(crit *cpe.Name) (biopsy.Answer, string) {
	want := strings.TrimSuffix(string(crit.TargetSW), "_project")
	switch cpe.Relate(crit.TargetSW, t.name.TargetSW) {
	case cpe.Equal, cpe.Superset:
		return biopsy.Yes, ""
	case cpe.Disjoint:
		if crit.TargetSW != cpe.NA {
			return biopsy.No, "the record is about the variant for " + crit.TargetSW.String()
		}
		return biopsy.Yes, "" // "-" is written where nothing special is meant
	}
	if crit.TargetSW == cpe.NA {
		return biopsy.Yes, ""
	}
	if lang, ok := hosts[want]; ok {
		switch {
		case lang != "" && (t.eco == lang || isDistribution(t.eco) && strings.HasPrefix(t.plain, families[lang])):
			return biopsy.Yes, ""
		case lang == t.eco || builtFromUpstream(t.eco) || lang != "":
			return biopsy.No, "the record is about the variant for " + want
		}
	}
	linux := t.tree != nil && t.tree.linux
	switch {
	case linux && slices.Contains(linuxWords, want):
		return biopsy.Yes, ""
	case linux && slices.Contains(otherSystems, want):
		return biopsy.No, "the record is about the variant for " + want + ", and this is a Linux system"
	}
	return biopsy.Unknown, "the record is about the variant for " + crit.TargetSW.String() + ", which is not known here"
}

// arches are target_hw words by the architectures of packages.
var arches = map[string][]string{
	"x64": {"amd64", "x86_64"}, "x86": {"i386", "i686", "i586", "x86"}, "arm64": {"arm64", "aarch64"}, "aarch64": {"arm64", "aarch64"},
	"arm": {"armhf", "armel", "arm", "armv7", "armv7hl", "armhfp"}, "mips": {"mips", "mipsel"}, "mips64": {"mips64el", "mips64"}, "ppc64": {"ppc64", "ppc64el", "ppc64le"},
	"s390x": {"s390x"}, "x32": {"x32"}, "itanium": {"ia64"}, "sparc": {"sparc", "sparc64"},
}

func (t *traits) targetHW(crit *cpe.Name) (biopsy.Answer, string) {
	want := crit.TargetHW
	if want == cpe.Any || want == cpe.NA || want == t.name.TargetHW {
		return biopsy.Yes, ""
	}
	names := arches[string(want)]
	switch {
	case t.arch != "" && slices.Contains(names, t.arch):
		return biopsy.Yes, ""
	case t.arch != "" && t.arch != "all" && t.arch != "noarch" && len(names) > 0:
		return biopsy.No, "the record is about " + want.String() + ", and this was built for " + t.arch
	}
	return biopsy.Unknown, "the record is about hardware " + want.String() + ", which is not known here"
}

func (t *traits) edition(crit *cpe.Name) (biopsy.Answer, string) {
	for _, f := range [...]struct {
		what       string
		want, have cpe.Attr
	}{{"edition", crit.Edition, t.name.Edition}, {"edition", crit.SWEd, t.name.SWEd}, {"build", crit.Other, t.name.Other}} {
		if f.want == cpe.NA {
			continue // "-" is written where nothing special is meant
		}
		switch cpe.Relate(f.want, f.have) {
		case cpe.Disjoint:
			if f.have != cpe.NA {
				return biopsy.No, "the record is about the " + f.what + " " + f.want.String() + ", and this is " + f.have.String()
			}
			return biopsy.Unknown, "the record is about the " + f.what + " " + f.want.String() + ", which is not known here"
		case cpe.Subset, cpe.Undefined:
			return biopsy.Unknown, "the record is about the " + f.what + " " + f.want.String() + ", which is not known here"
		}
	}
	return biopsy.Yes, ""
}

// platform says whether one of the platforms that a record asks for beside the product is there.
func (t *traits) platform(platforms []string) (biopsy.Answer, string) {
	if len(platforms) == 0 {
		return biopsy.Yes, ""
	}
	absent := true
	for _, p := range platforms {
		switch t.onPlatform(p) {
		case biopsy.Yes:
			return biopsy.Yes, ""
		case biopsy.Unknown:
			absent = false
		}
	}
	names := strings.Join(platforms[:min(len(platforms), 3)], ", ")
	if len(platforms) > 3 {
		names += fmt.Sprintf(" and %d more", len(platforms)-3)
	}
	if absent {
		return biopsy.No, "the record holds only together with " + names + ", which is not here"
	}
	return biopsy.Unknown, "the record holds only together with " + names + ", and whether that is here is not known"
}

// onPlatform: a Linux system is no other system, and a distribution is no other distribution; what hardware it runs on, and what programs
// stand beside it that no evidence shows, is not known.
func (t *traits) onPlatform(p string) biopsy.Answer {
	n, err := cpe.Parse(p)
	if err != nil {
		return t.platformWord(p)
	}
	if t.tree == nil || n.Part == "h" {
		return biopsy.Unknown
	}
	key := n.Key()
	switch {
	case t.tree.present[key] && (n.Version == cpe.Any || n.Version == cpe.NA):
		return biopsy.Yes
	case t.tree.present[key]:
		return biopsy.Unknown // of some version
	case !t.tree.linux || n.Part != "o":
		return biopsy.Unknown
	case key == "linux:linux_kernel":
		return biopsy.Yes
	case strings.HasPrefix(key, "microsoft:windows"), strings.HasPrefix(key, "apple:"), key == "google:android", strings.HasPrefix(key, "sun:"), strings.HasPrefix(key, "oracle:solaris"),
		strings.HasPrefix(key, "ibm:"), strings.HasPrefix(key, "freebsd:"), strings.HasPrefix(key, "openbsd:"), strings.HasPrefix(key, "netbsd:"), strings.HasPrefix(key, "hp:"):
		return biopsy.No
	}
	if t.distribution() != "" && isSystem(key) {
		return biopsy.No
	}
	return biopsy.Unknown
}

// distribution is the distribution that the tree holds; "" when none that we know.
func (t *traits) distribution() string {
	for _, s := range systems {
		if t.tree.present[s] {
			return s
		}
	}
	return ""
}

func isSystem(key string) bool {
	for _, s := range systems {
		if s == key {
			return true
		}
	}
	return false
}

// platformWord reads the words that CVE records use for platforms.
func (t *traits) platformWord(p string) biopsy.Answer {
	w := strings.ToLower(p)
	linux := t.tree != nil && t.tree.linux
	switch {
	case strings.Contains(w, "linux") || strings.Contains(w, "unix") || w == "all" || w == "multiple":
		if linux {
			return biopsy.Yes
		}
	case linux && (strings.Contains(w, "windows") || strings.Contains(w, "macos") || strings.Contains(w, "mac os") || w == "ios" || strings.Contains(w, "android")):
		return biopsy.No
	}
	return biopsy.Unknown
}

// byCPE decides an entry of ecosystem CPE: the criterion's attributes, then its version, then the ranges beside it, then the platforms.
func (a *ask) byCPE(op *opinion) {
	crit, err := cpe.Parse(op.entry.Affected.CPE)
	if err != nil {
		op.rule, op.text = "cpe-unreadable", err.Error()
		return
	}
	attrs, why := a.subject.product(&crit)
	if attrs == biopsy.No {
		op.answer, op.rule, op.text = biopsy.No, "cpe-attribute", why
		return
	}
	if crit.Version == cpe.Any {
		a.inRanges(op, crit.Update)
	} else {
		a.exactly(op, &crit)
	}
	if op.answer != biopsy.Yes {
		return
	}
	there, whyNot := a.subject.platform(op.entry.Affected.Platforms)
	switch {
	case there == biopsy.No:
		op.answer, op.rule, op.text = biopsy.No, "cpe-platform", whyNot
	case attrs == biopsy.Unknown:
		op.answer, op.rule, op.text = biopsy.Unknown, "cpe-attribute", op.text+"; "+why
	case there == biopsy.Unknown:
		op.answer, op.rule, op.text = biopsy.Unknown, "cpe-platform", op.text+"; "+whyNot
	}
}

// inRanges decides by ranges and lists; a criterion without any is about every version. A version listed with update "*" is any of its updates.
func (a *ask) inRanges(op *opinion, update cpe.Attr) {
	if af := &op.entry.Affected; len(af.Ranges) == 0 && len(af.Versions) == 0 {
		op.answer, op.rule, op.text = biopsy.Yes, "cpe-any-version", "the record is about every version"
		return
	}
	a.byVersions(op)
	if v := string(a.subject.name.Version); op.answer == biopsy.No && update == cpe.Any && a.subject.name.Update != "" && listedIn(v, op.entry.Affected.Versions, order(eco.Order("CPE"))) {
		op.answer, op.rule, op.text = biopsy.Yes, "versions", v+" is listed as affected with every update, and "+a.version+" is one"
	}
}

// exactly holds the version that a criterion names itself, with its update, against the component's.
func (a *ask) exactly(op *opinion, crit *cpe.Name) {
	op.rule = "cpe-version"
	want := crit.Version.String()
	switch {
	case crit.Version == cpe.NA:
		op.text = "the record names the product without a version (\"-\")"
		return
	case crit.Update == cpe.Any, crit.Update == cpe.NA:
	default:
		want = eco.JoinUpdate(want, string(crit.Update))
	}
	same := a.sameVersion(crit, want)
	switch same {
	case biopsy.Yes:
		op.answer, op.text = biopsy.Yes, a.version+" is the version that the record names"
	case biopsy.No:
		op.answer, op.text = biopsy.No, a.version+" is not "+want+", which the record names"
	default:
		op.rule, op.text = "unparsable-version", fmt.Sprintf("%s cannot be held against %s, which the record names", a.version, want)
	}
}

// sameVersion: with update "*" a version is any of its updates; with "-" none of them.
func (a *ask) sameVersion(crit *cpe.Name, want string) biopsy.Answer {
	if !crit.Version.Literal() {
		switch cpe.Relate(crit.Version, cpe.Attr(strings.ToLower(a.version))) {
		case cpe.Superset, cpe.Equal:
			return biopsy.Yes
		}
		return biopsy.No
	}
	if strings.EqualFold(a.version, want) {
		return biopsy.Yes
	}
	c, err := eco.Compare("CPE", a.version, want)
	if err == nil && c == 0 {
		return biopsy.Yes
	}
	if crit.Update == cpe.Any && a.subject.name.Update != "" {
		if c, e := eco.Compare("CPE", string(a.subject.name.Version), want); e == nil && c == 0 {
			return biopsy.Yes
		}
	}
	if err = cmp.Or(err, eco.Valid("CPE", a.version)); err != nil {
		return biopsy.Unknown
	}
	return biopsy.No
}
