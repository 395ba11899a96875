package lockfile

import (
	"github.com/biopsy-sca/biopsy"
)

// CargoManifest reads Cargo.toml: the package itself (The Cargo Book, "The Manifest Format", 2026).
var CargoManifest = reader("cargo-toml", biopsy.Declared, cargoManifest, "Cargo.toml")

func cargoManifest(d *doc) error {
	var m struct {
		Package struct {
			Name        string `toml:"name"`
			Version     any    `toml:"version"` // a table when it is inherited from the workspace
			License     any    `toml:"license"`
			Description any    `toml:"description"`
			Homepage    any    `toml:"homepage"`
			Repository  any    `toml:"repository"`
			Publish     any    `toml:"publish"` // false: on no registry, where the name may be another's
		} `toml:"package"`
		Dependencies map[string]any `toml:"dependencies"`
		Build        map[string]any `toml:"build-dependencies"`
		Development  map[string]any `toml:"dev-dependencies"`
	}
	if err := d.toml(&m); err != nil {
		return err
	}
	p := m.Package
	c := pkg("cargo", p.Name, text(p.Version))
	if p.Publish == false {
		c.Purl = ""
	}
	c.Licenses = declared(text(p.License))
	c.Description, c.Homepage, c.Repository = text(p.Description), text(p.Homepage), text(p.Repository)
	c.Needs = append(needs(m.Dependencies, biopsy.Runtime), append(needs(m.Build, biopsy.Development), needs(m.Development, biopsy.Development)...)...)
	d.project(d.lineOf("[package]"), c)
	return nil
}
