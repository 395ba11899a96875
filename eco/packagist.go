package eco

import "strings"

// packagist: names know no case. Drupal's own repository is a suffix of the ecosystem.
var packagist = Ecosystem{Name: "Packagist", Purls: []string{"composer"}, Join: slash, Fold: strings.ToLower, Compare: comparePackagist}

// comparePackagist is Composer's order (getcomposer.org, "Versions and constraints"): numbers, missing ones being zero, then
// stability: dev < alpha < beta < RC < stable < patch. Branches ("dev-main", "1.x-dev") have no order, and are no versions.
func comparePackagist(a, b string) (int, error) {
	coreA, tailA, err := splitPackagist(a)
	if err != nil {
		return 0, err
	}
	coreB, tailB, err := splitPackagist(b)
	if err != nil {
		return 0, err
	}
	if c := compareDotted(coreA, coreB); c != 0 {
		return c, nil
	}
	for {
		var p, q string
		p, tailA = phpPart(tailA)
		q, tailB = phpPart(tailB)
		if p == "" && q == "" {
			return 0, nil
		}
		if c := phpRank(p) - phpRank(q); c != 0 {
			return c, nil
		}
		if isDigit(p[0]) {
			if c := numbers(p, q); c != 0 {
				return c, nil
			}
		}
	}
}

// splitPackagist parts the numbers from the stability; "v" and build metadata are cut off.
func splitPackagist(s string) (core, tail string, err error) {
	v := s
	if v != "" && lower(v[0]) == 'v' {
		v = v[1:]
	}
	v, _, _ = strings.Cut(v, "+")
	n := digits(v)
	for n > 0 && n+1 < len(v) && v[n] == '.' && isDigit(v[n+1]) {
		n += 1 + digits(v[n+1:])
	}
	core, tail = v[:n], v[n:]
	if n == 0 || !debChars(tail, "-._") {
		return "", "", bad("Packagist", s)
	}
	for part, rest := phpPart(tail); part != ""; part, rest = phpPart(rest) {
		if phpRank(part) < 0 {
			return "", "", bad("Packagist", s)
		}
	}
	return core, tail, nil
}

// phpPart takes the next run of digits or letters; "" at the end. The word "stable" is skipped: it is neutral.
func phpPart(s string) (part, rest string) {
	for s != "" {
		n := max(digits(s), letters(s))
		if n > 0 && !strings.EqualFold(s[:n], "stable") {
			return s[:n], s[n:]
		}
		s = s[max(n, 1):]
	}
	return "", ""
}

// phpRank orders the parts behind the numbers; -1 is a word that Composer does not know.
func phpRank(p string) int {
	switch {
	case p == "":
		return 4
	case isDigit(p[0]):
		return 5
	}
	switch strings.ToLower(p) {
	case "dev":
		return 0
	case "alpha", "a":
		return 1
	case "beta", "b":
		return 2
	case "rc":
		return 3
	case "patch", "pl", "p":
		return 6
	}
	return -1
}
