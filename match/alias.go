package match

import (
	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// aliasRule asks by the other purls that claims gave to the same bytes. For a distribution's package that also is, say, a Python
// distribution, the ecosystem is a lower voice: the distribution may have carried the fix back.
var aliasRule = Rule{
	Name: "alias-range",
	Says: "another purl of the same bytes lies in a range of that purl's ecosystem",
	asks: func(c *biopsy.Component, _ *world) ([]ask, error) {
		var out []ask
		for _, alias := range c.Aliases {
			p, err := eco.Parse(alias)
			if err != nil || isDistribution(p.Type) {
				continue // a name that cannot be read names no package
			}
			name, _, ok := eco.For(p.Type, "")
			if !ok || name == upstreamEcosystem || p.Type == c.Eco {
				continue
			}
			a := ask{rank: rankOwn, ecosystem: name, name: eco.OSVName(name, p.Namespace, p.Name), version: eco.Public(name, p.Version)}
			if isDistribution(c.Eco) {
				a.rank, a.soften = rankUpstream, mayBePatched
			}
			out = append(out, a)
		}
		return out, nil
	},
}
