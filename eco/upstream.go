package eco

import "strings"

// upstream: software by the name and version its makers gave it, mostly C and C++. The names are ours; see Names of the caller.
var upstream = Ecosystem{Name: "Upstream", Purls: []string{"generic", "vcpkg"}, Fold: strings.ToLower, Compare: compareUpstream}

// linux: the kernel and its stable releases.
var linux = Ecosystem{Name: "Linux", Compare: compareUpstream}

// compareUpstream orders versions as the makers of C and C++ software number them. There is no standard; this is the rule:
//
//	version = ["v"] number {("." | "_") number} {part}
//
// First the numbers, missing ones being zero. Then part by part, from old to new:
//
//	dev, snapshot < a, alpha < b, beta < m < pre, preview < rc     pre-releases: 2023.01-rc3, 3.12.0a1
//	< the end
//	< any other word                                               builds: 5.10.104-tegra, 1.0.2k-fips, 1.2+git
//	< one or two letters behind a digit, pl and patch being p      1.0.2 < 1.0.2a < 1.0.2z < 1.0.2zg; 9.3p1 < 9.3p2
//	< a number                                                     6.9.11-60
//
// "final", "release", "stable", "ga" and "lts" mean nothing; "~" puts what follows before the end; case makes no difference.
// A version has a digit first; anything else is an error.
func compareUpstream(a, b string) (int, error) {
	coreA, tailA, err := splitUpstream(a)
	if err != nil {
		return 0, err
	}
	coreB, tailB, err := splitUpstream(b)
	if err != nil {
		return 0, err
	}
	if c := compareCore(coreA, coreB); c != 0 {
		return c, nil
	}
	gluedA, gluedB := true, true
	for {
		var p, q upstreamPart
		p, tailA, gluedA = nextUpstream(tailA, gluedA)
		q, tailB, gluedB = nextUpstream(tailB, gluedB)
		if c := p.compare(q); c != 0 || p.class == upEnd {
			return c, nil
		}
	}
}

// splitUpstream cuts the prefix off and parts the numbers from the rest.
func splitUpstream(s string) (core, tail string, err error) {
	v := strings.TrimSpace(s)
	for _, prefix := range [...]string{"version", "release", "rel", "ver", "v", "r"} {
		if len(v) > len(prefix) && foldCompare(v[:len(prefix)], prefix) == 0 {
			v = strings.TrimLeft(v[len(prefix):], ".-_ ")
			break
		}
	}
	n := digits(v)
	if n == 0 || !upstreamChars(v) {
		return "", "", bad("upstream software", s)
	}
	for n+1 < len(v) && (v[n] == '.' || v[n] == '_') && isDigit(v[n+1]) {
		n += 1 + digits(v[n+1:])
	}
	return v[:n], v[n:], nil
}

func upstreamChars(s string) bool {
	return len(s) <= 256 && debChars(s, ".-_+~ (),/")
}

// compareCore compares numbers parted by "." or "_"; missing ones are zero.
func compareCore(a, b string) int {
	for a != "" || b != "" {
		i, j := digits(a), digits(b)
		if c := numbers(a[:i], b[:j]); c != 0 {
			return c
		}
		a, b = skipOne(a[i:]), skipOne(b[j:])
	}
	return 0
}

// upstreamPart is one part behind the numbers.
type upstreamPart struct {
	class int // upTilde ... upNumber; pre-releases lie between upTilde and upEnd
	text  string
}

const (
	upTilde  = 0
	upEnd    = 10
	upWord   = 11
	upLetter = 12
	upNumber = 13
)

func (p upstreamPart) compare(q upstreamPart) int {
	switch {
	case p.class != q.class:
		return p.class - q.class
	case p.class == upNumber:
		return numbers(p.text, q.text)
	case p.class == upLetter && len(p.text) != len(q.text):
		return len(p.text) - len(q.text)
	case p.class == upLetter || p.class == upWord:
		return foldCompare(p.text, q.text)
	}
	return 0
}

// nextUpstream takes the next part; glued says that a digit stands directly before s.
func nextUpstream(s string, glued bool) (p upstreamPart, rest string, gluedNext bool) {
	for s != "" && !isDigit(s[0]) && !isAlpha(s[0]) {
		if s[0] == '~' {
			return upstreamPart{class: upTilde}, s[1:], false
		}
		s, glued = s[1:], false
	}
	if s == "" {
		return upstreamPart{class: upEnd}, "", false
	}
	if n := digits(s); n > 0 {
		return upstreamPart{upNumber, s[:n]}, s[n:], true
	}
	n := letters(s)
	word, rest := s[:n], s[n:]
	class := upstreamWord(strings.ToLower(word), glued, rest != "" && isDigit(rest[0]))
	if class == upPatch {
		class, word = upLetter, "p"
	}
	if class == upNeutral {
		return nextUpstream(rest, false)
	}
	return upstreamPart{class, word}, rest, false
}

// Words that are read as something else.
const (
	upNeutral = -1 // means nothing
	upPatch   = -2 // is "p"
)

func upstreamWord(word string, glued, numberFollows bool) int {
	switch word {
	case "dev", "snapshot":
		return 1
	case "alpha":
		return 2
	case "beta":
		return 3
	case "pre", "preview":
		return 5
	case "rc":
		return 6
	case "final", "release", "stable", "ga", "lts":
		return upNeutral
	}
	if numberFollows && (word == "p" || word == "pl" || word == "patch") {
		return upPatch
	}
	if len(word) > 2 || !glued {
		return upWord
	}
	if numberFollows { // "3.12.0a1" is a pre-release, "1.0.2a" a patch
		switch word {
		case "a":
			return 2
		case "b":
			return 3
		case "m":
			return 4
		}
	}
	return upLetter
}
