package match

import (
	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// ecosystemRule asks the component's own ecosystem, for every purl type that stands for one: npm, PyPI, Maven, Go ...
var ecosystemRule = Rule{
	Name: "range",
	Says: "the component's version lies in a range of its own ecosystem's record",
	asks: func(c *biopsy.Component, _ *world) ([]ask, error) {
		name, suffix, ok := eco.For(c.Eco, "")
		if !ok || suffix != "" || isDistribution(c.Eco) || name == upstreamEcosystem || c.Purl == "" {
			return nil, nil // without a purl it is no package of the registry: a private project, a local folder
		}
		return []ask{{rank: rankOwn, ecosystem: name, name: eco.OSVName(name, c.Namespace, c.Name), version: eco.Public(name, c.Version)}}, nil
	},
}
