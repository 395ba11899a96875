package eco

import "strings"

// bitnami: applications as Bitnami packs them; versions are semver of the application, sometimes with a packing number.
var bitnami = Ecosystem{Name: "Bitnami", Purls: []string{"bitnami"}, Fold: strings.ToLower, Compare: compareSemver}
