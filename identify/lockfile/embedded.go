package lockfile

import (
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// West reads the manifest of Zephyr's west (docs.zephyrproject.org, "West Manifests", 2026). What other manifests import into it is in
// other files.
var West = reader("west", biopsy.Locked, west, "west.yml", "west.yaml")

func west(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	m := root.get("manifest")
	bases := map[string]string{}
	m.get("remotes").each(func(_, r node) { bases[r.get("name").str()] = r.get("url-base").str() })
	m.get("projects").each(func(_, p node) {
		name := p.get("name").str()
		remote := first(p.get("remote").str(), m.get("defaults", "remote").str())
		address := p.get("url").str()
		if base := bases[remote]; address == "" && base != "" {
			address = strings.TrimSuffix(base, "/") + "/" + first(p.get("repo-path").str(), name)
		}
		revision := first(p.get("revision").str(), m.get("defaults", "revision").str())
		c := hosted(address, revision)
		if address == "" {
			c = unnamed("generic", name, revision)
		}
		if revision == "main" || revision == "master" { // a branch: what it holds changes
			c.State = biopsy.Declared
		}
		extra(&c, "west:path", p.get("path").str())
		d.add(p.line(), c)
	})
	return y.err
}

// PlatformIO reads platformio.ini: libraries, platforms and packages that its environments ask for (docs.platformio.org, 2026).
var PlatformIO = reader("platformio", biopsy.Declared, platformIO, "platformio.ini")

func platformIO(d *doc) error {
	seen := map[string]bool{}
	for _, e := range iniEntries(d.text) {
		if e.key != "lib_deps" && e.key != "platform" && e.key != "platform_packages" {
			continue
		}
		for i, spec := range strings.Split(strings.ReplaceAll(e.value, ", ", "\n"), "\n") {
			spec, _, _ = strings.Cut(strings.TrimSpace(spec), " ;")
			if c := platformIOSpec(spec); c.Name != "" && !seen[spec] {
				seen[spec] = true
				if e.key != "lib_deps" {
					extra(&c, "platformio:kind", e.key)
				}
				d.add(e.line+i, c)
			}
		}
	}
	return nil
}

// platformIOSpec reads "owner/name@1.0.0", "owner/name @ ^1.0", "name" and "https://host/owner/name.git#tag".
func platformIOSpec(spec string) biopsy.Claim {
	if strings.Contains(spec, "${") || strings.HasPrefix(spec, "file:") || strings.HasPrefix(spec, "symlink:") || spec == "" {
		return biopsy.Claim{}
	}
	if strings.Contains(spec, "://") {
		if _, after, named := strings.Cut(spec, "="); named { // "name=url"
			spec = after
		}
		repo, tag, _ := strings.Cut(spec, "#")
		return hosted(strings.TrimSpace(repo), tag)
	}
	full, version, _ := strings.Cut(spec, "@")
	full, version = strings.TrimSpace(full), strings.TrimSpace(version)
	owner, name, ok := strings.Cut(full, "/")
	if !ok {
		owner, name = "", full
	}
	exact := version
	if strings.ContainsAny(version, "^~<>*=, ") {
		exact = ""
	}
	c := pkg("generic", strings.TrimSpace(name), exact)
	extra(&c, "platformio:owner", owner)
	if exact == "" {
		extra(&c, "platformio:range", version)
	}
	return c
}

// PlatformIOLibrary reads library.json: a PlatformIO library itself.
var PlatformIOLibrary = reader("platformio-library", biopsy.Declared, platformIOLibrary, "library.json")

func platformIOLibrary(d *doc) error {
	j, root := d.json()
	if !root.get("name").isString() || !root.get("version").isString() {
		return nil // the name is used by others too
	}
	c := pkg("generic", root.get("name").str(), root.get("version").str())
	c.Kind = biopsy.Library
	c.Licenses, c.Description = declared(root.get("license").str()), root.get("description").str()
	c.Homepage, c.Repository = root.get("homepage").str(), npmRepository(root.get("repository"))
	d.project(root.get("name").line(), c)
	return j.close(root)
}

// ArduinoLibrary reads library.properties: an Arduino library itself (arduino.github.io/arduino-cli, "Library specification", 2026).
var ArduinoLibrary = reader("arduino-library", biopsy.Declared, arduinoLibrary, "library.properties")

func arduinoLibrary(d *doc) error {
	o, line := map[string]string{}, 0
	for _, e := range iniEntries(d.text) {
		o[e.key] = e.value
		if e.key == "name" {
			line = e.line
		}
	}
	if o["name"] == "" || o["version"] == "" {
		return nil
	}
	c := pkg("generic", o["name"], o["version"])
	c.Kind, c.Supplier, c.Description, c.Homepage = biopsy.Library, person(first(o["maintainer"], o["author"])), o["sentence"], webURL(o["url"])
	c.Licenses = declared(o["license"])
	for dep := range strings.SplitSeq(o["depends"], ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(dep), " (")
		if name != "" {
			c.Needs = append(c.Needs, biopsy.Need{Name: name, Scope: biopsy.Runtime})
		}
	}
	d.project(line, c)
	return nil
}

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

// GitModules reads .gitmodules: which repositories a tree takes in. The commit of each is in git's own data, not here.
var GitModules = reader("git-submodules", biopsy.Declared, gitModules, ".gitmodules")

func gitModules(d *doc) error {
	paths := map[string]string{}
	entries := iniEntries(d.text)
	for _, e := range entries {
		if e.key == "path" {
			paths[e.section] = e.value
		}
	}
	for _, e := range entries {
		if e.key == "url" {
			c := hosted(e.value, "")
			extra(&c, "git:path", paths[e.section])
			d.add(e.line, c)
		}
	}
	return nil
}
