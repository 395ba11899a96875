package lockfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// pyFold makes two spellings of a Python project's name equal (PEP 503).
func pyFold(name string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' }), "-"))
}

// pyVersions finds the one version of a name that a lock holds; "" where it holds several, for different machines.
type pyVersions map[string]string

func (vs pyVersions) add(name, version string) {
	name = pyFold(name)
	if have, ok := vs[name]; ok && have != version {
		version = ""
	}
	vs[name] = version
}

func (vs pyVersions) need(name string, scope biopsy.Scope) biopsy.Need {
	n := biopsy.Need{Name: name, Scope: scope}
	if v := vs[pyFold(name)]; v != "" {
		n.Purl = pkg("pypi", name, v).Purl
	}
	return n
}

// pyFile is one distribution file of a package.
type pyFile struct {
	File string `toml:"file"`
	URL  string `toml:"url"`
	Hash string `toml:"hash"` // "sha256:..."
}

func pyHashes(files []pyFile) []biopsy.Hash {
	var hs []biopsy.Hash
	for _, f := range files {
		hs = append(hs, hexHash(f.Hash, "")...)
	}
	return only(hs)
}

// PoetryLock reads poetry.lock, versions 1.0 to 2.1 (python-poetry.org documentation, 2026).
var PoetryLock = reader("poetry-lock", biopsy.Locked, poetryLock, "poetry.lock")

func poetryLock(d *doc) error {
	var lock struct {
		Package []struct {
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
	development := uvDevelopment(lock.Package)
	lines := d.tables("package")
	for i, p := range lock.Package {
		c := p.claim()
		if !c.About {
			c.Scope = biopsy.Runtime
			if development[p.Name] {
				c.Scope = biopsy.Development
			}
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

// uvDevelopment are the names that only the development groups of the projects lead to.
func uvDevelopment(packages []uvPackage) map[string]bool {
	next := map[string][]string{}
	var shipped, tools []string
	for _, p := range packages {
		for _, dep := range p.Dependencies {
			next[p.Name] = append(next[p.Name], dep.Name)
		}
		for _, list := range p.Optional {
			for _, dep := range list {
				next[p.Name] = append(next[p.Name], dep.Name)
			}
		}
		if p.isProject() {
			shipped = append(shipped, p.Name)
		}
		for _, list := range p.Development {
			for _, dep := range list {
				tools = append(tools, dep.Name)
			}
		}
	}
	follow := func(name string) []string { return next[name] }
	development := reach(tools, follow)
	for name := range reach(shipped, follow) {
		delete(development, name)
	}
	return development
}

// PDMLock reads pdm.lock, versions 4 and up (pdm-project.org documentation, 2026).
var PDMLock = reader("pdm-lock", biopsy.Locked, pdmLock, "pdm.lock")

func pdmLock(d *doc) error {
	var lock struct {
		Package []struct {
			Name, Version, Summary string
			Groups                 []string // "default", "dev", ...
			Dependencies           []string // PEP 508
			Files                  []pyFile
			Git, Revision, Path    string
		}
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

// PyLock reads pylock.toml (PEP 751, 2025-03-31).
var PyLock = reader("pylock", biopsy.Locked, pyLock, "pylock.toml", "pylock.*.toml")

type pyArchive struct {
	URL    string
	Hashes map[string]string // hex, by algorithm
}

func pyLock(d *doc) error {
	var lock struct {
		Packages []struct {
			Name, Version, Marker string
			Dependencies          []uvDependency
			VCS                   struct {
				URL    string
				Commit string `toml:"commit-id"`
			}
			Directory map[string]any
			Archive   *pyArchive
			Sdist     *pyArchive
			Wheels    []pyArchive
		}
	}
	if err := d.toml(&lock); err != nil {
		return err
	}
	versions := pyVersions{}
	for _, p := range lock.Packages {
		versions.add(p.Name, p.Version)
	}
	lines := d.tables("packages")
	for i, p := range lock.Packages {
		c := pkg("pypi", p.Name, p.Version)
		if p.Directory != nil {
			c.Purl = ""
		}
		files := p.Wheels
		for _, f := range []*pyArchive{p.Archive, p.Sdist} {
			if f != nil {
				files = append(slices.Clip(files), *f)
				c.Download = webURL(f.URL)
			}
		}
		c.Hashes = archiveHashes(files)
		origin(&c, p.VCS.URL, p.VCS.Commit)
		c.Scope = markerScope(p.Marker)
		for _, dep := range p.Dependencies {
			c.Needs = append(c.Needs, versions.need(dep.Name, biopsy.Runtime))
		}
		d.add(lines.of(i, len(lock.Packages)), c)
	}
	return nil
}

func archiveHashes(files []pyArchive) []biopsy.Hash {
	if len(files) != 1 {
		return nil
	}
	var hs []biopsy.Hash
	for _, alg := range slices.Sorted(maps.Keys(files[0].Hashes)) {
		hs = append(hs, hexHash(files[0].Hashes[alg], alg)...)
	}
	return hs
}

// markerScope: what is only installed with a group or an extra says so in its marker.
func markerScope(marker string) biopsy.Scope {
	switch {
	case strings.Contains(marker, "in dependency_groups") && !strings.Contains(marker, " or "):
		return biopsy.Development
	case strings.Contains(marker, "in extras") && !strings.Contains(marker, " or "):
		return biopsy.Optional
	}
	return ""
}
