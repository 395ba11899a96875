package match

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/cpe"
)

// productRule asks the makers of finished products, by supplier and name or by a CPE name that the component's own metadata states. Without
// a supplier there is no question: a product's bare name is nobody's.
var productRule = Rule{
	Name: "product",
	Says: "the product's version is one that an advisory of its maker speaks of",
	asks: func(c *biopsy.Component, _ *world) ([]ask, error) {
		if c.Eco != "" && c.Eco != "generic" || notSoftware(c.Kind) {
			return nil, nil
		}
		var names []string
		if c.Supplier != "" {
			names = append(names, eco.ProductName(c.Supplier, c.Name))
		}
		for _, text := range c.CPEs {
			n, err := cpe.Parse(text)
			if err != nil || !n.Vendor.Literal() || !n.Product.Literal() {
				continue // names no product
			}
			names = append(names, eco.ProductName(words(n.Vendor), words(n.Product)))
		}
		var out []ask
		for _, n := range unique(names) {
			out = append(out, ask{rank: rankOwn, ecosystem: "Product", name: n, version: c.Version})
		}
		return out, nil
	},
}

// words puts spaces where CPE has underscores.
func words(a cpe.Attr) string { return strings.ReplaceAll(a.String(), "_", " ") }
