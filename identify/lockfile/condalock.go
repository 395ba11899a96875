package lockfile

import (
	"github.com/biopsy-sca/biopsy"
)

// CondaLock reads conda-lock.yml, version 1 (conda.github.io/conda-lock, 2026). The same package may be listed for several platforms.
var CondaLock = reader("conda-lock", biopsy.Locked, condaLock, "conda-lock.yml", "*.conda-lock.yml")

func condaLock(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	versions := map[string]string{} // by platform, manager and name
	key := func(e node, name string) string {
		return e.get("platform").str() + " " + e.get("manager").str() + " " + name
	}
	root.get("package").each(func(_, e node) { versions[key(e, e.get("name").str())] = e.get("version").str() })
	root.get("package").each(func(_, e node) {
		typ := "conda"
		if e.get("manager").str() == "pip" {
			typ = "pypi"
		}
		c := pkg(typ, e.get("name").str(), e.get("version").str())
		c.Download = webURL(e.get("url").str())
		c.Hashes = append(hexHash(e.get("hash", "md5").str(), "md5"), hexHash(e.get("hash", "sha256").str(), "sha256")...)
		c.Scope = biopsy.Runtime
		if category := e.get("category").str(); category != "" && category != "main" {
			c.Scope = biopsy.Development
		}
		e.get("dependencies").each(func(name, _ node) {
			n := biopsy.Need{Name: name.str(), Scope: biopsy.Runtime}
			if v := versions[key(e, n.Name)]; v != "" {
				n.Purl = pkg(typ, n.Name, v).Purl
			}
			c.Needs = append(c.Needs, n)
		})
		d.add(e.line(), c)
	})
	return y.err
}
