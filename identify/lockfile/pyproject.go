package lockfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// PyProject reads pyproject.toml: the project itself (PEP 621, PEP 639, PEP 735; poetry's own table before them).
var PyProject = reader("pyproject", biopsy.Declared, pyProject, "pyproject.toml")

type pyManifest struct {
	Project struct {
		Name, Version, Description string
		License                    any // an SPDX expression, or before PEP 639 {text = ...}
		Classifiers                []string
		Dependencies               []string
		Optional                   map[string][]string `toml:"optional-dependencies"`
		URLs                       map[string]string
	}
	Groups map[string][]any            `toml:"dependency-groups"`
	Build  struct{ Requires []string } `toml:"build-system"`
	Tool   struct {
		Poetry struct {
			Name, Version, Description, License, Homepage, Repository string
			Dependencies                                              map[string]any
			Dev                                                       map[string]any `toml:"dev-dependencies"` // before poetry 1.2
			Group                                                     map[string]struct{ Dependencies map[string]any }
		}
	}
}

func pyProject(d *doc) error {
	var m pyManifest
	if err := d.toml(&m); err != nil {
		return err
	}
	c := m.claim()
	c.Needs = m.needs()
	d.project(d.lineOf("name"), c)
	return nil
}

func (m *pyManifest) claim() biopsy.Claim {
	p, poetry := m.Project, m.Tool.Poetry
	c := pkg("pypi", first(p.Name, poetry.Name), first(p.Version, poetry.Version))
	if slices.ContainsFunc(p.Classifiers, func(s string) bool { return strings.HasPrefix(s, "Private ::") }) {
		c.Purl = "" // never uploaded: a package of that name on the index is another one
	}
	c.Description = first(p.Description, poetry.Description)
	c.Licenses = declared(first(text(p.License), poetry.License))
	if t, ok := p.License.(map[string]any); ok {
		c.Licenses = declared(text(t["text"]))
	}
	c.Homepage, c.Repository = poetry.Homepage, webURL(poetry.Repository)
	for _, k := range slices.Sorted(maps.Keys(p.URLs)) {
		switch strings.ToLower(k) {
		case "homepage":
			c.Homepage = p.URLs[k]
		case "repository", "source", "source code":
			c.Repository = webURL(p.URLs[k])
		}
	}
	return c
}

func (m *pyManifest) needs() []biopsy.Need {
	all := pyNeeds(m.Project.Dependencies, biopsy.Runtime)
	delete(m.Tool.Poetry.Dependencies, "python")
	all = append(all, pyNeeds(slices.Sorted(maps.Keys(m.Tool.Poetry.Dependencies)), biopsy.Runtime)...)
	all = append(all, pyNeeds(slices.Sorted(maps.Keys(m.Tool.Poetry.Dev)), biopsy.Development)...)
	for _, k := range slices.Sorted(maps.Keys(m.Tool.Poetry.Group)) {
		all = append(all, pyNeeds(slices.Sorted(maps.Keys(m.Tool.Poetry.Group[k].Dependencies)), biopsy.Development)...)
	}
	for _, k := range slices.Sorted(maps.Keys(m.Project.Optional)) {
		all = append(all, pyNeeds(m.Project.Optional[k], biopsy.Optional)...)
	}
	for _, k := range slices.Sorted(maps.Keys(m.Groups)) {
		for _, dep := range m.Groups[k] {
			all = append(all, pyNeeds([]string{text(dep)}, biopsy.Development)...)
		}
	}
	return append(all, pyNeeds(m.Build.Requires, biopsy.Development)...)
}

func pyNeeds(list []string, scope biopsy.Scope) []biopsy.Need {
	var all []biopsy.Need
	for _, dep := range list {
		if name := pythonName(dep); name != "" {
			all = append(all, biopsy.Need{Name: pyFold(name), Scope: scope})
		}
	}
	return all
}

// first is the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
