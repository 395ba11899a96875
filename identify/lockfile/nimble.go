package lockfile

import (
	"github.com/biopsy-sca/biopsy"
)

// NimbleLock reads nimble.lock of Nim (nim-lang.github.io/nimble, 2026).
var NimbleLock = reader("nimble-lock", biopsy.Locked, nimbleLock, "nimble.lock")

func nimbleLock(d *doc) error {
	j, root := d.json()
	root.get("packages").each(func(name string, e value) {
		version := e.get("version").str()
		c := pkg("nim", name, version)
		origin(&c, e.get("url").str(), e.get("vcsRevision").str())
		for _, to := range e.get("dependencies").strs() {
			c.Needs = append(c.Needs, biopsy.Need{Name: to, Scope: biopsy.Runtime})
		}
		d.add(e.line(), c)
	})
	return j.close(root)
}
