package eco

import "strings"

// conan: recipes of the ConanCenter for C and C++. They keep the version of the software itself, so its order is Upstream's.
var conan = Ecosystem{Name: "ConanCenter", Purls: []string{"conan"}, Fold: strings.ToLower, Compare: compareUpstream}
