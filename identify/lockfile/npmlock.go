package lockfile

import (
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// NPMLock reads package-lock.json, npm-shrinkwrap.json and the record npm leaves in node_modules, lock file versions 1 to 3 (npm
// CLI 11 documentation, "package-lock.json").
var NPMLock = func() biopsy.Extractor {
	x := reader("npm-package-lock", biopsy.Locked, npmLock, "package-lock.json", "npm-shrinkwrap.json", "node_modules/.package-lock.json")
	x.Wants = func(p string) bool {
		return !installed(strings.TrimSuffix(p, "node_modules/.package-lock.json")) && !isFixture(p)
	}
	return x
}()

// npmTree is what the lock says stands in each folder: "node_modules/a/node_modules/b".
type npmTree map[string]npmPlace

type npmPlace struct {
	name, version, purl string
	link                string // folder of the workspace it is a link to; "" for no link
	local               bool   // version 1 of what comes from a folder or file: the registry may hold another one of its name
}

func npmLock(d *doc) error {
	j, root := d.json()
	tree := npmTree{}
	visitNPM(root, func(folder string, e value) {
		tree[folder] = npmPlaceOf(folder, e)
	})
	visitNPM(root, func(folder string, e value) {
		if p := tree[folder]; p.link == "" {
			d.add(e.line(), tree.claim(folder, e))
		}
	})
	return j.close(root)
}

// visitNPM calls f with each folder. Versions 2 and 3 list them; version 1 nests them, and says nothing of the project itself.
func visitNPM(root value, f func(folder string, e value)) {
	if packages := root.get("packages"); packages.isObject() {
		packages.each(f)
		return
	}
	left := 4*len(root.j.d.text) + 1<<20 // bytes of folder names: nesting repeats those above
	var nested func(above string, e value)
	nested = func(above string, e value) {
		e.get("dependencies").each(func(name string, e value) {
			folder := path.Join(above, "node_modules", name)
			if left -= len(folder); left < 0 || len(folder) > maxFolder {
				e.j.fail(e.off, "folders nested too deep")
				return
			}
			f(folder, e)
			nested(folder, e) // no deeper than maxNesting: the text around was walked over before
		})
	}
	nested("", root)
}

func npmPlaceOf(folder string, e value) npmPlace {
	f := e.pick("name", "version", "link")
	p := npmPlace{name: npmName(folder), version: f[1].str()}
	if name := f[0].str(); name != "" { // written when it is not the folder's: aliases, the project, workspaces
		p.name = name
	}
	if real, ok := strings.CutPrefix(p.version, "npm:"); ok { // version 1 writes an alias as version "npm:name@1.0.0"
		p.name, p.version = npmSpec(real)
	}
	if f[2].isTrue() {
		p.link = e.get("resolved").str()
		return p
	}
	p.local = strings.HasPrefix(p.version, "file:") || strings.HasPrefix(p.version, "link:")
	if strings.ContainsAny(p.version, ":/") { // version 1 of what comes by address
		p.version = ""
	}
	if strings.Contains(folder, "node_modules/") && !p.local {
		p.purl = pkg("npm", p.name, p.version).Purl
	}
	return p
}

// npmName is the part of a folder behind its last node_modules, or its last element outside.
func npmName(folder string) string {
	if i := strings.LastIndex(folder, "node_modules/"); i >= 0 {
		return folder[i+len("node_modules/"):]
	}
	if folder == "" {
		return ""
	}
	return path.Base(folder)
}

// npmSpec splits "@scope/name@1.0.0".
func npmSpec(spec string) (name, version string) {
	if i := strings.LastIndexByte(spec, '@'); i > 0 {
		return spec[:i], spec[i+1:]
	}
	return spec, ""
}

// claim says what the lock says about one folder. The project and its workspaces are described by their own package.json, and
// only their edges are added to that.
func (t npmTree) claim(folder string, e value) biopsy.Claim {
	p := t[folder]
	c := pkg("npm", p.name, p.version)
	c.Purl = p.purl
	if c.Purl == "" && !p.local {
		c.About, c.Version = true, ""
	} else {
		npmDetails(&c, e)
	}
	edges := e.pick(npmEdgeNames...)
	if edges[0].isObject() { // version 1: "dependencies" are folders
		edges[1] = value{}
	}
	for i, list := range edges {
		for _, name := range list.keys() {
			if need, ok := t.need(folder, name); ok || npmEdgeNames[i] != "peerDependencies" {
				need.Scope = npmEdges[npmEdgeNames[i]]
				c.Needs = append(c.Needs, need)
			}
		}
	}
	return c
}

// npmDetails is what the entry of an installed package says besides name, version and edges.
func npmDetails(c *biopsy.Claim, e value) {
	f := e.pick("integrity", "license", "resolved", "version", "deprecated", "hasInstallScript", "inBundle", "bundled", "dev", "optional", "devOptional", "os")
	switch {
	case f[8].isTrue(): // only the makers' tools need it
		c.Scope = biopsy.Development
	case f[9].isTrue(), f[10].isTrue(): // devOptional: tools need it, and the product may
		c.Scope = biopsy.Optional
	default:
		c.Scope = biopsy.Runtime
	}
	c.Hashes, c.Licenses = integrity(f[0].str()), npmLicenses(f[1])
	from := f[2].str()
	if strings.HasPrefix(from, "http") {
		c.Download = from
	}
	checkout(c, from)
	checkout(c, f[3].str()) // version 1
	extra(c, "npm:deprecated", f[4].str())
	if f[5].isTrue() {
		extra(c, "npm:hasInstallScript", "true")
	}
	extra(c, "npm:os", strings.Join(f[11].strs(), " "))
	if f[6].isTrue() || f[7].isTrue() {
		extra(c, "npm:inBundle", "true")
	}
}

var npmEdgeNames = []string{"requires", "dependencies", "optionalDependencies", "devDependencies", "peerDependencies"}

// npmEdges are the members that hold edges; version 1 calls them "requires" and nests folders in "dependencies".
var npmEdges = map[string]biopsy.Scope{
	"requires": biopsy.Runtime, "dependencies": biopsy.Runtime, "optionalDependencies": biopsy.Optional,
	"devDependencies": biopsy.Development, "peerDependencies": biopsy.Runtime,
}

// maxFolder bounds the names of folders that are searched upwards, in bytes, and maxClimb the steps. npm has not nested deeper than
// ten packages since 2015.
const (
	maxFolder = 1024
	maxClimb  = 64
)

// need finds name the way Node does: in the folder's own node_modules, then in those of the folders above.
func (t npmTree) need(folder, name string) (biopsy.Need, bool) {
	if len(folder) > maxFolder {
		folder = ""
	}
	dir := folder
	for range maxClimb {
		if path.Base(dir) != "node_modules" {
			at := path.Join(dir, "node_modules", name)
			if p, ok := t[at]; ok {
				if p.link != "" {
					p = t[p.link]
				}
				return biopsy.Need{Purl: p.purl, Name: p.name, Path: at}, true
			}
		}
		if dir == "" {
			break
		}
		if dir = path.Dir(dir); dir == "." {
			dir = ""
		}
	}
	return biopsy.Need{Name: name}, false
}

// npmLicenses reads the ways in which a licence has been written over the years: a string, {"type": ...}, or a list of them.
func npmLicenses(v value) []biopsy.License {
	switch {
	case v.isObject():
		return declared(v.get("type").str())
	case v.isArray():
		var all []biopsy.License
		v.each(func(_ string, m value) {
			if m.isObject() {
				m = m.get("type")
			}
			all = append(all, declared(m.str())...)
		})
		return all
	}
	return declared(v.str())
}
