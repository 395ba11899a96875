package eco

import "strings"

// actions: steps of GitHub workflows, versions are tags ("v4.1.0").
var actions = Ecosystem{Name: "GitHub Actions", Purls: []string{"githubactions"}, Join: slash, Fold: strings.ToLower, Compare: compareSemver}
