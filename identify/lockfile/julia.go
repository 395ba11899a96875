package lockfile

import (
	"maps"
	"slices"

	"github.com/biopsy-sca/biopsy"
)

// JuliaManifest reads Manifest.toml, formats 1 and 2 (Pkg.jl documentation, "Project.toml and Manifest.toml").
var JuliaManifest = reader("julia-manifest", biopsy.Locked, juliaManifest, "Manifest.toml", "JuliaManifest.toml", "Manifest-v*.toml")

func juliaManifest(d *doc) error {
	var m map[string]any
	if err := d.toml(&m); err != nil {
		return err
	}
	prefix := ""
	if deps, ok := m["deps"].(map[string]any); ok { // format 2
		m, prefix = deps, "deps."
	}
	purls := map[string]string{}
	for name, entries := range m {
		for _, e := range tablesOf(entries) {
			purls[name] = exact(juliaClaim(name, e))
		}
	}
	lines := d.keyLines()
	for _, name := range slices.Sorted(maps.Keys(m)) {
		for _, e := range tablesOf(m[name]) {
			c := juliaClaim(name, e)
			if text(e["uuid"]) == "" || c.Version == "" { // parts of Julia itself have no version of their own
				continue
			}
			for _, to := range juliaNeeds(e["deps"]) {
				c.Needs = append(c.Needs, biopsy.Need{Purl: purls[to], Name: to, Scope: biopsy.Runtime})
			}
			d.add(lines["[["+prefix+name+"]]"], c)
		}
	}
	return nil
}

func juliaClaim(name string, e map[string]any) biopsy.Claim {
	c := pkg("julia", name, text(e["version"]), "uuid", text(e["uuid"]))
	origin(&c, text(e["repo-url"]), text(e["repo-rev"]))
	return c
}

// juliaNeeds reads a list of names, or a table of names and uuids where names alone are not clear.
func juliaNeeds(v any) []string {
	var all []string
	switch deps := v.(type) {
	case []any:
		for _, n := range deps {
			all = append(all, text(n))
		}
	case map[string]any:
		all = slices.Sorted(maps.Keys(deps))
	}
	return all
}

func tablesOf(v any) []map[string]any {
	list, _ := v.([]map[string]any)
	return list
}
