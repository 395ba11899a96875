package lockfile

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// PyProject reads pyproject.toml: the project itself (PEP 621, PEP 639, PEP 735; poetry's own table before them).
var PyProject = reader("pyproject", biopsy.Declared, pyProject, "pyproject.toml")

func pyProject(d *doc) error {
	var m struct {
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
			}
		}
	}
	if err := d.toml(&m); err != nil {
		return err
	}
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
	c.Needs = pyNeeds(p.Dependencies, biopsy.Runtime)
	delete(poetry.Dependencies, "python")
	c.Needs = append(c.Needs, needs(poetry.Dependencies, biopsy.Runtime)...)
	for _, k := range slices.Sorted(maps.Keys(p.Optional)) {
		c.Needs = append(c.Needs, pyNeeds(p.Optional[k], biopsy.Optional)...)
	}
	for _, k := range slices.Sorted(maps.Keys(m.Groups)) {
		for _, dep := range m.Groups[k] {
			c.Needs = append(c.Needs, pyNeeds([]string{text(dep)}, biopsy.Development)...)
		}
	}
	c.Needs = append(c.Needs, pyNeeds(m.Build.Requires, biopsy.Development)...)
	d.project(d.lineOf("name"), c)
	return nil
}

func pyNeeds(list []string, scope biopsy.Scope) []biopsy.Need {
	var all []biopsy.Need
	for _, dep := range list {
		if name := pythonName(dep); name != "" {
			all = append(all, biopsy.Need{Name: name, Scope: scope})
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

// SetupCfg reads setup.cfg: the project itself (setuptools documentation, "Configuring setuptools using setup.cfg files").
var SetupCfg = reader("setup-cfg", biopsy.Declared, setupCfg, "setup.cfg")

func setupCfg(d *doc) error {
	var c biopsy.Claim
	line := 0
	for _, e := range iniEntries(d.text) {
		switch e.section + "/" + e.key {
		case "metadata/name":
			line = e.line
			c.Name = e.value
		case "metadata/version":
			if !strings.Contains(e.value, ":") { // "attr:" and "file:" point elsewhere
				c.Version = e.value
			}
		case "metadata/license":
			c.Licenses = declared(e.value)
		case "metadata/description", "metadata/summary":
			c.Description = e.value
		case "metadata/url", "metadata/home_page":
			c.Homepage = e.value
		case "metadata/author":
			c.Supplier = e.value
		case "options/install_requires":
			c.Needs = pyNeeds(strings.Split(e.value, "\n"), biopsy.Runtime)
		}
	}
	full := pkg("pypi", c.Name, c.Version)
	c.Eco, c.Purl = full.Eco, full.Purl
	d.project(line, c)
	return nil
}

// SetupPy reads the name and version of a setup.py that writes them as plain strings; the file is a program, and is not run.
var SetupPy = reader("setup-py", biopsy.Declared, setupPy, "setup.py")

var setupArgument = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[^#\n]*\b(name|version|license|url|author)\s*=\s*["']([^"'\n%{]+)["']\s*[,)\n]`)
})

func setupPy(d *doc) error {
	at := strings.Index(string(d.text), "setup(")
	if at < 0 {
		return nil
	}
	found := map[string]string{}
	line := 0
	for _, m := range setupArgument().FindAllSubmatchIndex(d.text[at:], -1) {
		key := string(d.text[at+m[2] : at+m[3]])
		if _, known := found[key]; known {
			continue
		}
		found[key] = string(d.text[at+m[4] : at+m[5]])
		if key == "name" {
			line = d.lines.at(at + m[2])
		}
	}
	c := pkg("pypi", found["name"], found["version"])
	c.Licenses, c.Homepage, c.Supplier = declared(found["license"]), webURL(found["url"]), found["author"]
	d.project(line, c)
	return nil
}
