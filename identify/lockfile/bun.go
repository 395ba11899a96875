package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// BunLock reads bun.lock, the text lock file of Bun 1.2 and up, versions 0 and 1.
var BunLock = reader("bun-lock", biopsy.Locked, bunLock, "bun.lock")

// bunPackage is one entry: ["name@version", registry, {edges}, integrity].
type bunPackage struct {
	claim biopsy.Claim
	needs []string // names
}

func bunLock(d *doc) error {
	j, root := d.json()
	all := map[string]bunPackage{}
	root.get("packages").each(func(key string, e value) { all[key] = bunEntry(e) })
	shipped, tools := bunRoots(root)
	next := func(key string) []string {
		var found []string
		for _, name := range all[key].needs {
			found = append(found, bunResolve(all, key, name))
		}
		return found
	}
	runtime, development := reach(shipped, next), reach(tools, next)
	root.get("packages").each(func(key string, e value) {
		p := all[key]
		for _, name := range p.needs {
			to := all[bunResolve(all, key, name)].claim
			if to.Name == "" {
				to = pkg("npm", name, "")
				to.Purl = ""
			}
			p.claim.Needs = append(p.claim.Needs, biopsy.Need{Purl: to.Purl, Name: fullName(to), Scope: biopsy.Runtime})
		}
		p.claim.Scope = biopsy.Runtime
		if development[key] && !runtime[key] {
			p.claim.Scope = biopsy.Development
		}
		d.add(e.line(), p.claim)
	})
	return j.close(root)
}

func bunEntry(e value) bunPackage {
	var p bunPackage
	var words []string
	e.each(func(_ string, m value) {
		if m.isString() {
			words = append(words, m.str())
		}
		p.needs = append(p.needs, m.get("dependencies").keys()...)
		p.needs = append(p.needs, m.get("optionalDependencies").keys()...)
	})
	if len(words) == 0 {
		return p
	}
	name, version := yarnSpec(words[0])
	if strings.HasPrefix(version, "workspace:") {
		p.claim = unnamed("npm", name, "")
		p.claim.About = true
		return p
	}
	if repo, commit, _ := strings.Cut(version, "#"); strings.Contains(repo, ":") {
		p.claim = pkg("npm", name, "")
		origin(&p.claim, strings.Replace(repo, "github:", "https://github.com/", 1), commit)
		return p
	}
	p.claim = pkg("npm", name, version)
	p.claim.Hashes = integrity(words[len(words)-1])
	return p
}

// bunRoots are the keys that the workspaces ask for.
func bunRoots(root value) (shipped, tools []string) {
	root.get("workspaces").each(func(_ string, w value) {
		w.each(func(section string, list value) {
			switch section {
			case "dependencies", "optionalDependencies", "peerDependencies":
				shipped = append(shipped, list.keys()...)
			case "devDependencies":
				tools = append(tools, list.keys()...)
			}
		})
	})
	return shipped, tools
}

// bunResolve returns the key of the nearest package of that name: "a/b/name", "a/name", "name". Scopes count as one element.
func bunResolve(all map[string]bunPackage, key, name string) string {
	for len(key) <= maxFolder {
		if _, ok := all[key+"/"+name]; ok {
			return key + "/" + name
		}
		i := strings.LastIndexByte(key, '/')
		if i < 0 {
			return name
		}
		key = key[:i]
	}
	return name
}
