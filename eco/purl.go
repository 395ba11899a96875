package eco

import (
	"github.com/package-url/packageurl-go"
)

// Purl assembles a canonical package URL. Qualifiers come as key, value pairs; pairs with an empty value are left out. It returns
// "" when typ or name is empty.
func Purl(typ, namespace, name, version string, qualifiers ...string) string {
	if typ == "" || name == "" {
		return ""
	}
	var qs packageurl.Qualifiers
	for i := 0; i+1 < len(qualifiers); i += 2 {
		if qualifiers[i+1] != "" {
			qs = append(qs, packageurl.Qualifier{Key: qualifiers[i], Value: qualifiers[i+1]})
		}
	}
	p := packageurl.NewPackageURL(typ, namespace, name, version, qs, "")
	if err := p.Normalize(); err != nil {
		return ""
	}
	return p.ToString()
}
