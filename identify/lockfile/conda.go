package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// CondaEnvironment reads environment.yml (conda documentation, "Managing environments", 2026), with the pip list inside.
var CondaEnvironment = reader("conda-environment", biopsy.Declared, condaEnvironment, "environment*.yml", "environment*.yaml")

func condaEnvironment(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	root.get("dependencies").each(func(_, dep node) {
		if s := dep.str(); s != "" {
			d.add(dep.line(), condaSpec(s))
			return
		}
		dep.get("pip").each(func(_, line node) { d.add(line.line(), requirement(line.str())) })
	})
	return y.err
}

// condaSpec reads "channel::name", "name=1.2", "name==1.2" and "name=1.2=build"; only the last two name one version for certain.
func condaSpec(s string) biopsy.Claim {
	if _, after, ok := strings.Cut(s, "::"); ok {
		s = after
	}
	i := strings.IndexAny(s, "=<>! ~[")
	if i < 0 {
		return pkg("conda", s, "")
	}
	name, rest := s[:i], strings.TrimSpace(s[i:])
	version := strings.TrimLeft(rest, "= ")
	if rest[0] != '=' || strings.ContainsAny(version, "*<>!|,~ ") {
		c := pkg("conda", name, "")
		extra(&c, "conda:specifier", rest)
		return c
	}
	version, build, exact := strings.Cut(version, "=")
	c := pkg("conda", name, version)
	if exact || strings.HasPrefix(rest, "==") {
		c.State = biopsy.Locked
	}
	extra(&c, "conda:build", build)
	return c
}

// CondaLock reads conda-lock.yml, version 1 (conda.github.io/conda-lock, 2026). The same package may be listed for several platforms.
var CondaLock = reader("conda-lock", biopsy.Locked, condaLock, "conda-lock.yml", "*.conda-lock.yml")

func condaLock(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	versions := map[string]string{} // by platform, manager and name
	key := func(e node, name string) string {
		return e.get("platform").str() + " " + e.get("manager").str() + " " + name
	}
	root.get("package").each(func(_, e node) { versions[key(e, e.get("name").str())] = e.get("version").str() })
	root.get("package").each(func(_, e node) {
		typ := "conda"
		if e.get("manager").str() == "pip" {
			typ = "pypi"
		}
		c := pkg(typ, e.get("name").str(), e.get("version").str())
		c.Download = webURL(e.get("url").str())
		c.Hashes = append(hexHash(e.get("hash", "md5").str(), "md5"), hexHash(e.get("hash", "sha256").str(), "sha256")...)
		c.Scope = biopsy.Runtime
		if category := e.get("category").str(); category != "" && category != "main" {
			c.Scope = biopsy.Development
		}
		e.get("dependencies").each(func(name, _ node) {
			n := biopsy.Need{Name: name.str(), Scope: biopsy.Runtime}
			if v := versions[key(e, n.Name)]; v != "" {
				n.Purl = pkg(typ, n.Name, v).Purl
			}
			c.Needs = append(c.Needs, n)
		})
		d.add(e.line(), c)
	})
	return y.err
}
