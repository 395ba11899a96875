package scalibr

import (
	"slices"
	"strings"

	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem/osv"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// claim says what a package says in our words. Without a purl the plugin's own name and version stand.
func claim(p *extractor.Package, state biopsy.State) biopsy.Claim {
	c := biopsy.Claim{Kind: biopsy.Library, Name: p.Name, Version: p.Version, State: state, Scope: scope(p)}
	if u := p.PURL(); u != nil {
		c.Eco, c.Namespace, c.Name, c.Version = u.Type, u.Namespace, u.Name, u.Version
		var qs []string
		for _, q := range u.Qualifiers {
			qs = append(qs, q.Key, q.Value)
			if q.Key == "arch" {
				c.Arch = q.Value
			}
		}
		c.Purl = eco.Purl(u.Type, u.Namespace, u.Name, u.Version, qs...)
	}
	if s := p.SourceCode; s != nil {
		c.Repository = s.Repo
		if s.Commit != "" {
			c.Extra = map[string]string{"scalibr:commit": s.Commit}
		}
	}
	for _, l := range p.Licenses {
		c.Licenses = append(c.Licenses, biopsy.License{Name: l, Basis: "declared"})
	}
	for _, f := range p.Location.Related {
		if path := f.PathOrEmpty(); path != "" {
			c.Owns = append(c.Owns, biopsy.HashPath(path))
		}
	}
	return c
}

// scope reads the groups a lock file puts a package in. "" when the plugin knows of none.
func scope(p *extractor.Package) biopsy.Scope {
	g, ok := p.Metadata.(osv.DepGroups)
	if !ok {
		return ""
	}
	groups := g.DepGroups()
	development := func(s string) bool {
		s = strings.ToLower(s)
		return s == "dev" || s == "test" || s == "development" || strings.HasPrefix(s, "dev-")
	}
	switch {
	case len(groups) == 0:
		return ""
	case !slices.ContainsFunc(groups, func(s string) bool { return !development(s) }):
		return biopsy.Development
	case slices.Equal(groups, []string{"optional"}):
		return biopsy.Optional
	}
	return ""
}
