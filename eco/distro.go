package eco

import "strings"

// Distro is a distribution as os-release names it, and how OSV names its releases.
type Distro struct {
	ID        string                      // os-release ID
	Purl      string                      // purl type of its packages
	Ecosystem string                      // OSV's name
	Release   func(version string) string // OSV's suffix for a VERSION_ID, "" when it cannot tell; nil when the distribution has no releases
}

// distros is the list of distributions that OSV knows. Derivatives are absent on purpose: Raspbian, Kali or Amazon Linux build
// other packages under the names of their parents.
var distros = []Distro{
	{"debian", "deb", "Debian", debianRelease},
	{"ubuntu", "deb", "Ubuntu", minor},
	{"echo", "deb", "Echo", nil},
	{"alpine", "apk", "Alpine", alpineRelease},
	{"wolfi", "apk", "Wolfi", nil},
	{"chainguard", "apk", "Chainguard", nil},
	{"minimos", "apk", "MinimOS", nil},
	{"alpaquita", "apk", "Alpaquita", alpaquitaRelease},
	{"bellsoft-hardened-containers", "apk", "BellSoft Hardened Containers", alpaquitaRelease},
	{"rhel", "rpm", "Red Hat", func(v string) string { return prefixed("enterprise_linux:", major(v)) }},
	{"redhat", "rpm", "Red Hat", func(v string) string { return prefixed("enterprise_linux:", major(v)) }},
	{"rocky", "rpm", "Rocky Linux", major},
	{"rocky-linux", "rpm", "Rocky Linux", major},
	{"almalinux", "rpm", "AlmaLinux", major},
	{"sles", "rpm", "SUSE", func(v string) string { return prefixed("Linux Enterprise Server ", servicePack(v)) }},
	{"sled", "rpm", "SUSE", func(v string) string { return prefixed("Linux Enterprise Desktop ", servicePack(v)) }},
	{"sles_sap", "rpm", "SUSE", func(v string) string {
		return prefixed("Linux Enterprise Server for SAP Applications ", servicePack(v))
	}},
	{"sle-micro", "rpm", "SUSE", func(v string) string { return prefixed("Linux Enterprise Micro ", minor(v)) }},
	{"sl-micro", "rpm", "SUSE", func(v string) string { return prefixed("Linux Micro ", minor(v)) }},
	{"opensuse-leap", "rpm", "openSUSE", func(v string) string { return prefixed("Leap ", minor(v)) }},
	{"opensuse-tumbleweed", "rpm", "openSUSE", func(string) string { return "Tumbleweed" }},
	{"photon", "rpm", "Photon OS", minor},
	{"mageia", "rpm", "Mageia", major},
	{"openeuler", "rpm", "openEuler", openEulerRelease},
	{"azurelinux", "rpm", "Azure Linux", major},
	{"mariner", "rpm", "Azure Linux", major},
}

// For returns the OSV ecosystem of packages of a purl type. Distribution packages need the distro, "ID-VERSION_ID" of the tree's
// os-release ("debian-12"); suffix is then the release as OSV spells its beginning ("12", "22.04", "v3.18"), "" for distributions
// without releases. ok is false when no ecosystem is known (ecosystem is "") or its release is not (ecosystem is set).
func For(purlType, distro string) (ecosystem, suffix string, ok bool) {
	if e := byPurl[purlType]; e != nil {
		return e.Name, "", true
	}
	id, version := splitDistro(purlType, distro)
	for i := range distros {
		d := &distros[i]
		if d.ID != id || d.Purl != purlType {
			continue
		}
		if d.Release == nil {
			return d.Ecosystem, "", true
		}
		suffix = d.Release(version)
		return d.Ecosystem, suffix, suffix != ""
	}
	return "", "", false
}

// codenames are releases that purls of other tools name so ("distro=bookworm"), from the distributions' own lists of releases.
var codenames = map[string]string{
	"wheezy": "debian-7", "jessie": "debian-8", "stretch": "debian-9", "buster": "debian-10", "bullseye": "debian-11", "bookworm": "debian-12",
	"trixie": "debian-13", "forky": "debian-14", "trusty": "ubuntu-14.04", "xenial": "ubuntu-16.04", "bionic": "ubuntu-18.04",
	"focal": "ubuntu-20.04", "jammy": "ubuntu-22.04", "noble": "ubuntu-24.04", "resolute": "ubuntu-26.04",
}

