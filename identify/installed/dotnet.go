package installed

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// DotnetDeps reads NAME.deps.json, which .NET (Core 1.0 to 10) puts beside a program: its packages with edges and digests.
var DotnetDeps = biopsy.Extractor{
	Name:    "dotnet-deps",
	Basis:   biopsy.Manifest,
	Names:   []string{"*.deps.json"},
	Extract: dotnetDeps,
}

type depsJSON struct {
	Target struct {
		Name string `json:"name"` // ".NETCoreApp,Version=v6.0/linux-arm64"
	} `json:"runtimeTarget"`
	Targets map[string]map[string]struct {
		Needs map[string]string `json:"dependencies"`
	} `json:"targets"`
	Libraries map[string]struct {
		Type   string `json:"type"` // "package", "project", "reference", "runtimepack"
		SHA512 string `json:"sha512"`
	} `json:"libraries"`
}

func dotnetDeps(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, maxText)
	if err != nil {
		return err
	}
	return sayDeps(sheet{in, "dotnet-deps", biopsy.Manifest, emit}, b, strings.TrimSuffix(path.Base(in.Path), ".deps.json"), biopsy.Installed)
}

// sayDeps emits the libraries of a deps.json. The project called program is the application itself.
func sayDeps(s sheet, b []byte, program string, state biopsy.State) error {
	var d depsJSON
	if err := json.Unmarshal(b, &d); err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	for _, key := range slices.Sorted(maps.Keys(d.Libraries)) {
		name, version, _ := strings.Cut(key, "/")
		lib := d.Libraries[key]
		if name == "" || lib.Type == "reference" || lib.Type == "referenceassembly" {
			continue // assemblies without a package: the assembly itself is read
		}
		c := biopsy.Claim{Eco: "nuget", Name: strings.TrimPrefix(name, "runtimepack."), Version: version, State: state, Hashes: integrity(lib.SHA512)}
		if lib.Type == "project" { // the maker's own code has no package
			c.Eco, c.Kind = "", biopsy.Library
			if name == program {
				c.Kind, c.Extra = biopsy.Application, map[string]string{"dotnet:target": d.Target.Name}
			}
		}
		needs := d.Targets[d.Target.Name][key].Needs
		for _, n := range slices.Sorted(maps.Keys(needs)) {
			need := biopsy.Need{Purl: eco.Purl("nuget", "", n, needs[n]), Scope: biopsy.Runtime}
			if l := d.Libraries[n+"/"+needs[n]]; l.Type == "project" {
				need.Purl, need.Name = "", n
			}
			c.Needs = append(c.Needs, need)
		}
		s.say(c, sureProperties)
	}
	return nil
}

// Nuspec reads NAME.nuspec of unpacked packages (NuGet 2013/05 schema), as in packages folders and NuGet caches.
var Nuspec = biopsy.Extractor{
	Name:    "nuspec",
	Basis:   biopsy.Manifest,
	Names:   []string{"*.nuspec"},
	Extract: nuspec,
}

func nuspec(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, maxText)
	if err != nil {
		return err
	}
	var p struct {
		Meta nuspecMeta `xml:"metadata"`
	}
	if err := xml.Unmarshal(b, &p); err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	m := p.Meta
	if field(m.ID) == "" || strings.Contains(m.ID+m.Version, "$") {
		return nil // a template that "nuget pack" would fill in
	}
	c := biopsy.Claim{Eco: "nuget", Name: field(m.ID), Version: field(m.Version), State: biopsy.Installed, Supplier: field(m.Authors),
		Description: strings.Join(strings.Fields(m.Description), " "), Homepage: field(m.ProjectURL), Repository: field(m.Repository.URL)}
	if m.License.Type == "expression" {
		c.Licenses = declared(m.License.Value)
	} else {
		c.Licenses = declared(m.LicenseURL)
	}
	c.Needs = m.needs()
	sheet{in, "nuspec", biopsy.Manifest, emit}.say(c, sureProperties)
	return nil
}

type nuspecMeta struct {
	ID          string `xml:"id"`
	Version     string `xml:"version"`
	Authors     string `xml:"authors"`
	Description string `xml:"description"`
	ProjectURL  string `xml:"projectUrl"`
	LicenseURL  string `xml:"licenseUrl"`
	License     struct {
		Type  string `xml:"type,attr"` // "expression" or "file"
		Value string `xml:",chardata"`
	} `xml:"license"`
	Repository struct {
		URL string `xml:"url,attr"`
	} `xml:"repository"`
	Needs  []nuspecNeed `xml:"dependencies>dependency"`
	Groups []struct {
		Needs []nuspecNeed `xml:"dependency"`
	} `xml:"dependencies>group"` // one for each target framework
}

type nuspecNeed struct {
	ID string `xml:"id,attr"`
}

// needs lists the dependencies of all target frameworks, each once.
func (m nuspecMeta) needs() []biopsy.Need {
	names := map[string]bool{}
	for _, n := range m.Needs {
		names[n.ID] = true
	}
	for _, g := range m.Groups {
		for _, n := range g.Needs {
			names[n.ID] = true
		}
	}
	delete(names, "")
	var needs []biopsy.Need
	for _, n := range slices.Sorted(maps.Keys(names)) {
		needs = append(needs, biopsy.Need{Name: n, Scope: biopsy.Runtime})
	}
	return needs
}
