package eco

import "strings"

// swift: OSV names a Swift package by the URL of its repository without scheme.
var swift = Ecosystem{Name: "SwiftURL", Purls: []string{"swift"}, Join: slash, Fold: foldSwift, Compare: compareSemver}

func foldSwift(name string) string {
	name = strings.ToLower(name)
	if _, rest, ok := strings.Cut(name, "://"); ok {
		name = rest
	}
	return strings.TrimSuffix(name, ".git")
}
