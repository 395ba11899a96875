package eco

import "strings"

// golang: modules named by path. Purls lower-case the path, so look-ups do too. The standard library is "stdlib".
var golang = Ecosystem{Name: "Go", Purls: []string{"golang"}, Join: slash, Fold: strings.ToLower, Compare: compareGo}

// compareGo orders module versions (semver with "v", pseudo-versions, "+incompatible") and toolchain versions ("go1.21rc2"), which
// OSV writes as semver ("1.21.0-rc.2"): go.dev/ref/mod, go.dev/doc/toolchain. "(devel)" is no version.
func compareGo(a, b string) (int, error) {
	x, err := parseGo(a)
	if err != nil {
		return 0, err
	}
	y, err := parseGo(b)
	if err != nil {
		return 0, err
	}
	return x.compare(y), nil
}

func parseGo(s string) (semver, error) {
	v := strings.TrimPrefix(s, "go")
	v, _, _ = strings.Cut(v, " ") // "go1.22.5 X:nocoverageredesign": experiments
	i := strings.IndexAny(v, "rb")
	if i > 0 && isDigit(v[i-1]) && dotted(v[:i]) {
		word := v[i : i+letters(v[i:])]
		if n := v[i+len(word):]; (word == "rc" || word == "beta") && n != "" && digits(n) == len(n) {
			return semver{core: v[:i], pre: word + "." + n}, nil
		}
	}
	x, err := parseSemver(v)
	if err != nil {
		return x, bad("Go", s)
	}
	return x, nil
}
