package csaf

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// Problem is one objection to a document.
type Problem struct {
	Test    string // "6.1.14" of CSAF 2.0; "schema" for the shape
	Pointer string // JSON Pointer (RFC 6901) of what is wrong: "/document/tracking/version"
	Text    string // in plain words
}

func (p Problem) String() string { return p.Test + " " + p.Pointer + ": " + p.Text }

// Validate runs the mandatory tests of CSAF 2.0, section 6.1.1 to 6.1.33, and returns what fails, in order of test and place; nil when
// all pass. A document must also have the right shape: Shape tells.
func Validate(d *Document) []Problem {
	c := &checker{Document: d, products: d.Products()}
	for _, t := range mandatory {
		c.test = t.id
		t.run(c)
	}
	if c.products.Exhausted() {
		c.found = append(c.found, Problem{"schema", "/product_tree/product_groups", "the groups are named in more places than were looked at"})
	}
	slices.SortStableFunc(c.found, func(a, b Problem) int {
		return cmp.Or(compareIDs(a.Test, b.Test), comparePointers(a.Pointer, b.Pointer))
	})
	return slices.Compact(c.found)
}

// mandatory are the tests, in the standard's order.
var mandatory = []struct {
	id  string
	run func(*checker)
}{
	{"6.1.1", (*checker).productsDefined}, {"6.1.2", (*checker).productsDefinedOnce}, {"6.1.3", (*checker).noCircle},
	{"6.1.4", (*checker).groupsDefined}, {"6.1.5", (*checker).groupsDefinedOnce}, {"6.1.6", (*checker).noContradiction},
	{"6.1.7", (*checker).oneScoreOfAVersion}, {"6.1.8", (*checker).cvssShape}, {"6.1.9", (*checker).cvssScores}, {"6.1.10", (*checker).cvssWords},
	{"6.1.11", (*checker).weaknesses}, {"6.1.12", (*checker).languages}, {"6.1.13", (*checker).purls},
	{"6.1.14", (*checker).historySorted}, {"6.1.15", (*checker).translator}, {"6.1.16", (*checker).latestVersion}, {"6.1.17", (*checker).draftVersion},
	{"6.1.18", (*checker).releasedHistory}, {"6.1.19", (*checker).historyWithoutPreReleases}, {"6.1.20", (*checker).releasedVersion},
	{"6.1.21", (*checker).historyWhole}, {"6.1.22", (*checker).historyOnce}, {"6.1.23", (*checker).cveOnce}, {"6.1.24", (*checker).involvementOnce},
	{"6.1.25", (*checker).hashOnce}, {"6.1.26", (*checker).categoryName},
	{"6.1.27.1", (*checker).profileNotes}, {"6.1.27.2", (*checker).profileReferences}, {"6.1.27.3", (*checker).profileNoVulnerabilities},
	{"6.1.27.4", (*checker).profileTree}, {"6.1.27.5", (*checker).profileVulnerabilityNotes}, {"6.1.27.6", (*checker).profileStatus},
	{"6.1.27.7", (*checker).vexStatus}, {"6.1.27.8", (*checker).vexID}, {"6.1.27.9", (*checker).vexImpact}, {"6.1.27.10", (*checker).vexAction},
	{"6.1.27.11", (*checker).profileVulnerabilities},
	{"6.1.28", (*checker).translated}, {"6.1.29", (*checker).remediationProducts}, {"6.1.30", (*checker).oneKindOfVersion},
	{"6.1.31", (*checker).noRangeInVersion}, {"6.1.32", (*checker).flagProducts}, {"6.1.33", (*checker).oneJustification},
}

type checker struct {
	*Document
	products *Products
	test     string // that runs
	found    []Problem
}

// maxProblems bounds the answer: a hostile document has a problem per byte.
const maxProblems = 10_000

// fail notes a problem at a pointer, whose verbs the arguments fill: numbers are indexes.
func (c *checker) fail(text, pointer string, indexes ...any) {
	if len(c.found) < maxProblems {
		c.found = append(c.found, Problem{c.test, fmt.Sprintf(pointer, indexes...), text})
	}
}

// compareIDs orders "6.1.9" before "6.1.10".
func compareIDs(a, b string) int {
	return slices.Compare(numbersOf(a, '.'), numbersOf(b, '.'))
}

// comparePointers orders "/a/9" before "/a/10".
func comparePointers(a, b string) int {
	return cmp.Or(slices.Compare(numbersOf(a, '/'), numbersOf(b, '/')), cmp.Compare(a, b))
}

// numbersOf returns the numbers among the parts of s.
func numbersOf(s string, sep byte) []int {
	var out []int
	start := 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == sep {
			if n, err := strconv.Atoi(s[start:i]); err == nil {
				out = append(out, n)
			}
			start = i + 1
		}
	}
	return out
}

// each calls visit for every vulnerability.
func (c *checker) each(visit func(i int, v *Vulnerability)) {
	for i := range c.Vulnerabilities {
		visit(i, &c.Vulnerabilities[i])
	}
}

// statusList is a list of product ids under product_status.
type statusList struct {
	name string
	ids  []string
}

// lists are the lists in the order of their names.
func (s *ProductStatus) lists() []statusList {
	if s == nil {
		return nil
	}
	return []statusList{{"first_affected", s.FirstAffected}, {"first_fixed", s.FirstFixed}, {"fixed", s.Fixed}, {"known_affected", s.KnownAffected},
		{"known_not_affected", s.KnownNotAffected}, {"last_affected", s.LastAffected}, {"recommended", s.Recommended},
		{"under_investigation", s.UnderInvestigation}, {"unknown", s.Unknown}}
}

func quote(s string) string { return fmt.Sprintf("%.80q", s) }
