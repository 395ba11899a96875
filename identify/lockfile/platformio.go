package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

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
