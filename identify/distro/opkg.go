package distro

import (
	"context"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Opkg reads the database of installed packages of opkg (0.7), as OpenWrt and Yocto images keep it. The syntax is Debian's.
var Opkg = biopsy.Extractor{
	Name:    "opkg",
	Basis:   biopsy.Manifest,
	Names:   []string{"lib/opkg/status", "lib/ipkg/status"},
	History: true,
	Extract: opkgStatus,
}

// OpkgControl reads opkg/info/NAME.control: what the package file said about itself and the status file leaves out.
var OpkgControl = biopsy.Extractor{
	Name:    "opkg-control",
	Basis:   biopsy.Manifest,
	Names:   []string{"lib/opkg/info/*.control", "lib/ipkg/info/*.control"},
	Extract: opkgControl,
}

// OpkgFiles reads which files an opkg package installed: opkg/info/NAME.list, a path per line, with mode and link target
// behind tabs since opkg 0.3.
var OpkgFiles = biopsy.Extractor{
	Name:    "opkg-files",
	Basis:   biopsy.Manifest,
	Names:   []string{"lib/opkg/info/*.list", "lib/ipkg/info/*.list"},
	Extract: opkgFiles,
}

// opkgMarks are the folders opkg keeps its database in: OpenWrt, Yocto, and ipkg before them.
var opkgMarks = []string{"usr/lib/opkg/", "var/lib/opkg/", "usr/lib/ipkg/", "var/lib/ipkg/"}

var opkgFields = func() map[string]bool {
	m := fieldSet("License", "LicenseFiles", "CPE-ID", "SourceName", "ABIVersion", "OE", "Auto-Installed")
	for name := range debFields {
		m[name] = true
	}
	return m
}()

func opkgStatus(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	root := rootOf(in.Path, opkgMarks...)
	return debPackages(ctx, in, func(s *stanza) {
		if !debPresent(s.get("Status")) {
			return
		}
		c := opkgClaim(s)
		c.State = biopsy.Installed
		setRoot(&c, root)
		emit(evidence(in, "opkg", s.line, c))
	})
}

func opkgControl(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	root := rootOf(in.Path, opkgMarks...)
	return debPackages(ctx, in, func(s *stanza) {
		c := opkgClaim(s)
		c.About = true
		setRoot(&c, root)
		emit(evidence(in, "opkg-control", s.line, c))
	})
}

func opkgFiles(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	c := biopsy.Claim{Eco: "opkg", Name: strings.TrimSuffix(path.Base(in.Path), ".list"), About: true}
	return fileList(in, rootMark(in.Path), "opkg-files", c, emit)
}

// rootMark returns the opkg folder that the path lies in.
func rootMark(p string) string {
	for _, m := range opkgMarks {
		if under(p, m) {
			return m
		}
	}
	return opkgMarks[0]
}

func opkgClaim(s *stanza) biopsy.Claim {
	c := debClaim(s, "opkg")
	c.Source = opkgSource(s)
	c.Licenses = declared(bitbake.Replace(s.get("License")))
	if cpe := cpe23(s.get("CPE-ID"), upstreamVersion(c.Version)); cpe != "" {
		c.CPEs = []string{cpe}
	}
	setExtra(&c, "opkg:source", s.get("Source"))
	setExtra(&c, "opkg:abi-version", s.get("ABIVersion"))
	return c
}

// bitbake rewrites the operators of OpenEmbedded's LICENSE (Yocto 5.0 reference manual, LICENSE).
var bitbake = strings.NewReplacer(" & ", " AND ", " | ", " OR ")

// opkgSource names the recipe: OpenWrt says SourceName, OpenEmbedded says OE or "Source: busybox_1.36.1.bb". Other values of
// Source are addresses or folders, and name nothing.
func opkgSource(s *stanza) *biopsy.Upstream {
	for _, name := range []string{s.get("SourceName"), s.get("OE")} {
		if name != "" {
			return otherThan(s.get("Package"), &biopsy.Upstream{Name: name})
		}
	}
	recipe, ok := strings.CutSuffix(s.get("Source"), ".bb")
	if !ok {
		return nil
	}
	name, version, _ := strings.Cut(recipe[strings.LastIndexByte(recipe, '/')+1:], "_")
	if name == "" {
		return nil
	}
	return otherThan(s.get("Package"), &biopsy.Upstream{Name: name, Version: version})
}

// otherThan drops a source that says no more than the package's own name.
func otherThan(name string, u *biopsy.Upstream) *biopsy.Upstream {
	if u.Name == name && u.Version == "" {
		return nil
	}
	return u
}

// upstreamVersion cuts epoch and package release off ("1:1.36.1-r2" is 1.36.1).
func upstreamVersion(v string) string {
	if i := strings.IndexByte(v, ':'); i >= 0 {
		v = v[i+1:]
	}
	if i := strings.LastIndexByte(v, '-'); i > 0 {
		v = v[:i]
	}
	return v
}

// cpe23 rewrites a CPE 2.2 URI of part, vendor and product ("cpe:/a:busybox:busybox", NISTIR 7695) as 2.3 with the version.
// "" when it is no such URI. Values of OpenWrt need no quoting but for what is not a letter, digit, '_' , '-' or '.'.
func cpe23(uri, version string) string {
	rest, ok := strings.CutPrefix(uri, "cpe:/")
	if !ok {
		return ""
	}
	f := strings.Split(rest, ":")
	if len(f) < 3 || len(f[0]) != 1 || f[1] == "" || f[2] == "" {
		return ""
	}
	if version == "" {
		version = "*"
	} else {
		version = cpeQuote(version)
	}
	return "cpe:2.3:" + f[0] + ":" + cpeQuote(f[1]) + ":" + cpeQuote(f[2]) + ":" + version + ":*:*:*:*:*:*:*"
}

// cpeQuote puts a backslash before what a CPE 2.3 string must quote (NISTIR 7695, 6.2), and lowers the letters.
func cpeQuote(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		plain := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.' || r == '\\' || r > 127
		if !plain {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
