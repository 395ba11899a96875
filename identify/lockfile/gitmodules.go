package lockfile

import (
	"github.com/biopsy-sca/biopsy"
)

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
