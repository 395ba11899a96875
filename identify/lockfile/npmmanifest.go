package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// NPMManifest reads package.json of a source tree: the project itself (npm CLI 11 documentation, "package.json").
var NPMManifest = reader("npm-package-json", biopsy.Declared, npmManifest, "package.json")

func npmManifest(d *doc) error {
	j, m := d.json()
	c := pkg("npm", m.get("name").str(), m.get("version").str())
	if m.get("private").isTrue() { // never published: a package of that name on the registry is another one
		c.Purl = ""
	}
	c.Description, c.Homepage = m.get("description").str(), m.get("homepage").str()
	c.Licenses = append(npmLicenses(m.get("license")), npmLicenses(m.get("licenses"))...)
	c.Supplier = npmPerson(m.get("author"))
	c.Repository = npmRepository(m.get("repository"))
	m.each(func(key string, list value) {
		if scope, ok := npmEdges[key]; ok && key != "requires" && list.isObject() {
			list.each(func(name string, spec value) {
				if real, ok := strings.CutPrefix(spec.str(), "npm:"); ok { // an alias
					name, _ = npmSpec(real)
				}
				c.Needs = append(c.Needs, biopsy.Need{Name: name, Scope: scope})
			})
		}
	})
	line := 0
	if c.Name != "" {
		line = m.get("name").line()
	}
	d.project(line, c)
	return j.close(m)
}

// npmPerson is the name in a line or in {"name": ...}.
func npmPerson(v value) string {
	s := v.str()
	if v.isObject() {
		s = v.get("name").str()
	}
	return person(s)
}

// person is the name in "Name <mail> (url)".
func person(s string) string {
	if i := strings.IndexAny(s, "<("); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}

// npmRepository is the address of "url", {"url": ...} or the shorthand "github:owner/name".
func npmRepository(v value) string {
	s := v.str()
	if v.isObject() {
		s = v.get("url").str()
	}
	if short, ok := strings.CutPrefix(s, "github:"); ok {
		s = "https://github.com/" + short
	}
	return webURL(s)
}
