package match

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// distributionRule asks the distribution about its package: of the release at hand only, by source package and source version.
// The Red Hat family and SUSE name binary packages in records, so there both are asked.
var distributionRule = Rule{
	Name: "distribution",
	Says: "the package's source version is before the fix of the distribution's own release",
	asks: func(c *biopsy.Component, _ *world) ([]ask, error) {
		if !isDistribution(c.Eco) {
			return nil, nil
		}
		name, suffix, ok := eco.For(c.Eco, distroOf(c))
		if name == "" {
			return nil, nil // the distribution has no records of its own; its parent's do not count
		}
		source, version := sourceOf(c)
		if mark := releaseMark(name, c.Version); !ok && mark != "" {
			name, suffix, ok = eco.For(c.Eco, distroID(c)+"-"+mark)
		}
		a := ask{rank: rankOwn, ecosystem: name, suffix: suffix, name: source, version: eco.Public(name, version)}
		if !ok {
			a.undecided = "the release of " + name + " is not known, and fixes differ between releases"
		}
		if !namesBinaries(name) && name != "SUSE" && name != "openSUSE" || source == c.Name {
			return []ask{a}, nil
		}
		b := a
		b.name, b.version = c.Name, withEpoch(c, c.Version)
		return []ask{a, b}, nil
	},
}

// distroOf is the distribution and release of a package: what its tree says, else what its purl says, else the namespace alone.
func distroOf(c *biopsy.Component) string {
	if c.Distro != "" {
		return c.Distro
	}
	if p, err := eco.Parse(c.Purl); err == nil && p.Qualifier("distro") != "" {
		return p.Qualifier("distro")
	}
	return c.Namespace
}

// distroID is the distribution without release.
func distroID(c *biopsy.Component) string {
	id, _, _ := strings.Cut(distroOf(c), "-")
	return id
}

// releaseMark is the release that the version itself names: "12" of Debian's "+deb12u2" and "~deb12u1" (Developer's Reference,
// 5.8.5), "9" of the Red Hat family's ".el9_2"; "" when it names none.
func releaseMark(ecosystem, version string) string {
	mark, after := "deb", "u"
	switch {
	case namesBinaries(ecosystem):
		mark, after = "el", ""
	case ecosystem != "Debian":
		return ""
	}
	i := strings.LastIndex(version, mark)
	if i < 1 || !strings.ContainsRune("+~.", rune(version[i-1])) {
		return ""
	}
	rest := version[i+len(mark):]
	n := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	if n == 0 || !strings.HasPrefix(rest[n:], after) {
		return ""
	}
	return rest[:n]
}

// isDistribution says whether packages of a purl type are built by a distribution from others' sources, which it may have patched.
func isDistribution(purlType string) bool {
	switch purlType {
	case "deb", "rpm", "apk", "alpm":
		return true
	}
	return false
}

func namesBinaries(ecosystem string) bool {
	return ecosystem == "Red Hat" || ecosystem == "AlmaLinux" || ecosystem == "Rocky Linux"
}

// sourceOf returns the source package and its version; the component's own where it names none.
func sourceOf(c *biopsy.Component) (name, version string) {
	name, version = c.Name, withEpoch(c, c.Version)
	if c.Source == nil {
		return name, version
	}
	if c.Source.Name != "" {
		name = c.Source.Name
	}
	if kernel, ok := unsigned(name); ok {
		return kernel, version
	}
	if c.Source.Version == "" {
		return name, version
	}
	// A source rpm's file name has no epoch; its packages share the source's but in the rarest case.
	if epoch, _, ok := strings.Cut(version, ":"); ok && c.Eco == "rpm" && !strings.Contains(c.Source.Version, ":") {
		return name, epoch + ":" + c.Source.Version
	}
	return name, c.Source.Version
}

// unsigned returns the source that a signed kernel was built from: "linux" for Debian's "linux-signed-amd64", "linux-hwe-6.5" for
// Ubuntu's "linux-signed-hwe-6.5". Records name that one, and the version of the signed source is another ("6.1.76+1").
func unsigned(source string) (string, bool) {
	rest, ok := strings.CutPrefix(source, "linux-signed")
	switch rest {
	case "", "-amd64", "-arm64", "-i386":
		return "linux", ok
	}
	return "linux" + rest, ok
}

// withEpoch puts the epoch before a version that lacks it; purls carry it as a qualifier.
func withEpoch(c *biopsy.Component, version string) string {
	if version == "" || strings.Contains(version, ":") || !strings.Contains(c.Purl, "epoch=") {
		return version
	}
	p, err := eco.Parse(c.Purl)
	if err != nil {
		return version // reconcile made this purl; the version stands by itself
	}
	if epoch := p.Qualifier("epoch"); epoch != "" && epoch != "0" {
		return epoch + ":" + version
	}
	return version
}
