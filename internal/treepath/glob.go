package treepath

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Globs are patterns of paths to leave out. The elements of a pattern are those of path.Match; "**" stands for any number of
// elements, at the end for at least one. A pattern without slash, but perhaps at its end, fits an element at any depth, as in
// .gitignore. A pattern that fits a folder fits all below it.
type Globs [][]string

// ParseGlobs reads patterns. A leading "/" or "./" ties a pattern to the root of the tree.
func ParseGlobs(patterns []string) (Globs, error) {
	var all Globs
	for _, p := range patterns {
		g, err := parseGlob(p)
		if err != nil {
			return nil, fmt.Errorf("glob %q: %w", p, err)
		}
		all = append(all, g)
	}
	return all, nil
}

func parseGlob(p string) ([]string, error) {
	p = strings.TrimSuffix(p, "/")
	if p != "" && p != "." && !strings.Contains(p, "/") {
		p = "**/" + p
	}
	p = strings.TrimPrefix(strings.TrimPrefix(p, "./"), "/")
	if p == "" || p == "." {
		return nil, errors.New("it is empty")
	}
	g := strings.Split(p, "/")
	for _, e := range g {
		if _, err := path.Match(e, ""); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// Fit tells whether any pattern fits a clean path or a folder above it.
func (all Globs) Fit(p string) bool {
	if len(all) == 0 {
		return false
	}
	elements := strings.Split(p, "/")
	for _, g := range all {
		if fits(g, elements) {
			return true
		}
	}
	return false
}

// fits goes along pattern and path together and, at a mismatch, lets the last "**" take one more element: no more than
// len(g) x len(elements) steps.
func fits(g, elements []string) bool {
	i, j, star, mark := 0, 0, -1, 0
	for j < len(elements) {
		switch {
		case i == len(g):
			return true
		case g[i] == "**" && i == len(g)-1:
			return true
		case g[i] == "**":
			star, mark = i, j
			i++
		case fitsOne(g[i], elements[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return i == len(g)
}

func fitsOne(pattern, element string) bool {
	ok, err := path.Match(pattern, element)
	return ok && err == nil // parseGlob has seen every error
}
