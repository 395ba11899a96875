package lockfile

import (
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// ESPLock reads dependencies.lock of the ESP-IDF component manager (docs.espressif.com, idf-component-manager 2).
var ESPLock = reader("esp-idf-lock", biopsy.Locked, espLock, "dependencies.lock")

func espLock(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	all := root.get("dependencies")
	all.each(func(name, e node) {
		c := espClaim(name.str(), e)
		if source := e.get("source", "type").str(); source == "local" {
			c.Purl = ""
		}
		c.Scope = biopsy.Runtime
		e.get("dependencies").each(func(_, dep node) {
			to := dep.get("name").str()
			c.Needs = append(c.Needs, biopsy.Need{Purl: exact(espClaim(to, all.get(to))), Name: to, Scope: biopsy.Runtime})
		})
		d.add(name.line(), c)
	})
	return y.err
}

// espClaim names "owner/component" of the registry; "idf" is the framework itself, and git sources are named by their repository.
func espClaim(name string, e node) biopsy.Claim {
	version := e.get("version").str()
	if name == "idf" {
		return hosted("https://github.com/espressif/esp-idf", "v"+version)
	}
	if repo := e.get("source", "git").str(); repo != "" {
		return hosted(repo, version)
	}
	upstream, revision, _ := strings.Cut(version, "~") // "1.7.19~2": the second packaging of 1.7.19
	owner, short, owned := strings.Cut(name, "/")
	if !owned {
		owner, short = "", name
	}
	c := pkg("generic", short, upstream)
	extra(&c, "esp-idf:owner", owner)
	extra(&c, "esp-idf:revision", revision)
	if version == "" {
		c.Purl = ""
	}
	return c
}

// ESPComponent reads idf_component.yml: what a component asks for, and, in managed_components, the component itself.
var ESPComponent = reader("esp-idf-component", biopsy.Declared, espComponent, "idf_component.yml")

func espComponent(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	if folder := path.Dir(d.Path); path.Base(path.Dir(folder)) == "managed_components" {
		owner, name, _ := strings.Cut(path.Base(folder), "__")
		version, revision, _ := strings.Cut(root.get("version").str(), "~")
		c := pkg("generic", first(name, owner), version)
		extra(&c, "esp-idf:revision", revision)
		c.Kind = biopsy.Library
		c.Description, c.Homepage = root.get("description").str(), root.get("url").str()
		c.Licenses = declared(root.get("license").str())
		extra(&c, "esp-idf:owner", owner)
		root.get("dependencies").each(func(name, _ node) {
			c.Needs = append(c.Needs, biopsy.Need{Name: path.Base(name.str()), Scope: biopsy.Runtime})
		})
		d.project(1, c)
		return y.err
	}
	root.get("dependencies").each(func(name, e node) {
		if name.str() == "idf" {
			return
		}
		version := first(e.str(), e.get("version").str())
		if repo := e.get("git").str(); repo != "" {
			d.add(name.line(), hosted(repo, version))
			return
		}
		c := pkg("generic", path.Base(name.str()), "")
		extra(&c, "esp-idf:range", version)
		d.add(name.line(), c)
	})
	return y.err
}
