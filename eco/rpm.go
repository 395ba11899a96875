package eco

import "strings"

// The distributions that use rpm. Red Hat, AlmaLinux and Rocky name binary packages, the others source packages.
var (
	redhat    = Ecosystem{Name: "Red Hat", Compare: compareRPM}
	rocky     = Ecosystem{Name: "Rocky Linux", Compare: compareRPM}
	alma      = Ecosystem{Name: "AlmaLinux", Compare: compareRPM}
	suse      = Ecosystem{Name: "SUSE", Compare: compareRPM}
	opensuse  = Ecosystem{Name: "openSUSE", Compare: compareRPM}
	photon    = Ecosystem{Name: "Photon OS", Compare: compareRPM}
	mageia    = Ecosystem{Name: "Mageia", Compare: compareRPM}
	openeuler = Ecosystem{Name: "openEuler", Compare: compareRPM}
	azure     = Ecosystem{Name: "Azure Linux", Compare: compareRPM}
)

// compareRPM is rpm's order of [epoch:]version[-release], rpm-version(7); a missing release is before any.
func compareRPM(a, b string) (int, error) {
	ea, va, ra, err := splitRPM(a)
	if err != nil {
		return 0, err
	}
	eb, vb, rb, err := splitRPM(b)
	if err != nil {
		return 0, err
	}
	if c := numbers(ea, eb); c != 0 {
		return c, nil
	}
	if c := rpmOrder(va, vb); c != 0 {
		return c, nil
	}
	if ra == "" || rb == "" {
		return boolInt(ra != "") - boolInt(rb != ""), nil
	}
	return rpmOrder(ra, rb), nil
}

func splitRPM(s string) (epoch, version, release string, err error) {
	version = s
	if i := strings.IndexByte(s, ':'); i >= 0 {
		epoch, version = s[:i], s[i+1:]
		if epoch == "" || digits(epoch) != len(epoch) {
			return "", "", "", bad("rpm", s)
		}
	}
	if i := strings.LastIndexByte(version, '-'); i >= 0 {
		version, release = version[:i], version[i+1:]
		if !rpmChars(release) {
			return "", "", "", bad("rpm", s)
		}
	}
	if !rpmChars(version) || !strings.ContainsFunc(version, func(r rune) bool { return r < 0x80 && isDigit(byte(r)) }) {
		return "", "", "", bad("rpm", s)
	}
	return epoch, version, release, nil
}

func rpmChars(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) && !isAlpha(s[i]) && strings.IndexByte("._+~^-", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// rpmOrder compares runs of digits and runs of letters; marks only part them, but "~" is before the end and "^" behind it.
func rpmOrder(a, b string) int {
	for {
		a, b = skipMarks(a), skipMarks(b)
		switch {
		case startsWith(a, '~') || startsWith(b, '~'):
			if !startsWith(a, '~') || !startsWith(b, '~') {
				return boolInt(startsWith(b, '~')) - boolInt(startsWith(a, '~'))
			}
			a, b = a[1:], b[1:]
			continue
		case startsWith(a, '^') || startsWith(b, '^'):
			if c, done := caret(a, b); done {
				return c
			}
			a, b = a[1:], b[1:]
			continue
		case a == "" || b == "":
			return boolInt(a != "") - boolInt(b != "")
		}
		var c int
		if a, b, c = rpmRun(a, b); c != 0 {
			return c
		}
	}
}

// caret weighs a "^" on one side: behind the end, before anything else.
func caret(a, b string) (c int, done bool) {
	switch {
	case a == "":
		return -1, true
	case b == "":
		return 1, true
	case a[0] != '^':
		return 1, true
	case b[0] != '^':
		return -1, true
	}
	return 0, false
}

// rpmRun compares the first runs of both; a number is newer than a word.
func rpmRun(a, b string) (restA, restB string, c int) {
	numeric := isDigit(a[0])
	if numeric != isDigit(b[0]) {
		return a, b, 2*boolInt(numeric) - 1
	}
	run := letters
	if numeric {
		run = digits
	}
	i, j := run(a), run(b)
	if numeric {
		return a[i:], b[j:], numbers(a[:i], b[:j])
	}
	return a[i:], b[j:], strings.Compare(a[:i], b[:j])
}

func skipMarks(s string) string {
	for s != "" && !isDigit(s[0]) && !isAlpha(s[0]) && s[0] != '~' && s[0] != '^' {
		s = s[1:]
	}
	return s
}

func startsWith(s string, c byte) bool { return s != "" && s[0] == c }
