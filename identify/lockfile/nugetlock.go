package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// NuGetLock reads packages.lock.json (learn.microsoft.com, "PackageReference in project files", 2026).
var NuGetLock = reader("nuget-packages-lock", biopsy.Locked, nugetLock, "packages.lock.json", "packages.*.lock.json")

func nugetLock(d *doc) error {
	j, root := d.json()
	seen := map[string]bool{}
	root.get("dependencies").each(func(_ string, framework value) {
		found := nugetNames{}
		framework.each(func(name string, e value) { found.add(name, e.get("resolved").str()) })
		framework.each(func(name string, e value) {
			c := pkg("nuget", name, e.get("resolved").str())
			if e.get("type").str() == "Project" {
				c = unnamed("nuget", name, "")
				c.Kind, c.State = biopsy.Application, biopsy.Declared
			}
			c.Needs = found.needs(e.get("dependencies").keys())
			if key := c.Purl + " " + c.Name; !seen[key] { // the same for each framework
				seen[key] = true
				d.add(e.line(), c)
			}
		})
	})
	return j.close(root)
}

// nugetNames finds packages by name; case means nothing to NuGet.
type nugetNames map[string]biopsy.Claim

func (n nugetNames) add(name, version string) { n[strings.ToLower(name)] = pkg("nuget", name, version) }

func (n nugetNames) needs(names []string) []biopsy.Need {
	var all []biopsy.Need
	for _, name := range names {
		n := biopsy.Need{Name: name, Scope: biopsy.Runtime, Purl: exact(n[strings.ToLower(name)])}
		all = append(all, n)
	}
	return all
}

// NuGetAssets reads obj/project.assets.json, what a restore resolved (version 3 of the file).
var NuGetAssets = reader("nuget-assets", biopsy.Locked, nugetAssets, "project.assets.json")

func nugetAssets(d *doc) error {
	j, root := d.json()
	needs := map[string][]biopsy.Need{}
	root.get("targets").each(func(_ string, framework value) {
		found := nugetNames{}
		framework.each(func(key string, _ value) {
			name, version, _ := strings.Cut(key, "/")
			found.add(name, version)
		})
		framework.each(func(key string, e value) {
			if _, known := needs[key]; !known {
				needs[key] = found.needs(e.get("dependencies").keys())
			}
		})
	})
	root.get("libraries").each(func(key string, e value) {
		name, version, _ := strings.Cut(key, "/")
		c := pkg("nuget", name, version)
		if e.get("type").str() == "project" {
			c.Purl, c.Kind, c.State = "", biopsy.Application, biopsy.Declared
		}
		c.Needs = needs[key]
		d.add(e.line(), c)
	})
	return j.close(root)
}
