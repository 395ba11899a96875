package csaf

import (
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy/eco"
)

// phrase reads a version text word by word.
type phrase struct {
	words []string
	at    int
	rest  string // words behind the versions that narrow them
}

// operators are the signs of comparison, as they are meant.
var operators = map[string]string{"<": "<", "<=": "<=", "=<": "<=", "≤": "<=", ">": ">", ">=": ">=", "=>": ">=", "≥": ">=", "=": "=", "==": "="}

// tokens parts a text into operators, separators and words. Underscores stand for spaces.
func tokens(s string) []string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '_', '"', '\u00a0', '\u200b', '\t', '\n', '\r':
			return ' '
		case '–', '—':
			return '-'
		}
		return r
	}, s)
	var out []string
	for s != "" {
		switch n := operator(s); {
		case n > 0:
			out, s = append(out, operators[s[:n]]), s[n:]
			// "<vers:/ V8.2": a comparison before a prefix that says nothing
			s = strings.TrimPrefix(strings.TrimLeft(s, " "), "vers:/")
		case strings.IndexByte(" ", s[0]) >= 0:
			s = s[1:]
		case strings.IndexByte("|,;&", s[0]) >= 0:
			out, s = append(out, "|"), s[1:]
		default:
			n := strings.IndexAny(s, " |,;&<>=≤≥")
			if n < 0 {
				n = len(s)
			}
			word := s[:n]
			if strings.HasPrefix(word, "(") && strings.IndexByte(word, ')') == len(word)-1 && startsWithDigit(strings.TrimLeft(word, "(VvRr")) {
				word = word[1 : len(word)-1] // "<= (R4.10)"
			}
			out, s = append(out, word), s[n:]
		}
	}
	return out
}

func operator(s string) int {
	for _, n := range []int{3, 2, 1} { // "≤" has three bytes
		if n <= len(s) && operators[s[:n]] != "" {
			return n
		}
	}
	return 0
}

// next returns the word at an offset from here, in lower case; "" behind the end.
func (p *phrase) next(offset int) string {
	if p.at+offset >= len(p.words) {
		return ""
	}
	return strings.ToLower(p.words[p.at+offset])
}

// before are phrases that stand before the version they are about, longest first.
var before = []struct{ words, op string }{
	{"up to and including", "<="}, {"prior to and including", "<="}, {"until and including", "<="}, {"less than or equal to", "<="}, {"greater than or equal to", ">="},
	{"prior to version", "<"}, {"prior to", "<"}, {"earlier than", "<"}, {"lower than", "<"}, {"older than", "<"}, {"less than", "<"}, {"before", "<"}, {"below", "<"},
	{"through", "<="}, {"thru", "<="}, {"up to", "<="}, {"until", "<="}, {"to", "<="}, {"-", "<="},
	{"later than", ">"}, {"newer than", ">"}, {"greater than", ">"}, {"higher than", ">"}, {"after", ">"}, {"above", ">"},
	{"starting with", ">="}, {"starting from", ">="}, {"from", ">="}, {"since", ">="}, {"between", ">="},
}

// after are phrases that stand behind the version they are about; a "versions" behind them means nothing.
var after = []struct{ words, op string }{
	{"and all prior", "<="}, {"and prior", "<="}, {"and earlier", "<="}, {"and below", "<="}, {"and older", "<="}, {"and lower", "<="}, {"and previous", "<="}, {"and before", "<="},
	{"or prior", "<="}, {"or earlier", "<="}, {"or below", "<="}, {"or older", "<="}, {"or lower", "<="}, {"or previous", "<="}, {"or less", "<="},
	{"and later", ">="}, {"and newer", ">="}, {"and above", ">="}, {"and higher", ">="}, {"and up", ">="}, {"and after", ">="}, {"and onwards", ">="}, {"or later", ">="},
	{"or newer", ">="}, {"or above", ">="}, {"or higher", ">="}, {"or greater", ">="}, {"onwards", ">="}, {"onward", ">="},
}

