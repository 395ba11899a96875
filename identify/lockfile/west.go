package lockfile

import (
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
