package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// pyFold makes two spellings of a Python project's name equal (PEP 503).
func pyFold(name string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' }), "-"))
}

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
