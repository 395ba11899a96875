package cve

import (
	"net/url"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy/eco"
)

// collection is a place where packages are handed out, and the purl type of its packages.
type collection struct {
	host string // without "www."
	path string // first element of the path; "" is any
	purl string
}

// collections are the addresses that records give for the ecosystems we know, from the schema's examples and from records in use.
var collections = []collection{
	{"npmjs.com", "", "npm"}, {"npmjs.org", "", "npm"}, {"registry.npmjs.org", "", "npm"},
	{"pypi.org", "", "pypi"}, {"pypi.python.org", "", "pypi"},
	{"repo.maven.apache.org", "", "maven"}, {"repo1.maven.org", "", "maven"}, {"central.sonatype.com", "", "maven"}, {"search.maven.org", "", "maven"},
	{"mvnrepository.com", "", "maven"}, {"plugins.gradle.org", "", "maven"},
	{"crates.io", "", "cargo"}, {"rubygems.org", "", "gem"}, {"packagist.org", "", "composer"},
	{"nuget.org", "", "nuget"}, {"pkg.go.dev", "", "golang"}, {"golang.org", "pkg", "golang"}, {"proxy.golang.org", "", "golang"},
	{"hex.pm", "", "hex"}, {"repo.hex.pm", "", "hex"}, {"pub.dev", "", "pub"}, {"hackage.haskell.org", "", "hackage"},
	{"cran.r-project.org", "", "cran"}, {"juliahub.com", "", "julia"}, {"opam.ocaml.org", "", "opam"}, {"conan.io", "", "conan"},
}

// redHatPackages is where Red Hat's records say that their packages are.
const redHatPackages = "access.redhat.com"

func collectionOf(address string) (purlType, host string) {
	u, err := url.Parse(address)
	if err != nil {
		return "", "" // the record names no place that could be known
	}
	host = strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	first, _, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	i := slices.IndexFunc(collections, func(c collection) bool { return c.host == host && (c.path == "" || c.path == first) })
	if i < 0 {
		return "", host
	}
	return collections[i].purl, host
}

// packaged is a package of an ecosystem.
type packaged struct {
	ecosystem, name string
	purl            string // without version
}

// packageOf finds the package that a product is, by its purl or by collection and name.
func (p *Product) packageOf() (packaged, bool) {
	if u, err := eco.Parse(p.PackageURL); err == nil && p.PackageURL != "" {
		if name, suffix, ok := eco.For(u.Type, u.Qualifier("distro")); ok && suffix == "" {
			return packaged{name, eco.OSVName(name, u.Namespace, u.Name), eco.Purl(u.Type, u.Namespace, u.Name, "")}, true
		}
	}
	typ, _ := collectionOf(p.CollectionURL)
	if typ == "" || p.PackageName == "" || strings.ContainsAny(p.PackageName, " \t\n") {
		return packaged{}, false
	}
	name := p.PackageName
	if typ == "golang" {
		name = p.module()
	}
	namespace, base := splitName(typ, name)
	ecosystem, _, ok := eco.For(typ, "")
	if !ok || base == "" {
		return packaged{}, false
	}
	return packaged{ecosystem, eco.OSVName(ecosystem, namespace, base), eco.Purl(typ, namespace, base, "")}, true
}

// module returns the module of a Go package. Records of the Go project name the package, and as vendor the module, or the standard
// library or toolchain, which OSV calls "stdlib" and "toolchain".
func (p *Product) module() string {
	switch vendor := p.Vendor; {
	case strings.EqualFold(vendor, "Go standard library"):
		return "stdlib"
	case strings.EqualFold(vendor, "Go toolchain"):
		return "toolchain"
	case strings.Contains(vendor, ".") && (p.PackageName == vendor || strings.HasPrefix(p.PackageName, vendor+"/")):
		return vendor
	}
	return p.PackageName
}

// splitName parts namespace and name as purls of a type do.
func splitName(purlType, name string) (namespace, base string) {
	switch purlType {
	case "maven":
		for _, mark := range [...]string{":", "/"} {
			if ns, b, ok := strings.Cut(name, mark); ok {
				return ns, b
			}
		}
		return "", "" // an artifact without group is none
	case "npm", "golang", "composer":
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			return name[:i], name[i+1:]
		}
	}
	return "", name
}

// forges are where a repository's address is host, owner and name and nothing else.
var forges = []string{"github.com", "gitlab.com", "bitbucket.org", "codeberg.org"}

// repoName writes the address of a repository as synonyms do: "github.com/openssl/openssl"; "" when it is none. On forges what stands
// behind owner and name (issues, trees) is cut.
func repoName(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.Path == "" || u.Path == "/" {
		return ""
	}
	path := strings.Trim(u.Path, "/")
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	if slices.Contains(forges, host) {
		parts := strings.Split(path, "/")
		if len(parts) < 2 {
			return ""
		}
		if host != "gitlab.com" {
			parts = parts[:2]
		} else if i := slices.Index(parts, "-"); i > 1 {
			parts = parts[:i]
		}
		path = strings.Join(parts, "/")
	}
	name := strings.ToLower(host + "/" + strings.TrimSuffix(path, ".git"))
	if len(name) > 512 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ""
	}
	return name
}
