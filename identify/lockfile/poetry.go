package lockfile

import (
	"maps"
	"slices"

	"github.com/biopsy-sca/biopsy"
)

// PoetryLock reads poetry.lock, versions 1.0 to 2.1 (python-poetry.org documentation, 2026).
var PoetryLock = reader("poetry-lock", biopsy.Locked, poetryLock, "poetry.lock")

type poetryPackage struct {
	Name, Version, Description string
	Category                   string         // version 1: "main" or "dev"
	Groups                     []string       // version 2.1: "main", "dev", ...
	Optional                   bool           // only installed with an extra of the project
	Dependencies               map[string]any // ranges, by name
	Files                      []pyFile
	Source                     struct {
		Type, URL string
		Resolved  string `toml:"resolved_reference"`
	}
}

func poetryLock(d *doc) error {
	var lock struct {
		Package []poetryPackage
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
		c.Description, c.Hashes = p.Description, pyHashes(p.Files)
		c.Scope = poetryScope(p.Category, p.Groups, p.Optional)
		switch p.Source.Type {
		case "git":
			origin(&c, p.Source.URL, p.Source.Resolved)
		case "directory": // a part of the project: its own pyproject.toml describes it
			c = unnamed("pypi", p.Name, "")
			c.About = true
		case "url":
			c.Download = webURL(p.Source.URL)
		}
		for _, name := range slices.Sorted(maps.Keys(p.Dependencies)) {
			c.Needs = append(c.Needs, versions.need(name, biopsy.Runtime))
		}
		d.add(lines.of(i, len(lock.Package)), c)
	}
	return nil
}

// poetryScope is "" for versions 1.2 to 2.0 of the format, which do not say which group asks for a package.
func poetryScope(category string, groups []string, optional bool) biopsy.Scope {
	switch {
	case category == "dev", len(groups) > 0 && !slices.Contains(groups, "main"):
		return biopsy.Development
	case optional:
		return biopsy.Optional
	case category == "main", len(groups) > 0:
		return biopsy.Runtime
	}
	return ""
}
