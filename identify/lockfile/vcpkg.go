package lockfile

import (
	"github.com/biopsy-sca/biopsy"
)

// Vcpkg reads vcpkg.json (learn.microsoft.com, "vcpkg.json Reference", 2026): the project itself, what it asks for, and the versions
// that its overrides fix. All other versions are those of the baseline, a commit of the registry.
var Vcpkg = reader("vcpkg-json", biopsy.Declared, vcpkg, "vcpkg.json")

func vcpkg(d *doc) error {
	j, root := d.json()
	self := pkg("vcpkg", root.get("name").str(), "")
	for _, field := range []string{"version", "version-semver", "version-string", "version-date"} {
		if v := root.get(field).str(); v != "" {
			self = pkg("vcpkg", self.Name, v)
		}
	}
	self.Licenses = declared(root.get("license").str())
	self.Homepage = root.get("homepage").str()
	fixed := map[string]string{}
	root.get("overrides").each(func(_ string, e value) { fixed[e.get("name").str()] = e.get("version").str() })
	root.get("dependencies").each(func(_ string, e value) {
		name := first(e.str(), e.get("name").str())
		c := pkg("vcpkg", name, fixed[name])
		if c.Version != "" {
			c.State = biopsy.Locked
		}
		c.Scope = biopsy.Runtime
		if e.get("host").isTrue() {
			c.Scope = biopsy.Development
		}
		extra(&c, "vcpkg:atLeast", e.get("version>=").str())
		extra(&c, "vcpkg:baseline", root.get("builtin-baseline").str())
		self.Needs = append(self.Needs, biopsy.Need{Purl: exact(c), Name: name, Scope: c.Scope})
		d.add(e.line(), c)
	})
	d.project(1, self)
	return j.close(root)
}
