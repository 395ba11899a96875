package lockfile

import (
	"bytes"
	"path"
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

// NuGetConfig reads packages.config (learn.microsoft.com, "packages.config reference").
var NuGetConfig = reader("nuget-packages-config", biopsy.Locked, nugetConfig, "packages.config", "packages.*.config")

func nugetConfig(d *doc) error {
	root, err := d.xml()
	if err != nil {
		return err
	}
	for _, e := range root.all("package") {
		c := pkg("nuget", e.attr("id"), e.attr("version"))
		c.Scope = biopsy.Runtime
		if strings.EqualFold(e.attr("developmentDependency"), "true") {
			c.Scope = biopsy.Development
		}
		d.add(e.line, c)
	}
	return nil
}

// NuGetProject reads the package references of MSBuild projects and of central package management. The version is the lowest one
// wanted, which NuGet takes unless another package wants more.
var NuGetProject = reader("nuget-project", biopsy.Declared, nugetProject, "*.csproj", "*.vbproj", "*.fsproj", "Directory.Packages.props", "Directory.Build.props")

func nugetProject(d *doc) error {
	root, err := d.xml()
	if err != nil {
		return err
	}
	properties := map[string]string{}
	for _, group := range root.all("PropertyGroup") {
		for _, p := range group.kids {
			properties[p.name] = p.text
		}
	}
	self := unnamed("nuget", first(properties["PackageId"], properties["AssemblyName"], strings.TrimSuffix(path.Base(d.Path), path.Ext(d.Path))), nugetExact(properties["Version"], nil))
	self.Licenses = declared(properties["PackageLicenseExpression"])
	for _, group := range root.all("ItemGroup") {
		for _, e := range group.kids {
			switch e.name {
			case "PackageReference", "PackageVersion", "GlobalPackageReference":
			default:
				continue
			}
			c := pkg("nuget", first(e.attr("Include"), e.attr("Update")), nugetExact(first(e.attr("VersionOverride"), e.attr("Version"), e.str("Version")), properties))
			if strings.Contains(c.Name, "$(") {
				continue
			}
			if e.name != "PackageVersion" {
				c.Scope = nugetScope(e)
				self.Needs = append(self.Needs, biopsy.Need{Purl: exact(c), Name: c.Name, Scope: c.Scope})
			}
			d.add(e.line, c)
		}
	}
	if strings.HasSuffix(d.Path, "proj") {
		d.project(root.line, self)
	}
	return nil
}

// nugetScope: assets that are all private to the project are tools: analysers, test runners.
func nugetScope(e *element) biopsy.Scope {
	private := strings.ToLower(first(e.attr("PrivateAssets"), e.str("PrivateAssets")))
	if e.name == "GlobalPackageReference" || strings.Contains(private, "all") {
		return biopsy.Development
	}
	return biopsy.Runtime
}

// nugetExact is the version that "1.0" or "[1.0]" names; "" for other ranges, floating versions and unknown properties.
func nugetExact(version string, properties map[string]string) string {
	if name, ok := strings.CutPrefix(version, "$("); ok {
		version = properties[strings.TrimSuffix(name, ")")]
	}
	if strings.HasPrefix(version, "[") && strings.HasSuffix(version, "]") && !strings.Contains(version, ",") {
		version = version[1 : len(version)-1]
	}
	if strings.ContainsAny(version, "*[](),$") {
		return ""
	}
	return version
}

// PaketLock reads paket.lock (fsprojects.github.io/Paket, "The paket.lock file").
var PaketLock = reader("paket-lock", biopsy.Locked, paketLock, "paket.lock")

func paketLock(d *doc) error {
	names := nugetNames{}
	var found []struct {
		line  int
		claim biopsy.Claim
		needs []string
	}
	section, remote, scope, line := "", "", biopsy.Runtime, 0
	for raw := range bytes.Lines(d.text) {
		line++
		s := strings.TrimRight(string(raw), " \r\n")
		body := strings.TrimLeft(s, " ")
		switch indent := len(s) - len(body); {
		case body == "":
		case indent == 0:
			section = body
			if group, ok := strings.CutPrefix(body, "GROUP "); ok && madeForTools(group) {
				scope = biopsy.Development
			} else if ok {
				scope = biopsy.Runtime
			}
		case indent == 2:
			_, remote, _ = strings.Cut(body, "remote: ")
		case indent == 4:
			name, rest, _ := strings.Cut(body, " (")
			version, _, _ := strings.Cut(rest, ")")
			c := paketClaim(section, remote, name, version)
			c.Scope = scope
			names.add(name, version)
			found = append(found, struct {
				line  int
				claim biopsy.Claim
				needs []string
			}{line, c, nil})
		case indent == 6 && len(found) > 0:
			name, _, _ := strings.Cut(body, " ")
			found[len(found)-1].needs = append(found[len(found)-1].needs, name)
		}
	}
	for _, f := range found {
		f.claim.Needs = names.needs(f.needs)
		d.add(f.line, f.claim)
	}
	return nil
}

// paketClaim names a package of NUGET, or a file of a repository by its commit.
func paketClaim(section, remote, name, version string) biopsy.Claim {
	switch section {
	case "NUGET":
		return pkg("nuget", name, version)
	case "GITHUB":
		return hosted("https://github.com/"+remote, version)
	}
	return biopsy.Claim{}
}
