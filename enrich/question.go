package enrich

import (
	"cmp"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/cpe"
)

// question is one name under which a component's product may be known, in lower case, and the version to look for.
type question struct{ name, version string }

// questions lists the names of a component, the surest first. A distribution's package is supported as long as its release is, so its
// own name is not asked for: the makers' ends of support are not the distribution's.
func questions(c *biopsy.Component, names func(purlType, name string) string) []question {
	if c.Kind == biopsy.OperatingSystem {
		if p, ok := releases[c.Name]; ok {
			return []question{{productName(p), c.Version}}
		}
	}
	if fromDistribution(c) {
		return distributions(c.Distro)
	}
	var out []question
	ask := func(name, version string) {
		q := question{strings.ToLower(name), version}
		for _, had := range out {
			if had == q {
				return
			}
		}
		out = append(out, q)
	}
	ask(withoutVersion(c), c.Version)
	for _, text := range c.CPEs {
		if n, err := cpe.Parse(text); err == nil { // others are names of nothing
			ask(n.Product23(), c.Version)
		}
	}
	if c.Eco == "golang" && c.Namespace == "" && c.Name == "stdlib" {
		ask("pkg:generic/go", c.Version) // the library comes with the toolchain
	}
	if names != nil && asUpstream(c.Eco) {
		if up := names(c.Eco, c.Name); up != "" {
			ask("pkg:generic/"+up, c.Version)
		}
	}
	return out
}

// asUpstream tells whether packages of the purl type carry the version of the software that they are named after. Those of languages
// do not: they are bindings with numbers of their own.
func asUpstream(purlType string) bool {
	switch purlType {
	case "", "generic", "conan", "conda", "vcpkg", "bitnami", "brew", "github":
		return true
	}
	return false
}

// withoutVersion cuts a component's purl, which is canonical, behind its name; it makes one where there is none.
func withoutVersion(c *biopsy.Component) string {
	if c.Purl == "" {
		return eco.Purl(c.Eco, c.Namespace, c.Name, "")
	}
	purl, _, _ := strings.Cut(c.Purl, "?")
	purl, _, _ = strings.Cut(purl, "#")
	if at := strings.LastIndexByte(purl, '@'); at > strings.LastIndexByte(purl, '/') {
		purl = purl[:at]
	}
	return purl
}

// fromDistribution tells whether a distribution built the component.
func fromDistribution(c *biopsy.Component) bool {
	switch c.Eco {
	case "deb", "rpm", "apk", "alpm", "opkg":
		return true
	}
	return false
}

// releases leads from an os-release ID to the name of its lifecycle. Derivatives that keep other dates than their parents are absent.
var releases = map[string]string{
	"debian": "debian", "ubuntu": "ubuntu", "devuan": "devuan", "alpine": "alpine-linux", "postmarketos": "postmarketos",
	"rhel": "rhel", "redhat": "rhel", "rocky": "rocky-linux", "rocky-linux": "rocky-linux", "almalinux": "almalinux", "fedora": "fedora",
	"centos": "centos", "ol": "oracle-linux", "amzn": "amazon-linux", "sles": "sles", "opensuse-leap": "opensuse", "photon": "vmware-photon",
	"mageia": "mageia", "slackware": "slackware", "nixos": "nixos", "openwrt": "openwrt", "poky": "yocto", "linuxmint": "linuxmint", "freebsd": "freebsd",
}

// distributions asks for the release in "ID-VERSION"; both parts may hold hyphens.
func distributions(distro string) []question {
	var out []question
	for i := range len(distro) {
		if distro[i] != '-' {
			continue
		}
		if p, ok := releases[distro[:i]]; ok {
			out = append(out, question{productName(p), cmp.Or(distro[i+1:], "?")})
		}
	}
	return out
}
