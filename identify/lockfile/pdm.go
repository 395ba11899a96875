package lockfile

import (
	"slices"

	"github.com/biopsy-sca/biopsy"
)

// PDMLock reads pdm.lock, versions 4 and up (pdm-project.org documentation, 2026).
var PDMLock = reader("pdm-lock", biopsy.Locked, pdmLock, "pdm.lock")

type pdmPackage struct {
	Name, Version, Summary string
	Groups                 []string // "default", "dev", ...
	Dependencies           []string // PEP 508
	Files                  []pyFile
	Git, Revision, Path    string
}

func pdmLock(d *doc) error {
	var lock struct {
		Package []pdmPackage
	}
	if err := d.toml(&lock); err != nil {
		return err
	}
	versions := pyVersions{}
	for _, p := range lock.Package {
		versions.add(p.Name, p.Version)
	}
	lines := d.tables("package")
	for i, p := range lock.Package {
		c := pkg("pypi", p.Name, p.Version)
		if p.Path != "" {
			c.Purl = ""
		}
		c.Description, c.Hashes = p.Summary, pyHashes(p.Files)
		origin(&c, p.Git, p.Revision)
		switch {
		case len(p.Groups) == 0:
		case slices.Contains(p.Groups, "default"):
			c.Scope = biopsy.Runtime
		default:
			c.Scope = biopsy.Development
		}
		for _, dep := range p.Dependencies {
			if name := pythonName(dep); name != "" {
				c.Needs = append(c.Needs, versions.need(name, biopsy.Runtime))
			}
		}
		d.add(lines.of(i, len(lock.Package)), c)
	}
	return nil
}
