package eco

import "strings"

// The distributions that use apk. OSV names source packages ("origin").
var (
	alpine     = Ecosystem{Name: "Alpine", Fold: strings.ToLower, Compare: compareAPK}
	wolfi      = Ecosystem{Name: "Wolfi", Fold: strings.ToLower, Compare: compareAPK}
	chainguard = Ecosystem{Name: "Chainguard", Fold: strings.ToLower, Compare: compareAPK}
	minimos    = Ecosystem{Name: "MinimOS", Fold: strings.ToLower, Compare: compareAPK}
	alpaquita  = Ecosystem{Name: "Alpaquita", Fold: strings.ToLower, Compare: compareAPK}
	bellsoft   = Ecosystem{Name: "BellSoft Hardened Containers", Fold: strings.ToLower, Compare: compareAPK}
)

// apkKind is the sort of a token of an apk version. Where two versions part ways, the one whose token has the lower kind is newer.
type apkKind uint8

const (
	apkFirst    apkKind = iota // the first number
	apkNumber                  // ".1"
	apkLetter                  // "a"
	apkSuffix                  // "_rc"
	apkSuffixNo                // the number behind a suffix
	apkHash                    // "~1a2b3c"
	apkRevision                // "-r0"
	apkEnd
	apkBad
)

// compareAPK is the order of apk-tools 3 (apk-package(5), "Version specification"):
// number{.number}...{letter}{_suffix{number}}...{~hash}{-r#}.
func compareAPK(a, b string) (int, error) {
	for _, v := range [...]string{a, b} {
		if !validAPK(v) {
			return 0, bad("apk", v)
		}
	}
	ka, kb := apkFirst, apkFirst
	var va, vb string
	for {
		ka, va, a = apkNext(ka, a)
		kb, vb, b = apkNext(kb, b)
		if ka != kb || ka == apkEnd {
			return apkDiffer(ka, va, kb, vb), nil
		}
		if c := apkToken(ka, va, vb); c != 0 {
			return c, nil
		}
		ka, kb = apkAfter(ka), apkAfter(kb)
	}
}

func validAPK(s string) bool {
	k := apkFirst
	for {
		if k, _, s = apkNext(k, s); k == apkEnd || k == apkBad {
			return k == apkEnd
		}
		k = apkAfter(k)
	}
}

// apkAfter is the lowest kind that may follow a token: nothing goes back to numbers behind a letter.
func apkAfter(k apkKind) apkKind {
	switch k {
	case apkFirst:
		return apkNumber
	case apkLetter, apkSuffixNo:
		return apkSuffix
	case apkSuffix:
		return apkSuffixNo
	case apkHash:
		return apkRevision
	case apkRevision:
		return apkEnd
	}
	return k
}

// apkNext takes the next token off s; min is the lowest kind allowed there.
func apkNext(min apkKind, s string) (k apkKind, value, rest string) {
	switch {
	case min == apkFirst:
		return apkRun(apkFirst, s, digits(s))
	case s == "":
		return apkEnd, "", ""
	case s[0] == '.' && min <= apkNumber:
		return apkRun(apkNumber, s[1:], digits(s[1:]))
	case 'a' <= s[0] && s[0] <= 'z' && min <= apkLetter:
		return apkLetter, s[:1], s[1:]
	case s[0] == '_' && min <= apkSuffixNo:
		k, value, rest = apkRun(apkSuffix, s[1:], letters(s[1:]))
		if apkSuffixRank(value) == 0 {
			k = apkBad
		}
		return k, value, rest
	case isDigit(s[0]) && min == apkSuffixNo:
		return apkRun(apkSuffixNo, s, digits(s))
	case s[0] == '~' && min <= apkHash:
		return apkRun(apkHash, s[1:], len(s[1:])-len(strings.TrimLeft(s[1:], "0123456789abcdef")))
	case strings.HasPrefix(s, "-r") && min <= apkRevision:
		return apkRun(apkRevision, s[2:], digits(s[2:]))
	}
	return apkBad, "", ""
}

func apkRun(k apkKind, s string, n int) (apkKind, string, string) {
	if n == 0 {
		return apkBad, "", ""
	}
	return k, s[:n], s[n:]
}

// apkSuffixRank is negative for suffixes of pre-releases, positive for those of later snapshots, 0 for unknown ones.
func apkSuffixRank(s string) int {
	switch s {
	case "alpha":
		return -4
	case "beta":
		return -3
	case "pre":
		return -2
	case "rc":
		return -1
	case "cvs":
		return 1
	case "svn":
		return 2
	case "git":
		return 3
	case "hg":
		return 4
	case "p":
		return 5
	}
	return 0
}

// apkToken compares two tokens of one kind. A number with a leading zero is compared as text, like decimals.
func apkToken(k apkKind, a, b string) int {
	switch {
	case k == apkSuffix:
		return apkSuffixRank(a) - apkSuffixRank(b)
	case k == apkLetter || k == apkHash:
		return strings.Compare(a, b)
	case k == apkNumber && (a[0] == '0' || b[0] == '0'):
		return strings.Compare(a, b)
	}
	return numbers(a, b)
}

// apkDiffer weighs two versions that are alike up to tokens of different kinds.
func apkDiffer(ka apkKind, va string, kb apkKind, vb string) int {
	switch {
	case ka == kb:
		return 0
	case ka == apkSuffix && apkSuffixRank(va) < 0:
		return -1
	case kb == apkSuffix && apkSuffixRank(vb) < 0:
		return 1
	case ka > kb:
		return -1
	}
	return 1
}