// splitDistro parts "opensuse-leap-15.5" into id and version: the longest known id wins, since both may hold hyphens.
func splitDistro(purlType, distro string) (id, version string) {
	distro = strings.ToLower(distro)
	if d, ok := codenames[distro]; ok {
		distro = d
	}
	for i := range distros {
		k := distros[i].ID
		if distros[i].Purl == purlType && strings.HasPrefix(distro, k) && len(k) > len(id) && (len(distro) == len(k) || distro[len(k)] == '-') {
			id = k
		}
	}
	if len(distro) > len(id) {
		version = distro[len(id)+1:]
	}
	return id, version
}

// Covers says whether an advisory's ecosystem ("Ubuntu:22.04:LTS") speaks about a release as For names it ("Ubuntu", "22.04"). An
// ecosystem without suffix speaks about all releases. Streams with their own fixes (Ubuntu:Pro, Red Hat:rhel_eus) do not count.
func Covers(osv, ecosystem, suffix string) bool {
	base, rest, _ := strings.Cut(osv, ":")
	switch {
	case base != ecosystem:
		return false
	case rest == "" || suffix == "" || rest == suffix:
		return true
	case ecosystem == "SUSE":
		return suseModule(rest, suffix)
	}
	return strings.HasPrefix(rest, suffix) && rest[len(suffix)] == ':'
}

// suseModule holds "Linux Enterprise Module for Basesystem 15 SP5" to be part of "Linux Enterprise Server 15 SP5": SUSE spreads
// a release over its modules since version 15.
func suseModule(rest, suffix string) bool {
	release := strings.LastIndex(suffix, "Enterprise ")
	if release < 0 || !strings.HasPrefix(rest, "Linux Enterprise Module for ") {
		return false
	}
	i := strings.IndexFunc(suffix, func(r rune) bool { return r >= '0' && r <= '9' })
	return i > 0 && strings.HasSuffix(rest, " "+suffix[i:])
}

// major returns the first number of a release: "9" of "9.3"; "" when there is none.
func major(v string) string { return v[:digits(v)] }

// minor returns the first two numbers of a release: "22.04" of "22.04.3"; "" when there are not two.
func minor(v string) string {
	i := digits(v)
	if i == 0 || i >= len(v) || v[i] != '.' {
		return ""
	}
	n := digits(v[i+1:])
	if n == 0 {
		return ""
	}
	return v[:i+1+n]
}

func prefixed(prefix, v string) string {
	if v == "" {
		return ""
	}
	return prefix + v
}

// debianRelease returns "12" for "12.5", and "sid" for the release that has no number.
func debianRelease(v string) string {
	if v == "sid" || v == "unstable" {
		return "sid"
	}
	return major(v)
}

// alpineRelease returns "v3.18" for "3.18.4" and "edge" for its snapshots ("3.21_alpha20240807").
func alpineRelease(v string) string {
	if strings.Contains(v, "_alpha") || v == "edge" {
		return "edge"
	}
	return prefixed("v", minor(v))
}

// alpaquitaRelease returns "23" or "stream".
func alpaquitaRelease(v string) string {
	if strings.HasPrefix(v, "stream") {
		return "stream"
	}
	return major(v)
}

// servicePack returns "15 SP5" for "15.5" and "12" for "12".
func servicePack(v string) string {
	m := major(v)
	if full := minor(v); full != "" && full[len(m)+1:] != "0" {
		return m + " SP" + full[len(m)+1:]
	}
	return m
}

// openEulerRelease returns "22.03-LTS-SP3" for VERSION "22.03 (LTS-SP3)", "22.03-LTS-SP3" or "22.03-lts-sp3"; a bare "22.03" does
// not tell the service pack.
func openEulerRelease(v string) string {
	v = strings.ToUpper(strings.NewReplacer(" (", "-", ")", "").Replace(v))
	if !strings.Contains(v, "-") {
		return ""
	}
	return v
}

// IsDistribution says whether an ecosystem, with or without suffix, is that of a distribution.
func IsDistribution(ecosystem string) bool {
	base := Base(ecosystem)
	for i := range distros {
		if distros[i].Ecosystem == base {
			return true
		}
	}
	return false
}
