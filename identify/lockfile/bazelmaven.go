package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// MavenInstall reads the lock file of Bazel's rules_jvm_external (versions 0.1 and 2 of the file).
var MavenInstall = reader("bazel-maven-install", biopsy.Locked, mavenInstall, "*maven_install.json")

func mavenInstall(d *doc) error {
	j, root := d.json()
	versions := map[string]string{}
	artifacts := root.get("artifacts")
	artifacts.each(func(name string, e value) { versions[name] = e.get("version").str() })
	edges := root.get("dependencies")
	needs := map[string][]biopsy.Need{}
	edges.each(func(from string, list value) {
		for _, to := range list.strs() {
			needs[from] = append(needs[from], biopsy.Need{Purl: pkg("maven", to, versions[to]).Purl, Name: strings.Replace(to, ":", "/", 1), Scope: biopsy.Runtime})
		}
	})
	artifacts.each(func(name string, e value) {
		c := mavenCoordinate(name, e.get("version").str())
		c.Hashes = hexHash(e.get("shasums", "jar").str(), "sha256")
		c.Needs = needs[name]
		d.add(e.line(), c)
	})
	root.get("dependency_tree", "dependencies").each(func(_ string, e value) {
		parts := strings.Split(e.get("coord").str(), ":")
		if len(parts) < 3 {
			return
		}
		c := pkg("maven", parts[0]+":"+parts[1], parts[len(parts)-1])
		c.Hashes = hexHash(e.get("sha256").str(), "sha256")
		for _, to := range e.get("directDependencies").strs() {
			if p := strings.Split(to, ":"); len(p) >= 3 {
				c.Needs = append(c.Needs, biopsy.Need{Purl: pkg("maven", p[0]+":"+p[1], p[len(p)-1]).Purl, Name: p[0] + "/" + p[1], Scope: biopsy.Runtime})
			}
		}
		d.add(e.line(), c)
	})
	return j.close(root)
}

// mavenCoordinate reads "group:artifact" with, perhaps, packaging and classifier behind.
func mavenCoordinate(name, version string) biopsy.Claim {
	parts := strings.Split(name, ":")
	if len(parts) < 2 {
		return biopsy.Claim{}
	}
	return pkg("maven", parts[0]+":"+parts[1], version)
}
