package eco

import "strings"

// npm: names may carry a scope and keep their case (old packages differ by it).
var npm = Ecosystem{Name: "npm", Purls: []string{"npm"}, Join: slash, Compare: compareNPM}

// compareNPM is semver, read as node-semver does in its loose mode: "1.9.0b1", as some records write, is "1.9.0-b1".
func compareNPM(a, b string) (int, error) {
	x, err := parseNPM(a)
	if err != nil {
		return 0, err
	}
	y, err := parseNPM(b)
	if err != nil {
		return 0, err
	}
	return x.compare(y), nil
}

func parseNPM(s string) (semver, error) {
	x, err := parseSemver(s)
	if err == nil {
		return x, nil
	}
	v, _, _ := strings.Cut(strings.TrimPrefix(s, "v"), "+")
	i := strings.IndexFunc(v, func(r rune) bool { return r < 0x80 && isAlpha(byte(r)) })
	if i <= 0 || strings.Count(v[:i], ".") != 2 || !dotted(v[:i]) || !identifiers(v[i:]) {
		return semver{}, bad("npm", s)
	}
	return semver{core: v[:i], pre: v[i:]}, nil
}