// constraints reads all of the phrase; false when a word is not understood.
func (p *phrase) constraints() ([]constraint, bool) {
	var out []constraint
	if p.says("all versions") || p.says("all version") || p.says("all") {
		p.skipNoise()
	}
	parted := true
	for p.at < len(p.words) {
		if w := p.next(0); w == "|" || len(out) > 0 && (w == "and" && !isWord(p.next(1)) || w == "or") {
			p.at++
			parted = true
			continue
		}
		if len(out) > 0 && p.narrows() {
			break
		}
		bare := operators[p.next(0)] == ""
		c, tied, ok := p.constraint(len(out) > 0)
		if !ok || !parted && bare && !tied {
			return nil, false
		}
		parted = false
		// "1.0 through 1.4", "between 1.0 and 1.4": the version before is where the range begins.
		if n := len(out); tied {
			switch {
			case n > 0 && out[n-1].op == "=":
				out[n-1].op = ">="
			case n == 0 || out[n-1].op[0] != '>':
				return nil, false
			}
		}
		out = append(out, c)
	}
	return out, len(out) > 0
}

// narrowing are words that begin a condition.
var narrowing = strings.Fields("with without model models only if when installed running on in using for and where")

// narrows takes what is left when it begins like a condition.
func (p *phrase) narrows() bool {
	if !slices.Contains(narrowing, strings.TrimPrefix(p.next(0), "(")) {
		return false
	}
	p.rest = strings.Join(p.words[p.at:], " ")
	if strings.HasPrefix(p.rest, "(") && strings.HasSuffix(p.rest, ")") {
		p.rest = p.rest[1 : len(p.rest)-1]
	}
	p.at = len(p.words)
	return true
}

// isWord says whether a word can be no version, and is none of those that lead to one.
func isWord(w string) bool {
	if w == "" || strings.ContainsAny(w, "0123456789<>=|") || len(w) == 1 || slices.Contains(noise, w) {
		return false
	}
	return !slices.ContainsFunc(before, func(b struct{ words, op string }) bool { return strings.HasPrefix(b.words, w) }) && !isFlavour(w) && w != "and"
}

// constraint reads one comparison. tied says that it ends what the one before begins.
func (p *phrase) constraint(inside bool) (c constraint, tied, ok bool) {
	p.skipNoise()
	op, tied, ok := p.leading(inside)
	if !ok {
		return c, false, false
	}
	between := op == ">=" && strings.EqualFold(p.words[p.at-1], "between")
	p.skipNoise()
	version, ok := p.version()
	if !ok {
		return c, false, false
	}
	if op == "" {
		op = p.trailing()
	}
	c = constraint{op, version}
	if !p.closed(&c) {
		return c, false, false
	}
	if between && p.next(0) == "and" {
		p.words[p.at] = "to"
	}
	return wild(c), tied, true
}

// leading reads a sign or words before a version; op is "" when there are none. False when what stands there may mean anything: "16 <= 20",
// "to 5.0".
func (p *phrase) leading(inside bool) (op string, tied, ok bool) {
	if o := operators[p.next(0)]; o != "" {
		p.at++
		aloneBefore := p.at > 1 && isVersionWord(p.words[p.at-2]) && (p.at < 3 || operators[p.words[p.at-3]] == "")
		return o, false, !aloneBefore
	}
	for _, b := range before {
		if p.says(b.words) {
			switch b.words {
			case "to":
				return b.op, true, inside
			case "through", "thru", "-", "up to", "until":
				return b.op, inside, true
			}
			return b.op, false, true
		}
	}
	return "", false, true
}

// trailing reads words behind a version; "=" when there are none.
func (p *phrase) trailing() string {
	for _, a := range after {
		if p.says(a.words) {
			p.skipNoise()
			return a.op
		}
	}
	return "="
}

