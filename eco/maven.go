package eco

import "strings"

// maven: packages are "group:artifact".
var maven = Ecosystem{Name: "Maven", Purls: []string{"maven"}, Join: joinMaven, Compare: compareMaven}

func joinMaven(group, artifact string) string {
	if group == "" {
		return artifact
	}
	return group + ":" + artifact
}

// mavenToken is a number or a word and what parts it from the token before: "." or "-"; a turn from digits to letters is a "-".
type mavenToken struct {
	dash bool
	text string // lower case
}

// compareMaven is the "Version Order Specification" of maven.apache.org/pom.html as Maven 3.9 applies it. Whatever has a digit or a
// letter is a version to Maven; property references ("${revision}") are not.
func compareMaven(a, b string) (int, error) {
	for _, v := range [...]string{a, b} {
		if !debChars(v, "-._+~") || strings.Trim(v, "-._+~") == "" {
			return 0, bad("Maven", v)
		}
	}
	var bufA, bufB [16]mavenToken
	x, y := mavenTokens(bufA[:0], a), mavenTokens(bufB[:0], b)
	for i := 0; i < len(x) || i < len(y); i++ {
		var c int
		switch {
		case i >= len(x):
			c = -y[i].weigh()
		case i >= len(y):
			c = x[i].weigh()
		default:
			c = x[i].compare(y[i])
		}
		if c != 0 {
			return c, nil
		}
	}
	return 0, nil
}

// mavenTokens splits, spells qualifiers one way, and drops what means nothing: zeros and "final" at the end, before a "-" and before
// a qualifier.
func mavenTokens(tokens []mavenToken, s string) []mavenToken {
	s = strings.ToLower(s)
	dash := false
	for {
		n := mavenRun(s)
		t := mavenToken{dash, s[:n]}
		if t.text == "" {
			t.text = "0"
		}
		s = s[n:]
		t.text = mavenAlias(t.text, s != "" && isDigit(s[0]))
		for len(tokens) > 0 && (t.dash || !t.number()) && tokens[len(tokens)-1].null() {
			tokens = tokens[:len(tokens)-1]
		}
		tokens = append(tokens, t)
		if s == "" {
			break
		}
		dash = s[0] != '.'
		if s[0] == '.' || s[0] == '-' {
			s = s[1:]
		}
	}
	for len(tokens) > 0 && tokens[len(tokens)-1].null() {
		tokens = tokens[:len(tokens)-1]
	}
	return tokens
}

// mavenRun is the length of the next token: digits, or anything else but the separators.
func mavenRun(s string) int {
	if n := digits(s); n > 0 {
		return n
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '.' || s[i] == '-' || isDigit(s[i]) {
			return i
		}
	}
	return len(s)
}

func mavenAlias(word string, numberFollows bool) string {
	switch {
	case word == "cr":
		return "rc"
	case word == "ga" || word == "final" || word == "release":
		return ""
	case !numberFollows:
	case word == "a":
		return "alpha"
	case word == "b":
		return "beta"
	case word == "m":
		return "milestone"
	}
	return word
}

func (t mavenToken) number() bool { return t.text != "" && isDigit(t.text[0]) }

func (t mavenToken) null() bool { return strings.Trim(t.text, "0") == "" }

// weigh compares a token with nothing.
func (t mavenToken) weigh() int {
	if t.number() {
		return boolInt(!t.null())
	}
	return mavenRank(t.text) - mavenRank("")
}

func (t mavenToken) compare(u mavenToken) int {
	switch {
	case t.number() != u.number():
		return 2*boolInt(t.number()) - 1
	case !t.number():
		if c := mavenRank(t.text) - mavenRank(u.text); c != 0 {
			return c
		}
		return strings.Compare(t.text, u.text)
	case t.dash != u.dash:
		return 2*boolInt(u.dash) - 1
	}
	return numbers(t.text, u.text)
}

// mavenRank orders the qualifiers that Maven knows; all others come last.
func mavenRank(word string) int {
	switch word {
	case "alpha":
		return 1
	case "beta":
		return 2
	case "milestone":
		return 3
	case "rc":
		return 4
	case "snapshot":
		return 5
	case "":
		return 6
	case "sp":
		return 7
	}
	return 8
}
