package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// DenoLock reads deno.lock, versions 2 to 5 (docs.deno.com, "Lockfile", 2026).
var DenoLock = reader("deno-lock", biopsy.Locked, denoLock, "deno.lock")

func denoLock(d *doc) error {
	j, root := d.json()
	lists := root
	if root.get("packages").isObject() { // version 3 keeps the lists one level deeper
		lists = root.get("packages")
	}
	if old := root.get("npm", "packages"); old.isObject() { // version 2
		denoPackages(d, "npm", old)
	} else {
		denoPackages(d, "npm", lists.get("npm"))
	}
	denoPackages(d, "jsr", lists.get("jsr"))
	root.get("remote").each(func(address string, sum value) {
		c := unnamed("generic", address, "")
		c.Download, c.Hashes = address, hexHash(sum.str(), "sha256")
		d.add(sum.line(), c)
	})
	return j.close(root)
}

func denoPackages(d *doc, typ string, list value) {
	versions := map[string]string{} // by name; "" when there are several
	list.each(func(key string, _ value) {
		name, version := denoKey(key)
		if have, ok := versions[name]; ok && have != version {
			version = ""
		}
		versions[name] = version
	})
	list.each(func(key string, e value) {
		name, version := denoKey(key)
		c := pkg(typ, name, version)
		c.Hashes = integrity(e.get("integrity").str())
		if typ == "jsr" { // the hash is of the version's metadata, not of the package
			c.Hashes = nil
		}
		e.get("dependencies").each(func(alias string, ref value) {
			c.Needs = append(c.Needs, denoNeed(typ, versions, ref.str()))
		})
		d.add(e.line(), c)
	})
}

// denoNeed reads "name@1.0.0", or "name" where the lock holds one version of it, or "jsr:name@range".
func denoNeed(typ string, versions map[string]string, ref string) biopsy.Need {
	if t, rest, ok := strings.Cut(ref, ":"); ok {
		name, _ := npmSpec(rest)
		if t != typ {
			return biopsy.Need{Name: name, Scope: biopsy.Runtime}
		}
		ref = name
	}
	name, version := denoKey(ref)
	if version == "" {
		version = versions[name]
	}
	n := biopsy.Need{Name: name, Scope: biopsy.Runtime}
	if version != "" {
		n.Purl = pkg(typ, name, version).Purl
	}
	return n
}

// denoKey splits "name@1.0.0_peer@2.0.0".
func denoKey(key string) (name, version string) {
	name, version = yarnSpec(key)
	version, _, _ = strings.Cut(version, "_")
	return name, version
}
