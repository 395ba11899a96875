package eco

import "strings"

// nuget: names and pre-release words know no case.
var nuget = Ecosystem{Name: "NuGet", Purls: []string{"nuget"}, Fold: strings.ToLower, Compare: compareNuGet}

// compareNuGet is semver with up to four numbers and words without case (learn.microsoft.com, "NuGet package versioning").
func compareNuGet(a, b string) (int, error) {
	x, err := parseSemver(a)
	if err != nil {
		return 0, err
	}
	y, err := parseSemver(b)
	if err != nil {
		return 0, err
	}
	if strings.EqualFold(x.pre, y.pre) {
		return compareDotted(x.core, y.core), nil
	}
	x.pre, y.pre = strings.ToLower(x.pre), strings.ToLower(y.pre)
	return x.compare(y), nil
}
