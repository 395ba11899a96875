package lockfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// PyLock reads pylock.toml (PEP 751, 2025-03-31).
var PyLock = reader("pylock", biopsy.Locked, pyLock, "pylock.toml", "pylock.*.toml")

type pyArchive struct {
	URL    string
	Hashes map[string]string // hex, by algorithm
}

type pyLockPackage struct {
	Name, Version, Marker string
	Dependencies          []uvDependency
	VCS                   struct {
		URL    string
		Commit string `toml:"commit-id"`
	}
	Directory map[string]any
	Archive   *pyArchive
	Sdist     *pyArchive
	Wheels    []pyArchive
}

func pyLock(d *doc) error {
	var lock struct {
		Packages []pyLockPackage
	}
	if err := d.toml(&lock); err != nil {
		return err
	}
	versions := pyVersions{}
	for _, p := range lock.Packages {
		versions.add(p.Name, p.Version)
	}
	lines := d.tables("packages")
	for i, p := range lock.Packages {
		c := pkg("pypi", p.Name, p.Version)
		if p.Directory != nil {
			c.Purl = ""
		}
		files := p.Wheels
		for _, f := range []*pyArchive{p.Archive, p.Sdist} {
			if f != nil {
				files = append(slices.Clip(files), *f)
				c.Download = webURL(f.URL)
			}
		}
		c.Hashes = archiveHashes(files)
		origin(&c, p.VCS.URL, p.VCS.Commit)
		c.Scope = markerScope(p.Marker)
		for _, dep := range p.Dependencies {
			c.Needs = append(c.Needs, versions.need(dep.Name, biopsy.Runtime))
		}
		d.add(lines.of(i, len(lock.Packages)), c)
	}
	return nil
}

func archiveHashes(files []pyArchive) []biopsy.Hash {
	if len(files) != 1 {
		return nil
	}
	var hs []biopsy.Hash
	for _, alg := range slices.Sorted(maps.Keys(files[0].Hashes)) {
		hs = append(hs, hexHash(files[0].Hashes[alg], alg)...)
	}
	return hs
}

// markerScope: what is only installed with a group or an extra says so in its marker.
func markerScope(marker string) biopsy.Scope {
	switch {
	case strings.Contains(marker, "in dependency_groups") && !strings.Contains(marker, " or "):
		return biopsy.Development
	case strings.Contains(marker, "in extras") && !strings.Contains(marker, " or "):
		return biopsy.Optional
	}
	return ""
}
