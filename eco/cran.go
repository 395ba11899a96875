package eco

import "strings"

// cran: R packages. Versions are numbers parted by "." or "-" (Writing R Extensions, 1.1.1).
var cran = Ecosystem{Name: "CRAN", Purls: []string{"cran"}, Compare: compareCRAN}

// bioconductor: R packages of the Bioconductor project, numbered alike.
var bioconductor = Ecosystem{Name: "Bioconductor", Purls: []string{"bioconductor"}, Compare: compareCRAN}

// compareCRAN is R's package_version order: numbers one by one; the shorter list is older when it begins the longer.
func compareCRAN(a, b string) (int, error) { return compareNumbers("CRAN", ".-", a, b) }

// compareNumbers orders lists of numbers parted by any of seps; the shorter list is older when it begins the longer.
func compareNumbers(kind, seps, a, b string) (int, error) {
	for _, v := range [...]string{a, b} {
		if !numberList(v, seps) {
			return 0, bad(kind, v)
		}
	}
	for a != "" && b != "" {
		i, j := digits(a), digits(b)
		if c := numbers(a[:i], b[:j]); c != 0 {
			return c, nil
		}
		a, b = a[i:], b[j:]
		if a == "" || b == "" {
			break
		}
		a, b = a[1:], b[1:]
	}
	return boolInt(a != "") - boolInt(b != ""), nil
}

// numberList says whether s is numbers, each two parted by one byte of seps.
func numberList(s, seps string) bool {
	for {
		n := digits(s)
		if n == 0 {
			return false
		}
		if n == len(s) {
			return true
		}
		if strings.IndexByte(seps, s[n]) < 0 {
			return false
		}
		s = s[n+1:]
	}
}
