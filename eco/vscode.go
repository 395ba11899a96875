package eco

import "strings"

// vscode: extensions of the Visual Studio marketplace, "publisher/name", semver.
var vscode = Ecosystem{Name: "VSCode", Purls: []string{"vscode-extension"}, Join: slash, Fold: strings.ToLower, Compare: compareSemver}
