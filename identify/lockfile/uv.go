package lockfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// UVLock reads uv.lock, version 1 (docs.astral.sh/uv, 2026).
var UVLock = reader("uv-lock", biopsy.Locked, uvLock, "uv.lock")

type uvDependency struct {
	Name, Version string // the version is only written where the name alone is not clear
}

type uvPackage struct {
	Name, Version string
	Source        map[string]any // one of registry, git, url, path, directory, editable, virtual
	Dependencies  []uvDependency
	Optional      map[string][]uvDependency `toml:"optional-dependencies"`
	Development   map[string][]uvDependency `toml:"dev-dependencies"`
	Sdist         *pyFile
	Wheels        []pyFile
}

func uvLock(d *doc) error {
	var lock struct{ Package []uvPackage }
	if err := d.toml(&lock); err != nil {
		return err
	}
	versions := pyVersions{}
	for _, p := range lock.Package {
		versions.add(p.Name, p.Version)
	}
	scopes := uvScopes(lock.Package)
	lines := d.tables("package")
	for i, p := range lock.Package {
		c := p.claim()
		if !c.About {
			c.Scope = scopes[p.Name]
		}
		c.Needs = p.edges(versions)
		d.add(lines.of(i, len(lock.Package)), c)
	}
	return nil
}

func (p *uvPackage) isProject() bool {
	return text(p.Source["virtual"]) != "" || text(p.Source["editable"]) != "" || text(p.Source["directory"]) != ""
}

func (p *uvPackage) claim() biopsy.Claim {
	if p.isProject() {
		c := unnamed("pypi", p.Name, "")
		c.About = true
		return c
	}
	c := pkg("pypi", p.Name, p.Version)
	files := p.Wheels
	if p.Sdist != nil {
		files = append(slices.Clip(files), *p.Sdist)
		c.Download = webURL(p.Sdist.URL)
	}
	c.Hashes = pyHashes(files)
	if git := text(p.Source["git"]); git != "" {
		repo, commit, _ := strings.Cut(git, "#")
		repo, _, _ = strings.Cut(repo, "?")
		origin(&c, repo, commit)
	}
	return c
}

func (p *uvPackage) edges(versions pyVersions) []biopsy.Need {
	var all []biopsy.Need
	add := func(list []uvDependency, scope biopsy.Scope) {
		for _, dep := range list {
			n := versions.need(dep.Name, scope)
			if dep.Version != "" {
				n.Purl = pkg("pypi", dep.Name, dep.Version).Purl
			}
			all = append(all, n)
		}
	}
	add(p.Dependencies, biopsy.Runtime)
	for _, extra := range slices.Sorted(maps.Keys(p.Optional)) {
		add(p.Optional[extra], biopsy.Optional)
	}
	for _, group := range slices.Sorted(maps.Keys(p.Development)) {
		add(p.Development[group], biopsy.Development)
	}
	return all
}

// uvScopes says for each name by what the projects come to it: what they need, else their extras, else their development groups.
func uvScopes(packages []uvPackage) map[string]biopsy.Scope {
	next := map[string][]string{}
	roots := map[biopsy.Scope][]string{}
	for _, p := range packages {
		for _, dep := range p.Dependencies {
			next[p.Name] = append(next[p.Name], dep.Name)
		}
		for _, list := range p.Optional {
			for _, dep := range list {
				if p.isProject() {
					roots[biopsy.Optional] = append(roots[biopsy.Optional], dep.Name)
				} else {
					next[p.Name] = append(next[p.Name], dep.Name)
				}
			}
		}
		for _, list := range p.Development {
			for _, dep := range list {
				roots[biopsy.Development] = append(roots[biopsy.Development], dep.Name)
			}
		}
		if p.isProject() {
			roots[biopsy.Runtime] = append(roots[biopsy.Runtime], p.Name)
		}
	}
	scopes := map[string]biopsy.Scope{}
	for _, scope := range []biopsy.Scope{biopsy.Development, biopsy.Optional, biopsy.Runtime} {
		for name := range reach(roots[scope], func(name string) []string { return next[name] }) {
			scopes[name] = scope
		}
	}
	return scopes
}
