package lockfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// PNPMLock reads pnpm-lock.yaml, lock file versions 5 to 9 (pnpm/spec, "lockfile", 2024).
var PNPMLock = reader("pnpm-lock", biopsy.Locked, pnpmLock, "pnpm-lock.yaml")

// pnpmPackage is one package. Version 9 splits it into "packages" and, for each set of peers, "snapshots"; they meet here again.
type pnpmPackage struct {
	line  int
	claim biopsy.Claim
	dev   bool
	needs map[string]biopsy.Scope // by key of the package needed
}

type pnpmGraph map[string]*pnpmPackage // by "name@version"

func pnpmLock(d *doc) error {
	y, docs, err := d.yaml()
	for _, root := range docs {
		if !root.isMap() {
			return errNoMapping
		}
		g := pnpmGraph{}
		root.get("packages").each(func(key, e node) { g.add(key, e, e) })
		root.get("snapshots").each(func(key, e node) { g.add(key, node{}, e) })
		shipped, tools := g.roots(root)
		runtime := g.reach(shipped)
		development := g.reach(tools)
		for _, key := range slices.Sorted(maps.Keys(g)) {
			p := g[key]
			c := p.claim
			switch {
			case p.dev || (development[key] && !runtime[key]):
				c.Scope = biopsy.Development
			case c.Scope == "":
				c.Scope = biopsy.Runtime
			}
			c.Needs = g.edges(p.needs)
			d.add(p.line, c)
		}
	}
	if err == nil {
		err = y.err
	}
	return err
}

// add keeps what a block says; meta is the block that describes the package, edges the one that holds its edges.
func (g pnpmGraph) add(key, meta, edges node) {
	name, version := pnpmKey(key.str())
	if !strings.Contains(version, ":") && !strings.ContainsAny(version[:min(1, len(version))], "0123456789") {
		name, version = meta.get("name").str(), meta.get("version").str() // of packages that come by address
	}
	if name == "" || version == "" {
		return
	}
	id := name + "@" + version
	p := g[id]
	if p == nil {
		p = &pnpmPackage{line: key.line(), needs: map[string]biopsy.Scope{}, claim: pkg("npm", first(meta.get("name").str(), name), pnpmVersion(meta, version))}
		g[id] = p
	}
	if from := meta.get("resolution"); from.isMap() {
		if from.get("type").str() == "directory" {
			p.claim.Purl = "" // a folder beside the project
		}
		p.claim.Hashes = integrity(from.get("integrity").str())
		p.claim.Download = webURL(from.get("tarball").str())
		origin(&p.claim, from.get("repo").str(), from.get("commit").str())
	}
	extra(&p.claim, "npm:deprecated", meta.get("deprecated").str())
	p.dev = p.dev || edges.get("dev").isTrue()
	if edges.get("optional").isTrue() {
		p.claim.Scope = biopsy.Optional
	}
	for section, scope := range map[string]biopsy.Scope{"dependencies": biopsy.Runtime, "optionalDependencies": biopsy.Optional} {
		edges.get(section).each(func(dep, ref node) {
			p.needs[pnpmReference(dep.str(), ref.str())] = scope
		})
	}
}

// pnpmVersion is the version of a package; those that come by address have the address where others have the version.
func pnpmVersion(meta node, fromKey string) string {
	if v := meta.get("version").str(); v != "" {
		return v
	}
	if strings.ContainsAny(fromKey, ":/") {
		return ""
	}
	return fromKey
}

// pnpmKey splits "/name/1.0.0_peer" (version 5), "/name@1.0.0(peer)" (6) and "name@1.0.0(peer)" (9).
func pnpmKey(key string) (name, version string) {
	key, _, _ = strings.Cut(key, "(")
	short, slash := strings.CutPrefix(key, "/")
	if name, version := npmSpec(short); version != "" && !strings.Contains(version, "/") && !strings.Contains(name, "_") {
		return name, version
	}
	i := strings.LastIndexByte(short, '/')
	host, rest, ok := strings.Cut(short, "/")
	if !slash && ok && strings.Contains(host, ".") && !strings.Contains(host, "@") { // "registry.example/name/1.0.0"
		short, i = rest, i-len(host)-1
	}
	if i < 0 || strings.Contains(short, ":") {
		return yarnSpec(short)
	}
	version, _, _ = strings.Cut(short[i+1:], "_")
	return short[:i], version
}

// pnpmReference is the "name@version" an edge points to. The reference is a version, or a key where the name is another one.
func pnpmReference(name, ref string) string {
	plain, _, _ := strings.Cut(ref, "(")
	if strings.HasPrefix(plain, "/") || (strings.LastIndexByte(plain, '@') > 0 && !strings.Contains(plain, ":") && !strings.Contains(plain, "_")) {
		n, v := pnpmKey(plain)
		return n + "@" + v
	}
	plain, _, _ = strings.Cut(plain, "_")
	return name + "@" + plain
}

// roots are the packages that the projects of the tree ask for by themselves.
func (g pnpmGraph) roots(root node) (shipped, tools []string) {
	project := func(p node) {
		for _, section := range []string{"dependencies", "optionalDependencies", "devDependencies"} {
			p.get(section).each(func(name, ref node) {
				if ref.isMap() {
					ref = ref.get("version")
				}
				key := pnpmReference(name.str(), ref.str())
				if section == "devDependencies" {
					tools = append(tools, key)
				} else {
					shipped = append(shipped, key)
				}
			})
		}
	}
	project(root)
	root.get("importers").each(func(_, p node) { project(p) })
	return shipped, tools
}

// reach returns all packages that can be reached from the roots.
func (g pnpmGraph) reach(roots []string) map[string]bool {
	return reach(roots, func(key string) []string {
		if p := g[key]; p != nil {
			return slices.Collect(maps.Keys(p.needs))
		}
		return nil
	})
}

// reach returns the roots and all that next leads to from them.
func reach(roots []string, next func(string) []string) map[string]bool {
	seen := map[string]bool{}
	for todo := roots; len(todo) > 0; {
		key := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen[key] {
			seen[key] = true
			todo = append(todo, next(key)...)
		}
	}
	return seen
}

func (g pnpmGraph) edges(needs map[string]biopsy.Scope) []biopsy.Need {
	var all []biopsy.Need
	for _, key := range slices.Sorted(maps.Keys(needs)) {
		n := biopsy.Need{Scope: needs[key]}
		if p := g[key]; p != nil {
			n.Purl, n.Name = p.claim.Purl, fullName(p.claim)
		} else {
			n.Name, _ = npmSpec(key)
		}
		all = append(all, n)
	}
	return all
}
