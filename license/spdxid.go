// Package license knows licence ids and expressions.
//
// What comes in: licence words as written. What goes out: whether they are SPDX's own. It will never read a file or decide what is
// allowed. Ids are those of the SPDX licence list 3.28.0 (2026-02-20); expressions follow annex D of SPDX 2.3.
package license

import (
	_ "embed"
	"strings"
	"sync"
)

// ListVersion is the SPDX licence list that Known answers from.
const ListVersion = "3.28"

//go:embed spdxids.txt
var spdxIDs string

// lists holds canonical spellings by their lower-case form.
var lists = sync.OnceValue(func() (l struct{ ids, exceptions map[string]string }) {
	l.ids, l.exceptions = map[string]string{}, map[string]string{}
	for line := range strings.Lines(spdxIDs) {
		id := strings.TrimSpace(line)
		switch {
		case id == "" || id[0] == '#':
		case id[0] == '+':
			l.exceptions[strings.ToLower(id[1:])] = id[1:]
		default:
			id = strings.TrimPrefix(id, "-")
			l.ids[strings.ToLower(id)] = id
		}
	}
	return l
})

// Known tells whether id is on the SPDX licence list, in its exact spelling; deprecated ids are.
func Known(id string) bool { return id != "" && lists().ids[strings.ToLower(id)] == id }

// KnownException tells whether id is an exception on the SPDX list, in its exact spelling.
func KnownException(id string) bool {
	return id != "" && lists().exceptions[strings.ToLower(id)] == id
}

// maxExpression bounds an expression; a whole distribution's licences joined stay below.
const maxExpression = 64 << 10

// Valid tells whether s is an SPDX licence expression of known ids, exceptions and LicenseRefs. NONE and NOASSERTION are not.
func Valid(s string) bool {
	if s == "" || len(s) > maxExpression {
		return false
	}
	if Known(s) { // most are one id
		return true
	}
	p := parser{tokens: tokens(s)}
	return p.expression() && len(p.tokens) == 0
}

// Refs returns the LicenseRef- and DocumentRef- names in s, in their order, each once.
func Refs(s string) []string {
	if !strings.Contains(s, "Ref-") {
		return nil
	}
	var out []string
	seen := map[string]bool{}
	for _, t := range tokens(s) {
		if isRef(t) && !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}

var brackets = strings.NewReplacer("(", " ( ", ")", " ) ")

func tokens(s string) []string { return strings.Fields(brackets.Replace(s)) }

// parser is a stack machine without recursion, so that nested brackets cost no stack.
type parser struct{ tokens []string }

func (p *parser) expression() bool {
	depth, operand := 0, true // operand: an id or "(" must come next
	for len(p.tokens) > 0 {
		t := p.next()
		switch {
		case operand && t == "(":
			depth++
		case operand:
			if !p.simple(t) {
				return false
			}
			operand = false
		case t == ")":
			if depth--; depth < 0 {
				return false
			}
		case isOperator(t):
			operand = true
		default:
			return false
		}
	}
	return !operand && depth == 0
}

// simple takes an id, and the exception behind WITH where there is one.
func (p *parser) simple(t string) bool {
	if !isRef(t) && !Known(t) && !Known(strings.TrimSuffix(t, "+")) {
		return false
	}
	if len(p.tokens) == 0 || (p.tokens[0] != "WITH" && p.tokens[0] != "with") {
		return true
	}
	p.next()
	return len(p.tokens) > 0 && isException(p.next())
}

func (p *parser) next() string {
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func isException(t string) bool {
	return KnownException(t) || (strings.HasPrefix(t, "AdditionRef-") && isIDString(t[len("AdditionRef-"):]))
}

func isOperator(t string) bool {
	return t == "AND" || t == "OR" || t == "and" || t == "or"
}

// isRef tells whether t is LicenseRef-X or DocumentRef-Y:LicenseRef-X.
func isRef(t string) bool {
	if rest, ok := strings.CutPrefix(t, "DocumentRef-"); ok {
		doc, ref, ok := strings.Cut(rest, ":")
		return ok && isIDString(doc) && isRef(ref) && strings.HasPrefix(ref, "LicenseRef-")
	}
	name, ok := strings.CutPrefix(t, "LicenseRef-")
	return ok && isIDString(name)
}

func isIDString(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '-') {
			return false
		}
	}
	return s != ""
}
