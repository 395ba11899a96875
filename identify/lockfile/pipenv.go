package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// PipfileLock reads Pipfile.lock (pipenv documentation, version 6 of the format).
var PipfileLock = reader("pipfile-lock", biopsy.Locked, pipfileLock, "Pipfile.lock")

func pipfileLock(d *doc) error {
	j, root := d.json()
	root.each(func(group string, list value) {
		if group == "_meta" {
			return
		}
		list.each(func(name string, e value) {
			c := pkg("pypi", name, strings.TrimLeft(e.get("version").str(), "= "))
			c.Scope = biopsy.Runtime
			if group == "develop" {
				c.Scope = biopsy.Development
			}
			var hs []biopsy.Hash
			for _, h := range e.get("hashes").strs() {
				hs = append(hs, hexHash(h, "")...)
			}
			c.Hashes = only(hs)
			origin(&c, e.get("git").str(), e.get("ref").str())
			d.add(e.line(), c)
		})
	})
	return j.close(root)
}
