package eco

import "strings"

// cargo: crates.io lets no two names differ by case or by "-" and "_".
var cargo = Ecosystem{Name: "crates.io", Purls: []string{"cargo"}, Fold: foldCrate, Compare: compareSemver}

func foldCrate(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }
