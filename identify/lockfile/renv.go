package lockfile

import (
	"github.com/biopsy-sca/biopsy"
)

// RenvLock reads renv.lock of R (rstudio.github.io/renv, "Lockfiles", 2026).
var RenvLock = reader("renv-lock", biopsy.Locked, renvLock, "renv.lock")

func renvLock(d *doc) error {
	j, root := d.json()
	all := root.get("Packages")
	versions := map[string]string{}
	all.each(func(name string, e value) { versions[name] = e.get("Version").str() })
	all.each(func(name string, e value) {
		typ := "cran"
		if e.get("Source").str() == "Bioconductor" {
			typ = "bioconductor"
		}
		c := pkg(typ, first(e.get("Package").str(), name), e.get("Version").str())
		if user, repo := e.get("RemoteUsername").str(), e.get("RemoteRepo").str(); user != "" && repo != "" && e.get("Source").str() == "GitHub" {
			origin(&c, "https://github.com/"+user+"/"+repo, e.get("RemoteSha").str())
		}
		for _, to := range e.get("Requirements").strs() {
			c.Needs = append(c.Needs, biopsy.Need{Purl: exact(pkg("cran", to, versions[to])), Name: to, Scope: biopsy.Runtime})
		}
		d.add(e.line(), c)
	})
	return j.close(root)
}
