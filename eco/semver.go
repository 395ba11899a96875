package eco

import "strings"

// compareSemver orders versions by Semantic Versioning 2.0.0 (semver.org, 2013). More or fewer than three numbers are taken as they
// are written, missing ones being zero, since events of ranges are often short ("2.0"). Build metadata makes no difference.
func compareSemver(a, b string) (int, error) {
	x, err := parseSemver(a)
	if err != nil {
		return 0, err
	}
	y, err := parseSemver(b)
	if err != nil {
		return 0, err
	}
	return x.compare(y), nil
}

// semver is a version in three slices of what was written: no allocation.
type semver struct {
	core  string // numbers joined by dots
	pre   string // identifiers joined by dots; "" when it is a release
	build string // "" when there is none
}

func parseSemver(s string) (semver, error) {
	v, build, _ := strings.Cut(strings.TrimPrefix(s, "v"), "+")
	core, pre, hasPre := strings.Cut(v, "-")
	if !dotted(core) || hasPre && !identifiers(pre) || build != "" && !identifiers(build) {
		return semver{}, bad("semantic versioning", s)
	}
	return semver{core, pre, build}, nil
}

func (x semver) compare(y semver) int {
	if c := compareDotted(x.core, y.core); c != 0 {
		return c
	}
	switch {
	case x.pre == y.pre:
		return 0
	case x.pre == "": // a release is newer than its pre-releases
		return 1
	case y.pre == "":
		return -1
	}
	return compareIdentifiers(x.pre, y.pre)
}

// dotted says whether s is numbers joined by dots.
func dotted(s string) bool {
	for {
		n := digits(s)
		if n == 0 {
			return false
		}
		if n == len(s) {
			return true
		}
		if s[n] != '.' {
			return false
		}
		s = s[n+1:]
	}
}

// identifiers says whether s is dot-separated identifiers of letters, digits and hyphens, none empty.
func identifiers(s string) bool {
	last := byte('.')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !isDigit(c) && !isAlpha(c) && c != '-' && (c != '.' || last == '.') {
			return false
		}
		last = c
	}
	return last != '.'
}

// compareDotted compares numbers joined by dots; missing ones are zero.
func compareDotted(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if c := numbers(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// compareIdentifiers is clause 11.4 of semver: numbers below words, numbers by value, words by ASCII, the longer list last.
func compareIdentifiers(a, b string) int {
	for {
		x, restX, moreX := strings.Cut(a, ".")
		y, restY, moreY := strings.Cut(b, ".")
		if c := compareIdentifier(x, y); c != 0 {
			return c
		}
		if !moreX || !moreY {
			return boolInt(moreX) - boolInt(moreY)
		}
		a, b = restX, restY
	}
}

func compareIdentifier(x, y string) int {
	numX, numY := digits(x) == len(x), digits(y) == len(y)
	switch {
	case numX && numY:
		return numbers(x, y)
	case numX:
		return -1
	case numY:
		return 1
	}
	return strings.Compare(x, y)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
