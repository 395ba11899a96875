package distro

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// rootExtra is the key under which a claim says which folder of the tree is "/" for it. Absent at the top.
const rootExtra = "root"

// rootOf returns the folder that is "/" for a database at path: what stands before the last mark ("var/lib/dpkg/"), without
// the slash between. "" is the top of the tree, and also what a path without the mark gives.
func rootOf(path string, marks ...string) string {
	for _, m := range marks {
		if i := strings.LastIndex(path, "/"+m); i > 0 {
			return path[:i]
		}
	}
	return ""
}

// under tells whether a mark ("lib/dpkg/info/") stands in the path as whole elements.
func under(path, mark string) bool {
	return strings.HasPrefix(path, mark) || strings.Contains(path, "/"+mark)
}

// setRoot notes the root in the claim, if it is not the top of the tree.
func setRoot(c *biopsy.Claim, root string) {
	if root != "" {
		setExtra(c, rootExtra, root)
	}
}

// setExtra keeps a field that no word of the vocabulary holds; an empty value is not kept.
func setExtra(c *biopsy.Claim, key, value string) {
	if value == "" {
		return
	}
	if c.Extra == nil {
		c.Extra = map[string]string{}
	}
	c.Extra[key] = value
}

// maxPath bounds a path inside a tree (Linux PATH_MAX).
const maxPath = 4096

// owned collects the files of one package.
type owned struct {
	root  string
	paths []biopsy.Path
	buf   []byte
}

// add notes one file, as its database spells it. What cannot be a path is passed over.
func (o *owned) add(path []byte) {
	for len(path) > 0 && path[0] == '/' {
		path = path[1:]
	}
	if len(path) == 0 || len(path) > maxPath {
		return
	}
	b := o.buf[:0]
	if o.root != "" {
		b = append(append(b, o.root...), '/')
	}
	b = append(b, path...)
	o.buf = b
	o.paths = append(o.paths, biopsy.HashPath(string(b)))
}
