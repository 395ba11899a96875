package eco

import "strings"

// rubygems: names keep their case.
var rubygems = Ecosystem{Name: "RubyGems", Purls: []string{"gem"}, Compare: compareGem, Public: withoutPlatform}

// gemPlatforms begin the platform of a prebuilt gem ("1.15.3-x86_64-linux").
var gemPlatforms = [...]string{"-x86", "-x64", "-aarch64", "-arm", "-java", "-jruby", "-universal", "-mingw", "-mswin", "-darwin", "-linux", "-powerpc", "-ppc", "-s390"}

func withoutPlatform(v string) string {
	for _, p := range gemPlatforms {
		if i := strings.Index(v, p); i > 0 {
			return v[:i]
		}
	}
	return v
}

// compareGem is Gem::Version (docs.ruby-lang.org): runs of digits and of letters one by one; letters make a pre-release and are before
// numbers; a missing part is zero; zeros before letters and at the end make no difference. A platform suffix ("1.2-x86_64-linux")
// is no part of the version; Public cuts it off.
func compareGem(a, b string) (int, error) {
	for _, v := range [...]string{a, b} {
		if !gemOK(v) {
			return 0, bad("RubyGems", v)
		}
	}
	x, y := gemParts(a), gemParts(b)
	for i := 0; i < len(x) || i < len(y); i++ {
		p, q := "0", "0"
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if c := gemPart(p, q); c != 0 {
			return c, nil
		}
	}
	return 0, nil
}

func gemPart(p, q string) int {
	numP, numQ := isDigit(p[0]), isDigit(q[0])
	switch {
	case numP && numQ:
		return numbers(p, q)
	case numP:
		return 1
	case numQ:
		return -1
	}
	return strings.Compare(p, q)
}

// gemOK: a number first, then parts of letters and digits behind "." or one "-", which stands for ".pre.".
func gemOK(s string) bool {
	last := byte('.')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '-' {
			c = '.'
		}
		if !isDigit(c) && !isAlpha(c) && c != '.' || c == '.' && last == '.' {
			return false
		}
		last = c
	}
	return last != '.' && isDigit(s[0])
}

// gemParts splits into canonical segments: trailing zeros of the numbers before the first letters, and of the whole, are dropped.
func gemParts(s string) []string {
	parts := make([]string, 0, 8)
	firstWord := -1
	for s != "" {
		n := digits(s)
		word := n == 0
		switch {
		case s[0] == '-':
			parts, s = append(parts, "pre"), s[1:]
			if firstWord < 0 {
				firstWord = len(parts) - 1
			}
			continue
		case s[0] == '.':
			s = s[1:]
			continue
		case word:
			n = letters(s)
		}
		parts, s = append(parts, s[:n]), s[n:]
		if word && firstWord < 0 {
			firstWord = len(parts) - 1
		}
	}
	if firstWord < 0 {
		return dropZeros(parts)
	}
	return append(dropZeros(parts[:firstWord:firstWord]), dropZeros(parts[firstWord:])...)
}

func dropZeros(parts []string) []string {
	for len(parts) > 0 && strings.Trim(parts[len(parts)-1], "0") == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}
