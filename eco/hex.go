package eco

import "strings"

// hex: Erlang and Elixir packages, semver.
var hex = Ecosystem{Name: "Hex", Purls: []string{"hex"}, Fold: strings.ToLower, Compare: compareSemver}
