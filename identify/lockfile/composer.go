package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// ComposerLock reads composer.lock (getcomposer.org documentation, "The lock file", 2026).
var ComposerLock = wanting(reader("composer-lock", biopsy.Locked, composerLock, "composer.lock"), outsideVendor)

// outsideVendor leaves out the packages that Composer installed.
func outsideVendor(p string) bool { return !strings.Contains("/"+p, "/vendor/") }

func composerLock(d *doc) error {
	j, root := d.json()
	versions := map[string]string{}
	lists := []struct {
		name  string
		scope biopsy.Scope
	}{{"packages", biopsy.Runtime}, {"packages-dev", biopsy.Development}}
	for _, l := range lists {
		root.get(l.name).each(func(_ string, e value) { versions[e.get("name").str()] = e.get("version").str() })
	}
	for _, l := range lists {
		root.get(l.name).each(func(_ string, e value) {
			c := pkg("composer", e.get("name").str(), e.get("version").str())
			c.Scope = l.scope
			c.Licenses = choice(e.get("license").strs())
			c.Description, c.Homepage = e.get("description").str(), e.get("homepage").str()
			c.Download = webURL(e.get("dist", "url").str())
			c.Hashes = hexHash(e.get("dist", "shasum").str(), "sha1")
			origin(&c, e.get("source", "url").str(), e.get("source", "reference").str())
			c.Needs = composerNeeds(e.get("require").keys(), versions)
			d.add(e.line(), c)
		})
	}
	return j.close(root)
}

// composerNeeds leaves out the PHP platform itself: names without a vendor.
func composerNeeds(names []string, versions map[string]string) []biopsy.Need {
	var all []biopsy.Need
	for _, name := range names {
		if !strings.Contains(name, "/") {
			continue
		}
		n := biopsy.Need{Name: name, Scope: biopsy.Runtime}
		if v := versions[name]; v != "" {
			n.Purl = pkg("composer", name, v).Purl
		}
		all = append(all, n)
	}
	return all
}

// ComposerManifest reads composer.json of a source tree: the project itself. Those below vendor are installed packages.
var ComposerManifest = wanting(reader("composer-json", biopsy.Declared, composerManifest, "composer.json"), outsideVendor)

func composerManifest(d *doc) error {
	j, root := d.json()
	c := pkg("composer", root.get("name").str(), root.get("version").str())
	c.Description, c.Homepage = root.get("description").str(), root.get("homepage").str()
	c.Licenses = choice(root.get("license").strs())
	c.Needs = composerNeeds(root.get("require").keys(), nil)
	for _, n := range composerNeeds(root.get("require-dev").keys(), nil) {
		n.Scope = biopsy.Development
		c.Needs = append(c.Needs, n)
	}
	d.project(1, c)
	return j.close(root)
}
