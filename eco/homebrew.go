package eco

import "strings"

// homebrew: formulae carry the version of the software itself; a packing revision is "_1".
var homebrew = Ecosystem{Name: "Homebrew", Purls: []string{"brew"}, Fold: strings.ToLower, Compare: compareHomebrew}

// compareHomebrew orders by Upstream's order, then by the revision behind "_".
func compareHomebrew(a, b string) (int, error) {
	va, ra := brewRevision(a)
	vb, rb := brewRevision(b)
	c, err := compareUpstream(va, vb)
	if c != 0 || err != nil {
		return c, err
	}
	return numbers(ra, rb), nil
}

func brewRevision(v string) (version, revision string) {
	i := strings.LastIndexByte(v, '_')
	if i < 0 || i+1 == len(v) || digits(v[i+1:]) != len(v)-i-1 {
		return v, ""
	}
	return v[:i], v[i+1:]
}
