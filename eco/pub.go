package eco

import "strings"

// pub: Dart packages.
var pub = Ecosystem{Name: "Pub", Purls: []string{"pub"}, Fold: strings.ToLower, Compare: comparePub}

// comparePub is semver, then build metadata: pub_semver holds "1.0.0" to be older than "1.0.0+1" (dart.dev/tools/pub/versioning).
func comparePub(a, b string) (int, error) { return compareWithBuild(a, b) }

// compareWithBuild is semver in which build metadata counts last, compared like a pre-release; none is before any.
func compareWithBuild(a, b string) (int, error) {
	x, err := parseSemver(a)
	if err != nil {
		return 0, err
	}
	y, err := parseSemver(b)
	if err != nil {
		return 0, err
	}
	c := x.compare(y)
	switch {
	case c != 0 || x.build == y.build:
		return c, nil
	case x.build == "":
		return -1, nil
	case y.build == "":
		return 1, nil
	}
	return compareIdentifiers(x.build, y.build), nil
}
