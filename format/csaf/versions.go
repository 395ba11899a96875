package csaf

import (
	"net/url"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// Versions is what a branch says about versions.
type Versions struct {
	Ecosystem string         // whose order counts: the scheme of "vers:", else "Product"
	All       bool           // every version
	Ranges    []biopsy.Range // type "ECOSYSTEM"
	Except    []string       // versions that a range holds and that are not meant: of "> 1.0", which events cannot say, 1.0
	Exact     []string
	If        string // words that narrow all of it: "model 35700BAX2", "with option G28"; "" for none
	Text      string // the whole text when any of it was not understood; then nothing else is set
}

// maxVersionText bounds a text that is worth reading: VERS ranges and lists of versions have some hundred bytes.
const maxVersionText = 4 << 10

// ParseVersions reads the name of a branch of category product_version or product_version_range: VERS ("vers:deb/>=1.0|<2", draft of
// 2024), comparisons ("< 4.5", ">=V7.80<V9.40"), and words ("1.0 through 1.4", "Versions prior to 2.3", "9.3 and prior"). Underscores
// stand for spaces, as tools for the tree write them. "" is every version.
func ParseVersions(text string) Versions {
	whole := strings.TrimSpace(text)
	v := Versions{Ecosystem: "Product"}
	if len(whole) > maxVersionText {
		v.Text = whole[:80] + "..."
		return v
	}
	var cs []constraint
	ok, rest := true, ""
	if isAll(whole) {
		v.All = true
		return v
	}
	if scheme, list, found := cutVers(whole); found {
		v.Ecosystem = schemeOf(scheme)
		if cs, ok = versConstraints(list); !ok && v.Ecosystem == "Product" {
			p := phrase{words: tokens(list)} // "vers:all/>=V1.8<V2.2"
			cs, ok = p.constraints()
			rest = p.rest
		}
	} else {
		p := phrase{words: tokens(whole)}
		cs, ok = p.constraints()
		rest = p.rest
	}
	if !ok || !v.take(cs) {
		return Versions{Ecosystem: "Product", Text: whole}
	}
	v.If = rest
	return v
}

// isAll knows the ways to say every version.
func isAll(s string) bool {
	s = strings.ToLower(strings.Trim(strings.ReplaceAll(s, "_", " "), ` ."`))
	if _, list, found := cutVers(s); found && (list == "*" || list == "all" || list == "any") {
		return true
	}
	switch s {
	case "", "*", "=*", "-", "all", "any", "=any", "=all", "all versions", "any version", "all version", "all versions affected", "all firmware versions",
		"all software versions", "all models", "all current versions", "all releases", "all supported versions", "versions all", "version all":
		return true
	}
	return false
}

func cutVers(s string) (scheme, list string, ok bool) {
	if len(s) < 5 || !strings.EqualFold(s[:5], "vers:") {
		return "", "", false
	}
	scheme, list, ok = strings.Cut(s[5:], "/")
	return strings.ToLower(strings.TrimSpace(scheme)), strings.TrimSpace(list), ok
}

// schemes are VERS's names of orders, and ours.
var schemes = map[string]string{
	"deb": "Debian", "rpm": "Red Hat", "apk": "Alpine", "alpine": "Alpine", "npm": "npm", "pypi": "PyPI", "maven": "Maven", "gem": "RubyGems",
	"golang": "Go", "cargo": "crates.io", "nuget": "NuGet", "composer": "Packagist", "hex": "Hex", "pub": "Pub", "cran": "CRAN", "hackage": "Hackage",
	"conan": "ConanCenter", "openssl": "Upstream",
}

func schemeOf(scheme string) string {
	if e, ok := schemes[scheme]; ok {
		return e
	}
	return "Product"
}

// constraint is a comparison with one version.
type constraint struct {
	op      string // "=", "<", "<=", ">", ">="; "x" for all of a branch ("2.2.x"), "<x" for all up to its end
	version string
}

// versConstraints reads "|"-separated constraints. "!=" is not understood: events cannot say it.
func versConstraints(list string) ([]constraint, bool) {
	var out []constraint
	for _, part := range strings.Split(list, "|") {
		part = strings.TrimSpace(part)
		op := part[:len(part)-len(strings.TrimLeft(part, "<>=!"))]
		version, err := url.PathUnescape(strings.TrimSpace(part[len(op):]))
		version = strings.ReplaceAll(strings.Trim(version, ` "`), "_", " ")
		if err != nil || version == "" || strings.ContainsAny(version, "<>=") {
			return nil, false
		}
		switch op {
		case "", "==":
			op = "="
		case "=", "<", "<=", ">", ">=":
		default:
			return nil, false
		}
		out = append(out, wild(constraint{op, version}))
	}
	return out, true
}

// wild tells "2.2.x" and "2.*" from plain versions. "< 4.x" is before 4, "<= 4.x" is up to the last of 4.
func wild(c constraint) constraint {
	for _, end := range []string{".x", ".X", ".*", ".xx", ".XX"} {
		stem, ok := strings.CutSuffix(c.version, end)
		if !ok {
			continue
		}
		for ok { // "12.2.x.x"
			stem, ok = strings.CutSuffix(stem, end)
		}
		switch c.op {
		case "=":
			return constraint{"x", stem}
		case "<=":
			return constraint{"<x", stem}
		case ">":
			return c // behind the last of 4: no version says it
		}
		return constraint{c.op, stem}
	}
	return c
}

// take makes ranges and versions of constraints after the rules of VERS: in the order of versions, a lower bound runs to the next
// upper one. False when a version has no place in the order.
func (v *Versions) take(cs []constraint) bool {
	compare := eco.Order(v.Ecosystem)
	var bounds []constraint
	for _, c := range cs {
		if _, err := compare(c.version, c.version); err != nil {
			return false
		}
		switch c.op {
		case "=":
			v.Exact = append(v.Exact, c.version)
		case "x":
			next, ok := following(c.version)
			if !ok {
				return false
			}
			v.span(biopsy.Event{Introduced: c.version}, biopsy.Event{Limit: next})
		default:
			bounds = append(bounds, c)
		}
	}
	if len(cs) == 0 {
		return false
	}
	apart := false
	slices.SortStableFunc(bounds, func(a, b constraint) int {
		n, err := compare(a.version, b.version)
		apart = apart || err != nil
		return n
	})
	return !apart && v.bounds(bounds) && v.sensible(compare)
}

// bounds pairs lower with upper bounds. Two of a kind in a row are not understood: VERS would take the wider one, but those who write
// "< 18.0.1 | < 19.0.1" mean the fixes of two branches.
func (v *Versions) bounds(bounds []constraint) bool {
	from := ""
	for i, c := range bounds {
		if i > 0 && bounds[i-1].op[0] == c.op[0] {
			return false
		}
		switch c.op[0] {
		case '>':
			if from = c.version; c.op == ">" {
				v.Except = append(v.Except, c.version)
			}
		default:
			end := biopsy.Event{Fixed: c.version}
			switch c.op {
			case "<=":
				end = biopsy.Event{LastAffected: c.version}
			case "<x":
				next, ok := following(c.version)
				if !ok {
					return false
				}
				end = biopsy.Event{Limit: next}
			}
			if from == "" {
				from = "0"
			}
			v.span(biopsy.Event{Introduced: from}, end)
			from = ""
		}
	}
	if from != "" {
		v.span(biopsy.Event{Introduced: from})
	}
	return true
}

// sensible doubts single versions that are no versions of software, or that lie in a range beside them ("< 15.1 | 7" means 15.1 and
// something).
func (v *Versions) sensible(compare func(a, b string) (int, error)) bool {
	for _, one := range v.Exact {
		if v.Ecosystem == "Product" && isModel(one) {
			return false
		}
		for _, r := range v.Ranges {
			end := r.Events[len(r.Events)-1]
			if c, err := compare(one, end.Fixed+end.LastAffected+end.Limit); err == nil && c <= 0 && end.Introduced == "" && r.Events[0].Introduced == "0" {
				return false
			}
		}
	}
	return true
}

// isModel knows the model, order and part numbers that some write for versions: "MMT-1711", "2702443".
func isModel(s string) bool {
	n := strings.IndexAny(s, "0123456789")
	if n < 0 {
		return false
	}
	prefix := strings.ToLower(strings.TrimRight(s[:n], " -_."))
	return len(prefix) > 1 && !slices.Contains(noise, prefix) || len(s)-n > 5 && strings.Trim(s[n:], "0123456789") == ""
}

func (v *Versions) span(events ...biopsy.Event) {
	v.Ranges = append(v.Ranges, biopsy.Range{Type: "ECOSYSTEM", Events: events})
}

// following returns the version that follows all of a branch: "2.3" for "2.2". False when the branch ends in no number.
func following(stem string) (string, bool) {
	i := len(stem)
	for i > 0 && stem[i-1] >= '0' && stem[i-1] <= '9' {
		i--
	}
	number := []byte(stem[i:])
	if len(number) == 0 {
		return "", false
	}
	for j := len(number) - 1; j >= 0; j-- {
		if number[j] < '9' {
			number[j]++
			return stem[:i] + string(number), true
		}
		number[j] = '0'
	}
	return stem[:i] + "1" + string(number), true
}
