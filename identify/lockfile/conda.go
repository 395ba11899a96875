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
