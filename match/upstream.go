package match

import (
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// upstreamEcosystem is our name for software as its makers name and number it.
const upstreamEcosystem = "Upstream"

const (
	mayBePatched  = "the distribution may carry the fix as a patch"
	shippedIn     = "it is inside a file of a distribution's package, which may carry the fix as a patch"
	patchesUnseen = "a patch by whoever built it would not be visible"
	vendorKernel  = "the kernel is a vendor's tree, which may carry the fix as a patch"
)

// upstreamRule asks the makers of the software: the only voice for components that no ecosystem names, a second voice for packages
// of distributions. Packages of language ecosystems are never asked for by bare name.
var upstreamRule = Rule{
	Name: "upstream-range",
	Says: "the version its makers gave it lies in a range of their own numbering",
	asks: func(c *biopsy.Component, w *world) ([]ask, error) {
		if !builtFromUpstream(c.Eco) || c.Eco == "" && notSoftware(c.Kind) {
			return nil, nil
		}
		source, version := sourceOf(c)
		a := ask{rank: rankOwn, ecosystem: upstreamEcosystem, version: upstreamVersion(c.Eco, version), note: patchesUnseen}
		if isDistribution(c.Eco) || c.Eco == "brew" {
			a.rank, a.soften, a.note = rankUpstream, mayBePatched+ended(c), ""
		} else if w.shipped[c.ID] {
			a.soften = shippedIn
		}
		var out []ask
		for _, name := range upstreamNames(c, source, w.o) {
			a.name = name
			out = append(out, a)
			if name == "linux" || name == "linux_kernel" {
				k := a.kernel()
				out[len(out)-1].soften = k.soften
				out = append(out, k)
			}
		}
		return out, nil
	},
}

// ended says that the support of a distribution's release is over, where a book knows; "" otherwise. Its silence says even less then.
func ended(c *biopsy.Component) string {
	s := c.Support
	if s == nil || s.Days == nil || *s.Days >= 0 {
		return ""
	}
	return ", though its support ended on " + s.End
}

// kernel is the same question to kernel.org, which numbers stable branches one by one.
func (a ask) kernel() ask {
	a.ecosystem, a.name = "Linux", "Kernel"
	if tree := vendorTree(a.version); tree != "" && a.soften == "" {
		a.soften = vendorKernel + " (" + tree + ")"
	}
	return a
}

// vendorTrees are the words by which makers of chips, boards and distributions mark kernels of their own, which carry patches beside those of
// the stable branch that the number names. Other words behind the number ("-yocto", "-g1234", a device's own name) say who built it, not
// what was patched.
var vendorTrees = []string{"tegra", "ti", "imx", "lf", "fslc", "xilinx", "rpi", "raspi", "v7", "v7l", "v8", "qcom", "perf", "rockchip", "mtk", "android",
	"aws", "azure", "gcp", "gke", "oracle", "generic", "lowlatency", "cip", "amzn", "amd64", "arm64", "armmp", "bpo", "pve", "stm32mp", "sunxi", "meson64"}

// vendorTree returns the word in a kernel's release that names a vendor's tree; "" when there is none.
func vendorTree(release string) string {
	for word := range strings.FieldsFuncSeq(strings.ToLower(release), func(r rune) bool { return r == '-' || r == '+' || r == '_' || r == '.' }) {
		if slices.Contains(vendorTrees, word) || strings.HasPrefix(word, "el") && len(word) <= 3 && word[len(word)-1] <= '9' || strings.HasPrefix(word, "fc") && len(word) == 4 {
			return word
		}
	}
	return ""
}

// builtFromUpstream says whether things of a purl type carry the name and version that their makers gave them.
func builtFromUpstream(purlType string) bool {
	switch purlType {
	case "", "generic", "conan", "vcpkg", "opkg", "yocto", "openwrt", "buildroot", "github", "gitlab", "bitbucket", "brew", "conda",
		"nix", "guix", "ebuild", "deb", "rpm", "apk", "alpm":
		return true
	}
	return false
}

// notSoftware says whether things of a kind have no makers' versions, whatever they are named.
func notSoftware(k biopsy.Kind) bool {
	return k == biopsy.FileKind || k == biopsy.DataKind || k == biopsy.CryptoAsset
}

// upstreamNames are the names to ask for: the canonical one when it is known, else the name itself; a repository's name alone tells
// no fork from its origin.
func upstreamNames(c *biopsy.Component, source string, o *Options) []string {
	hosted := c.Eco == "github" || c.Eco == "gitlab" || c.Eco == "bitbucket"
	known := []string{source, c.Name}
	if hosted {
		known = []string{c.Namespace + "/" + c.Name}
	}
	if canonical := canonicalName(c, known, o); canonical != "" {
		return []string{canonical}
	}
	if hosted {
		return nil
	}
	return []string{strings.ToLower(source)}
}

// canonicalName is the first name that Names knows. CPEs are asked, as purl type "cpe", where there is no better name: those that
// other tools guess for packages are not worth much.
func canonicalName(c *biopsy.Component, known []string, o *Options) string {
	if o.Names == nil {
		return ""
	}
	for _, n := range known {
		if canonical := o.Names(c.Eco, n); canonical != "" {
			return canonical
		}
	}
	if c.Eco != "" && c.Eco != "generic" {
		return ""
	}
	for _, cpe := range c.CPEs {
		if canonical := o.Names("cpe", cpe); canonical != "" {
			return canonical
		}
	}
	return ""
}

// upstreamVersion takes a distribution's additions off a version: epoch and revision ("1:9.2p1-2+deb12u3" is "9.2p1"), repacking marks
// ("+dfsg", "+ds", ".dfsg"), snapshots ("+git20200101"), "-r0" of apk, opkg and Yocto. What was "really" packed counts ("5.1+really5.0").
// Of a repository's tags the version they name is taken. "~rc1" and "_rc1" become "-rc1", "_p1" becomes "p1".
func upstreamVersion(purlType, v string) string {
	if purlType == "github" || purlType == "gitlab" || purlType == "bitbucket" {
		if tag := eco.TagVersion(v); tag != "" && !looksLikeCommit(v) {
			return tag
		}
		return v
	}
	if !isDistribution(purlType) && purlType != "opkg" && purlType != "yocto" && purlType != "openwrt" {
		return v
	}
	if _, rest, ok := strings.Cut(v, ":"); ok {
		v = rest
	}
	v = withoutRevision(purlType, v)
	if _, really, ok := strings.Cut(v, "really"); ok && really != "" {
		v = really
	}
	if purlType == "apk" {
		v = strings.ReplaceAll(strings.ReplaceAll(v, "_p", "p"), "_", "-")
	}
	for _, mark := range [...]string{"+", "~dfsg", "~ds", ".dfsg", "-dfsg", "~deb", "~bpo", "~ubuntu", "-git", "~git", "^"} {
		v, _, _ = strings.Cut(v, mark)
	}
	return strings.ReplaceAll(v, "~", "-")
}

func withoutRevision(purlType, v string) string {
	i := strings.LastIndexByte(v, '-')
	if i <= 0 {
		return v
	}
	if purlType == "apk" && !strings.HasPrefix(v[i:], "-r") {
		return v
	}
	return v[:i]
}
