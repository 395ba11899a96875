package eco

import "strings"

// debian, ubuntu and echo: OSV names source packages.
var (
	debian = Ecosystem{Name: "Debian", Fold: strings.ToLower, Compare: compareDeb, Public: sourceDeb}
	ubuntu = Ecosystem{Name: "Ubuntu", Fold: strings.ToLower, Compare: compareDeb, Public: sourceDeb}
	echo   = Ecosystem{Name: "Echo", Fold: strings.ToLower, Compare: compareDeb, Public: sourceDeb}
)

// sourceDeb cuts "+b1" off: a rebuild of the binary package from the same source (Debian Developer's Reference, 5.10.2.1).
func sourceDeb(v string) string {
	i := strings.LastIndex(v, "+b")
	if i < 0 || i+2 == len(v) || digits(v[i+2:]) != len(v)-i-2 {
		return v
	}
	return v[:i]
}

// compareDeb is dpkg's order, deb-version(7): epoch, upstream version, revision.
func compareDeb(a, b string) (int, error) {
	ea, va, ra, err := splitDeb(a)
	if err != nil {
		return 0, err
	}
	eb, vb, rb, err := splitDeb(b)
	if err != nil {
		return 0, err
	}
	if c := numbers(ea, eb); c != 0 {
		return c, nil
	}
	if c := debOrder(va, vb); c != 0 {
		return c, nil
	}
	return debOrder(ra, rb), nil
}

// splitDeb parts [epoch:]upstream[-revision]. dpkg asks that the upstream version begins with a digit.
func splitDeb(s string) (epoch, version, revision string, err error) {
	version = s
	if i := strings.IndexByte(s, ':'); i >= 0 {
		epoch, version = s[:i], s[i+1:]
		if epoch == "" || digits(epoch) != len(epoch) {
			return "", "", "", bad("Debian", s)
		}
	}
	if i := strings.LastIndexByte(version, '-'); i >= 0 {
		version, revision = version[:i], version[i+1:]
		if !debChars(revision, "+.~") || revision == "" {
			return "", "", "", bad("Debian", s)
		}
	}
	if version == "" || !isDigit(version[0]) || !debChars(version, "-+.~:") {
		return "", "", "", bad("Debian", s)
	}
	return epoch, version, revision, nil
}

func debChars(s, marks string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) && !isAlpha(s[i]) && strings.IndexByte(marks, s[i]) < 0 {
			return false
		}
	}
	return true
}

// debOrder compares by turns the parts that are no digits and those that are.
func debOrder(a, b string) int {
	for a != "" || b != "" {
		for a != "" && !isDigit(a[0]) || b != "" && !isDigit(b[0]) {
			if c := debWeight(a) - debWeight(b); c != 0 {
				return c
			}
			a, b = a[1:], b[1:] // equal weights: both begin with the same byte
		}
		i, j := digits(a), digits(b)
		if c := numbers(a[:i], b[:j]); c != 0 {
			return c
		}
		a, b = a[i:], b[j:]
	}
	return 0
}

// debWeight is the weight of the first byte: "~" before the end, the end before letters, letters before marks.
func debWeight(s string) int {
	switch {
	case s == "" || isDigit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case isAlpha(s[0]):
		return int(s[0])
	}
	return int(s[0]) + 256
}
