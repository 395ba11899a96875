// Package eco holds the facts of each ecosystem: purl type, name rules, version order.
//
// What comes in: names and versions as written. What goes out: canonical purls, OSV ecosystem names, comparisons. It will never
// read a file or guess across ecosystems. One file per ecosystem; the names are those of the OSV schema 1.7.4 (2025), and
// Upstream is ours: software named by its makers, which no package manager numbers again.
package eco

import (
	"errors"
	"fmt"
	"strings"
)

// Ecosystem is what is known of one ecosystem.
type Ecosystem struct {
	Name    string                              // OSV's name without suffix: "Debian", "crates.io"
	Purls   []string                            // purl types whose packages it names; empty for distributions, which a distro tells
	Join    func(namespace, name string) string // OSV's spelling of a package; nil is the name alone
	Fold    func(name string) string            // the spelling that look-ups use; nil keeps the name
	Compare func(a, b string) (int, error)      // order of versions; nil when the ecosystem has none
	Public  func(version string) string         // cuts what a builder added to the published version; nil when nothing is ever added
}

// ErrNoOrder says that an ecosystem has no order of versions that we know.
var ErrNoOrder = errors.New("no order of versions is known")

// all is the list of ecosystems; a new one is one file and one line here.
var all = []*Ecosystem{
	&npm, &golang, &cargo, &pypi, &maven, &nuget, &rubygems, &packagist, &cran, &hackage, &ghc, &hex, &pub, &julia, &opam,
	&swift, &actions, &conan, &bitnami, &homebrew, &bioconductor, &vscode,
	&debian, &ubuntu, &echo,
	&alpine, &wolfi, &chainguard, &minimos, &alpaquita, &bellsoft,
	&redhat, &rocky, &alma, &suse, &opensuse, &photon, &mageia, &openeuler, &azure,
	&linux, &upstream, &cpe, &product,
}

var byName, byPurl = index()

func index() (names, purls map[string]*Ecosystem) {
	names, purls = map[string]*Ecosystem{}, map[string]*Ecosystem{}
	for _, e := range all {
		names[e.Name] = e
		for _, p := range e.Purls {
			purls[p] = e
		}
	}
	return names, purls
}

// Base cuts the suffix off an OSV ecosystem name: "Debian:12" is "Debian".
func Base(ecosystem string) string {
	base, _, _ := strings.Cut(ecosystem, ":")
	return base
}

// NormalizeName returns the spelling of a package under which look-ups meet: "Foo.Bar" is "foo-bar" in PyPI. Names of ecosystems
// that are not known stay as they are.
func NormalizeName(ecosystem, name string) string {
	if e := byName[Base(ecosystem)]; e != nil && e.Fold != nil {
		return e.Fold(name)
	}
	return name
}

// OSVName joins a purl's namespace and name as OSV spells the package: "group:artifact" in Maven, "namespace/name" in Go.
func OSVName(ecosystem, namespace, name string) string {
	if e := byName[Base(ecosystem)]; e != nil && e.Join != nil {
		return e.Join(namespace, name)
	}
	return name
}

// Compare orders two versions as their ecosystem does; a suffix of the ecosystem makes no difference. The error says which
// version does not parse, or wraps ErrNoOrder.
func Compare(ecosystem, a, b string) (int, error) {
	e := byName[Base(ecosystem)]
	if e == nil || e.Compare == nil {
		return 0, fmt.Errorf("%s: %w", ecosystem, ErrNoOrder)
	}
	return e.Compare(a, b)
}

// Order returns the comparison of an ecosystem, nil when none is known. It spares a look-up per comparison.
func Order(ecosystem string) func(a, b string) (int, error) {
	if e := byName[Base(ecosystem)]; e != nil {
		return e.Compare
	}
	return nil
}

// Public returns the version that was published, without what a build of it added: "+cu118" in PyPI, "+b1" in Debian, the platform
// in RubyGems. Advisories speak of published versions.
func Public(ecosystem, version string) string {
	if e := byName[Base(ecosystem)]; e != nil && e.Public != nil {
		return e.Public(version)
	}
	return version
}

// Semver orders versions by Semantic Versioning 2.0.0, for ranges that say they are semver in an ecosystem without order.
func Semver(a, b string) (int, error) { return compareSemver(a, b) }

// Valid returns an error when the version does not parse in its ecosystem.
func Valid(ecosystem, version string) error {
	_, err := Compare(ecosystem, version, version)
	return err
}

// bad is the error of a version that does not parse.
func bad(kind, version string) error {
	if len(version) > 80 {
		version = version[:80] + "..."
	}
	return fmt.Errorf("%q is not a version of %s", version, kind)
}

// slash joins namespace and name by a slash.
func slash(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlpha(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// digits returns the length of the run of digits at the start of s.
func digits(s string) int {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// letters returns the length of the run of ASCII letters at the start of s.
func letters(s string) int {
	i := 0
	for i < len(s) && isAlpha(s[i]) {
		i++
	}
	return i
}

// numbers compares two runs of digits of any length by value; "" is zero.
func numbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		if len(a) < len(b) {
			return -1
		}
		return 1
	}
	return strings.Compare(a, b)
}
