package lockfile

import (
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

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

// NuGetProject reads the package references of MSBuild projects and of central package management, whose
// versions are for those that ask by name alone. The version is the lowest one
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
			if e.name == "PackageVersion" {
				c = managed(c)
			} else {
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
