package license

import "strings"

// current gives, by lower-case id, what took the place of a deprecated one without changing its meaning: the GNU family, where the bare
// version means that version only (SPDX list 3.0, 2017-12-28), and duplicates. "+" behind ids of that family says "or later". The
// deprecated ids that hold an exception ("GPL-2.0-with-font-exception") and those with several successors stay what they are.
var current = map[string]string{
	"agpl-1.0":            "AGPL-1.0-only",
	"agpl-1.0+":           "AGPL-1.0-or-later",
	"agpl-3.0":            "AGPL-3.0-only",
	"agpl-3.0+":           "AGPL-3.0-or-later",
	"bsd-2-clause-netbsd": "BSD-2-Clause",
	"gfdl-1.1":            "GFDL-1.1-only",
	"gfdl-1.1+":           "GFDL-1.1-or-later",
	"gfdl-1.2":            "GFDL-1.2-only",
	"gfdl-1.2+":           "GFDL-1.2-or-later",
	"gfdl-1.3":            "GFDL-1.3-only",
	"gfdl-1.3+":           "GFDL-1.3-or-later",
	"gpl-1.0":             "GPL-1.0-only",
	"gpl-1.0+":            "GPL-1.0-or-later",
	"gpl-2.0":             "GPL-2.0-only",
	"gpl-2.0+":            "GPL-2.0-or-later",
	"gpl-3.0":             "GPL-3.0-only",
	"gpl-3.0+":            "GPL-3.0-or-later",
	"lgpl-2.0":            "LGPL-2.0-only",
	"lgpl-2.0+":           "LGPL-2.0-or-later",
	"lgpl-2.1":            "LGPL-2.1-only",
	"lgpl-2.1+":           "LGPL-2.1-or-later",
	"lgpl-3.0":            "LGPL-3.0-only",
	"lgpl-3.0+":           "LGPL-3.0-or-later",
	"nunit":               "zlib-acknowledgement",
	"standardml-nj":       "SMLNJ",
}

// Canonical returns the list's spelling of id, whatever its case; of a deprecated id the one in its place where the meaning is exactly
// the same. "" when the list has neither.
func Canonical(id string) string {
	low := strings.ToLower(id)
	if now := current[low]; now != "" {
		return now
	}
	return lists().ids[low]
}

// Expression returns words as an SPDX expression, with operators in capitals, and ids and exceptions as Canonical spells them; "" when
// the words are none.
func Expression(words string) string {
	if id := Canonical(strings.TrimSpace(words)); id != "" || len(words) > maxExpression {
		return id
	}
	ts := tokens(words)
	for i, t := range ts {
		ts[i] = canonicalToken(t)
	}
	s := tight.Replace(strings.Join(ts, " "))
	if !Valid(s) {
		return ""
	}
	return s
}

var tight = strings.NewReplacer("( ", "(", " )", ")")

// canonicalToken spells one word of an expression; words it does not know it leaves.
func canonicalToken(t string) string {
	switch t {
	case "and", "or", "with":
		return strings.ToUpper(t)
	}
	if id := Canonical(t); id != "" {
		return id
	}
	if base, ok := strings.CutSuffix(t, "+"); ok {
		if id := Canonical(base); id != "" {
			return id + "+"
		}
	}
	if e := lists().exceptions[strings.ToLower(t)]; e != "" {
		return e
	}
	return t
}
