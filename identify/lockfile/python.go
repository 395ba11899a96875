package lockfile

import (
	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// pyFold makes two spellings of a Python project's name equal.
func pyFold(name string) string { return eco.NormalizeName("PyPI", name) }

// pyVersions finds the one version of a name that a lock holds; "" where it holds several, for different machines.
type pyVersions map[string]string

func (vs pyVersions) add(name, version string) {
	name = pyFold(name)
	if have, ok := vs[name]; ok && have != version {
		version = ""
	}
	vs[name] = version
}

func (vs pyVersions) need(name string, scope biopsy.Scope) biopsy.Need {
	n := biopsy.Need{Name: name, Scope: scope}
	if v := vs[pyFold(name)]; v != "" {
		n.Purl = pkg("pypi", name, v).Purl
	}
	return n
}

// pyFile is one distribution file of a package.
type pyFile struct {
	File string `toml:"file"`
	URL  string `toml:"url"`
	Hash string `toml:"hash"` // "sha256:..."
}

func pyHashes(files []pyFile) []biopsy.Hash {
	var hs []biopsy.Hash
	for _, f := range files {
		hs = append(hs, hexHash(f.Hash, "")...)
	}
	return only(hs)
}
