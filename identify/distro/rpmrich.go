package distro

import "strings"

// wanted returns what a package requires, with rich dependencies taken apart.
func (t *rpmTree) wanted(p rpmPackage) []string {
	var all []string
	for _, w := range p.requires {
		if strings.HasPrefix(w, "(") {
			all = append(all, t.rich(w)...)
		} else {
			all = append(all, w)
		}
	}
	return all
}

// rich takes a dependency of one operator apart ("(a or b)", "(a if b)", "(a and b)", RPM 4.20 "Boolean dependencies"): of "or" the
// first that is there, of "if" the need when its condition is there. Nested ones stay as they are, and nothing provides them.
func (t *rpmTree) rich(s string) []string {
	words := richWords(strings.TrimSuffix(s[1:], ")"))
	if len(words) < 3 || strings.Contains(s[1:], " (") || strings.HasPrefix(s, "((") {
		return []string{s}
	}
	var operands []string
	for i := 0; i < len(words); i += 2 {
		operands = append(operands, words[i])
	}
	switch words[1] {
	case "and", "with":
		return operands
	case "or":
		for _, o := range operands {
			if len(t.providers[o]) > 0 {
				return []string{o}
			}
		}
		return []string{strings.Join(operands, " | ")}
	case "if":
		if len(t.providers[operands[1]]) > 0 {
			return operands[:1]
		}
		return nil
	case "unless":
		if len(t.providers[operands[1]]) == 0 {
			return operands[:1]
		}
		return nil
	case "without":
		return operands[:1]
	}
	return []string{s}
}

// richWords splits at blanks and leaves out version restrictions ("foo >= 1").
func richWords(s string) []string {
	var words []string
	skip := false
	for w := range strings.FieldsSeq(s) {
		switch {
		case skip:
			skip = false
		case strings.Trim(w, "<>=") == "":
			skip = true
		default:
			words = append(words, w)
		}
	}
	return words
}
