package eco

import "strings"

// pypi: names meet when case and runs of "-", "_" and "." are the same (PEP 503).
var pypi = Ecosystem{Name: "PyPI", Purls: []string{"pypi"}, Fold: foldPyPI, Compare: comparePyPI, Public: publicPyPI}

// publicPyPI cuts the local version off, which PEP 440 leaves out of account when a specifier has none.
func publicPyPI(v string) string {
	v, _, _ = strings.Cut(v, "+")
	return v
}

func foldPyPI(name string) string {
	b := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '-' || c == '_' || c == '.':
			if len(b) == 0 || b[len(b)-1] != '-' {
				b = append(b, '-')
			}
		case 'A' <= c && c <= 'Z':
			b = append(b, c+'a'-'A')
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// pep440 is a version in the terms of PEP 440 (2014, as kept by the PyPA specifications). Phases are spelled as they are ordered.
type pep440 struct {
	epoch, release string
	pre            int    // -1 none; 0 a, 1 b, 2 rc
	preN, postN    string // numbers; "" is zero
	post, dev      bool
	devN           string
	local          string // "" when there is none
}

// comparePyPI is the order of PEP 440: development releases, pre-releases, the release, local versions, post-releases.
func comparePyPI(a, b string) (int, error) {
	x, ok := parsePEP440(a)
	if !ok {
		return 0, bad("PyPI (PEP 440)", a)
	}
	y, ok := parsePEP440(b)
	if !ok {
		return 0, bad("PyPI (PEP 440)", b)
	}
	if c := numbers(x.epoch, y.epoch); c != 0 {
		return c, nil
	}
	if c := compareDotted(x.release, y.release); c != 0 {
		return c, nil
	}
	if c := x.phase() - y.phase(); c != 0 {
		return c, nil
	}
	if c := numbers(x.preN, y.preN); c != 0 {
		return c, nil
	}
	if c := optional(x.post, x.postN, y.post, y.postN, -1); c != 0 {
		return c, nil
	}
	if c := optional(x.dev, x.devN, y.dev, y.devN, 1); c != 0 {
		return c, nil
	}
	return compareLocal(x.local, y.local), nil
}

// phase ranks "1.0.dev1" before "1.0a1" before "1.0".
func (v *pep440) phase() int {
	switch {
	case v.pre >= 0:
		return v.pre
	case v.dev && !v.post:
		return -1
	}
	return 3
}

// optional compares numbers either of which may be absent; absent ranks as none does among the present (-1 below, 1 above).
func optional(hasA bool, a string, hasB bool, b string, none int) int {
	switch {
	case hasA && hasB:
		return numbers(a, b)
	case hasA:
		return -none
	case hasB:
		return none
	}
	return 0
}

// compareLocal: none is before any; words before numbers; the longer list last.
func compareLocal(a, b string) int {
	for a != "" && b != "" {
		i, j := localPart(a), localPart(b)
		x, y := a[:i], b[:j]
		numX, numY := digits(x) == len(x), digits(y) == len(y)
		c := 0
		switch {
		case numX && numY:
			c = numbers(x, y)
		case numX != numY:
			c = 2*boolInt(numX) - 1
		default:
			c = foldCompare(x, y)
		}
		if c != 0 {
			return c
		}
		a, b = skipOne(a[i:]), skipOne(b[j:])
	}
	return boolInt(a != "") - boolInt(b != "")
}

func localPart(s string) int {
	if i := strings.IndexAny(s, "-_."); i >= 0 {
		return i
	}
	return len(s)
}

func skipOne(s string) string {
	if s == "" {
		return s
	}
	return s[1:]
}

// foldCompare compares ASCII text without regard to case.
func foldCompare(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if c := int(lower(a[i])) - int(lower(b[i])); c != 0 {
			return c
		}
	}
	return len(a) - len(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// parsePEP440 reads the public forms of appendix B, with all the spellings it lists.
func parsePEP440(s string) (v pep440, ok bool) {
	v.pre = -1
	s = strings.TrimSpace(s)
	if s != "" && lower(s[0]) == 'v' {
		s = s[1:]
	}
	s, v.local, ok = strings.Cut(s, "+")
	if ok && !localOK(v.local) {
		return v, false
	}
	if n := digits(s); n > 0 && n < len(s) && s[n] == '!' {
		v.epoch, s = s[:n], s[n+1:]
	}
	n := digits(s)
	if n == 0 {
		return v, false
	}
	for n+1 < len(s) && s[n] == '.' && isDigit(s[n+1]) {
		n += 1 + digits(s[n+1:])
	}
	v.release, s = s[:n], s[n:]
	s = v.preRelease(s)
	s = v.postRelease(s)
	s = v.devRelease(s)
	return v, s == ""
}

var pepPre = []struct {
	word  string
	phase int
}{{"alpha", 0}, {"beta", 1}, {"preview", 2}, {"pre", 2}, {"a", 0}, {"b", 1}, {"c", 2}, {"rc", 2}}

func (v *pep440) preRelease(s string) string {
	for _, p := range pepPre {
		if n, rest, ok := phaseWord(s, p.word); ok {
			v.pre, v.preN = p.phase, n
			return rest
		}
	}
	return s
}

func (v *pep440) postRelease(s string) string {
	if len(s) > 1 && s[0] == '-' && isDigit(s[1]) { // implicit: "1.0-1"
		n := digits(s[1:])
		v.post, v.postN = true, s[1:1+n]
		return s[1+n:]
	}
	for _, word := range [...]string{"post", "rev", "r"} {
		if n, rest, ok := phaseWord(s, word); ok {
			v.post, v.postN = true, n
			return rest
		}
	}
	return s
}

func (v *pep440) devRelease(s string) string {
	n, rest, ok := phaseWord(s, "dev")
	if !ok {
		return s
	}
	v.dev, v.devN = true, n
	return rest
}

// phaseWord reads [-_.]word[-_.]number; the number may be missing. The word must be all the letters there.
func phaseWord(s, word string) (n, rest string, ok bool) {
	s = skipSeparator(s)
	if letters(s) != len(word) || foldCompare(s[:len(word)], word) != 0 {
		return "", "", false
	}
	rest = s[len(word):]
	after := skipSeparator(rest)
	k := digits(after)
	if k == 0 {
		return "", rest, true
	}
	return after[:k], after[k:], true
}

func skipSeparator(s string) string {
	if s != "" && (s[0] == '-' || s[0] == '_' || s[0] == '.') {
		return s[1:]
	}
	return s
}

func localOK(s string) bool {
	last := byte('.')
	for i := 0; i < len(s); i++ {
		sep := s[i] == '.' || s[i] == '-' || s[i] == '_'
		if !sep && !isDigit(s[i]) && !isAlpha(s[i]) || sep && last == '.' {
			return false
		}
		last = s[i]
		if sep {
			last = '.'
		}
	}
	return last != '.'
}
