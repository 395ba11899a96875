package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// PodLock reads Podfile.lock (CocoaPods 1.16). Subspecs "Pod/Part" are parts of one pod and count as it.
var PodLock = reader("podfile-lock", biopsy.Locked, podLock, "Podfile.lock")

func podLock(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	versions, lines := map[string]string{}, map[string]int{}
	var order []string
	edges := map[string][]string{}
	root.get("PODS").each(func(_, e node) {
		spec, needs := e, node{}
		e.each(func(key, list node) { spec, needs = key, list })
		name, version := podSpec(spec.str())
		if _, known := versions[name]; !known {
			order = append(order, name)
			versions[name], lines[name] = version, spec.line()
		}
		for _, s := range needs.strs() {
			if to, _ := podSpec(s); to != name {
				edges[name] = append(edges[name], to)
			}
		}
	})
	for _, name := range order {
		c := pkg("cocoapods", name, versions[name])
		c.Scope = biopsy.Runtime
		checkout := root.get("CHECKOUT OPTIONS", name)
		origin(&c, checkout.get(":git").str(), checkout.get(":commit").str())
		if root.get("EXTERNAL SOURCES", name, ":path").str() != "" {
			c.Purl = ""
		}
		seen := map[string]bool{}
		for _, to := range edges[name] {
			if !seen[to] {
				seen[to] = true
				c.Needs = append(c.Needs, biopsy.Need{Purl: exact(pkg("cocoapods", to, versions[to])), Name: to, Scope: biopsy.Runtime})
			}
		}
		d.add(lines[name], c)
	}
	return y.err
}

// podSpec splits "Name/Part (1.0)" into the pod and its version.
func podSpec(s string) (name, version string) {
	name, rest, _ := strings.Cut(s, " (")
	name, _, _ = strings.Cut(name, "/")
	return name, strings.TrimSuffix(rest, ")")
}