// closed reads whether the version itself is meant: "(including)", "(excluding)". False when that makes no sense.
func (p *phrase) closed(c *constraint) bool {
	switch {
	case p.says("(including)"), p.says("(inclusive)"), p.says("inclusive"):
		c.op = strings.TrimSuffix(c.op, "=") + "="
	case p.says("(excluding)"), p.says("(exclusive)"), p.says("exclusive"):
		c.op = strings.TrimSuffix(c.op, "=")
	}
	return c.op != ""
}

// says takes the words when they are next.
func (p *phrase) says(words string) bool {
	n := 0
	for w := range strings.FieldsSeq(words) {
		if p.next(n) != w {
			return false
		}
		n++
	}
	p.at += n
	return true
}

// noise are words that may stand before a version, or at the end, and say nothing.
var noise = []string{"version", "versions", "ver", "ver.", "v.", "firmware", "software", "fw", "release", "releases", "revision", "revisions", "rev.", "the", "all", "versions:",
	"version:", "firmware:", "including"}

func (p *phrase) skipNoise() {
	for slices.Contains(noise, p.next(0)) {
		p.at++
	}
}

// suffixes are words that belong to the version before them when a number follows, in this word or as the next.
var suffixes = []string{"sp", "update", "upd", "hf", "hotfix", "patch", "build", "rev", "revision", "fp", "cu", "mr", "mp", "beta", "alpha", "rc", "release", "r", "p", "s", "bn", "sr",
	"security patch", "service pack", "feature pack", "hot fix"}

// version reads a version and the words that belong to it: "7.4 SP1 Update 3", "3.3.4 Build 16102415". False when there is none, or
// its order cannot be told.
func (p *phrase) version() (string, bool) {
	if isFlavour(p.next(0)) && p.at+1 < len(p.words) && startsWithDigit(strings.TrimPrefix(p.next(1), "v")) {
		p.words[p.at+1] = p.words[p.at] + " " + p.words[p.at+1]
		p.at++
	}
	if p.at >= len(p.words) || !isVersionWord(p.words[p.at]) {
		return "", false
	}
	v := p.words[p.at]
	if slices.Contains(suffixes, strings.ToLower(strings.TrimRight(v, "0123456789."))) && strings.ToLower(v[:1]) != "r" {
		return "", false // "SP5" of a version that is not named
	}
	p.at++
	for p.at < len(p.words) {
		n := p.suffix()
		if n == 0 || strings.EqualFold(p.words[p.at][:1], v[:1]) { // "R101 R110" are two
			break
		}
		v += " " + strings.Join(p.words[p.at:p.at+n], " ")
		p.at += n
	}
	v = strings.TrimRight(v, ".:")
	stem := wild(constraint{"=", v}).version
	return v, eco.Valid("Product", stem) == nil
}

// suffix counts the words here that belong to the version before.
func (p *phrase) suffix() int {
	for _, s := range suffixes {
		words := strings.Fields(s)
		last := len(words) - 1
		matches := true
		for i, w := range words[:last] {
			matches = matches && p.next(i) == w
		}
		rest, found := strings.CutPrefix(strings.TrimPrefix(p.next(last), "("), words[last]) // "1.3.7 (build 317)"
		if !matches || !found {
			continue
		}
		switch rest = strings.TrimLeft(rest, "."); {
		case rest == "" && startsWithDigit(p.next(last+1)):
			return last + 2
		case startsWithDigit(rest):
			return last + 1
		}
	}
	return 0
}

// isFlavour knows words that belong to the version behind them.
func isFlavour(w string) bool {
	return w == "bios" || w == "sw" || w == "build" || w == "fw" || w == "hios" || w == "u-boot"
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// isVersionWord says whether a word may be a version: it has a digit, or is a single capital letter.
func isVersionWord(w string) bool {
	if len(w) == 1 && w[0] >= 'A' && w[0] <= 'Z' {
		return true
	}
	return strings.ContainsAny(w, "0123456789")
}
