package csaf

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// number is a document's version: an integer, or Semantic Versioning 2.0.0.
type number struct {
	integer bool
	core    [3]int
	pre     string // "" for a release
	ok      bool   // false when the text is neither
}

func parseNumber(s string) number {
	s, _, _ = strings.Cut(s, "+")
	core, pre, _ := strings.Cut(s, "-")
	parts := strings.Split(core, ".")
	n := number{integer: len(parts) == 1, pre: pre}
	if len(parts) != 1 && len(parts) != 3 {
		return n
	}
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil || v < 0 {
			return n
		}
		n.core[i] = v
	}
	n.ok = true
	return n
}

// compare orders pre-releases as Semantic Versioning does (section 11).
func (n number) compare(m number) int {
	if c := slices.Compare(n.core[:], m.core[:]); c != 0 || n.pre == m.pre {
		return c
	}
	switch {
	case n.pre == "":
		return 1
	case m.pre == "":
		return -1
	}
	a, b := strings.Split(n.pre, "."), strings.Split(m.pre, ".")
	return slices.CompareFunc(a, b, func(x, y string) int {
		i, errX := strconv.Atoi(x)
		j, errY := strconv.Atoi(y)
		switch {
		case errX == nil && errY == nil:
			return cmp.Compare(i, j)
		case errX == nil:
			return -1
		case errY == nil:
			return 1
		}
		return cmp.Compare(x, y)
	})
}

// early says whether a version is one of a draft.
func (n number) early() bool { return n.ok && (n.core[0] == 0 || n.pre != "") }

// revision is an item of the history with its place.
type revision struct {
	at     int
	date   time.Time
	number number
	text   string
}

// history returns the revisions by date, those of one date by number. Items whose date or number is none are left to Shape.
func (c *checker) history() []revision {
	var out []revision
	for i, r := range c.Document.Document.Tracking.History {
		date, err := time.Parse(time.RFC3339, r.Date)
		n := parseNumber(r.Number)
		if err == nil && n.ok {
			out = append(out, revision{i, date, n, r.Number})
		}
	}
	slices.SortStableFunc(out, func(a, b revision) int { return cmp.Or(a.date.Compare(b.date), a.number.compare(b.number)) })
	return out
}

const historyPointer = "/document/tracking/revision_history/%d/number"

func (c *checker) released() bool {
	s := c.Document.Document.Tracking.Status
	return s == "final" || s == "interim"
}

func (c *checker) historySorted() {
	h := c.history()
	for i := 1; i < len(h); i++ {
		if h[i].number.compare(h[i-1].number) < 0 {
			c.fail("version "+h[i].text+" has a later date than "+h[i-1].text, historyPointer, h[i].at)
		}
	}
}

func (c *checker) latestVersion() {
	h := c.history()
	t := c.Document.Document.Tracking
	version := parseNumber(t.Version)
	if len(h) == 0 || !version.ok {
		return
	}
	last := h[len(h)-1].number
	if t.Status == "draft" {
		version.pre, last.pre = "", ""
	}
	if version.integer != last.integer || version.compare(last) != 0 {
		c.fail("the version is "+t.Version+", and the last one of the history "+h[len(h)-1].text, "/document/tracking/version")
	}
}

func (c *checker) draftVersion() {
	t := c.Document.Document.Tracking
	if parseNumber(t.Version).early() && t.Status != "draft" {
		c.fail("version "+t.Version+" is one of a draft, and the status is "+t.Status, "/document/tracking/status")
	}
}

func (c *checker) releasedHistory() {
	for _, r := range c.history() {
		if c.released() && r.number.core[0] == 0 {
			c.fail("a released document has version "+r.text+" in its history", historyPointer, r.at)
		}
	}
}

func (c *checker) historyWithoutPreReleases() {
	for _, r := range c.history() {
		if r.number.pre != "" {
			c.fail("the history has the pre-release "+r.text, historyPointer, r.at)
		}
	}
}

func (c *checker) releasedVersion() {
	t := c.Document.Document.Tracking
	if c.released() && parseNumber(t.Version).pre != "" {
		c.fail("a released document has the version of a pre-release, "+t.Version, "/document/tracking/version")
	}
}

func (c *checker) historyWhole() {
	h := c.history()
	slices.SortStableFunc(h, func(a, b revision) int { return a.number.compare(b.number) })
	for i, r := range h {
		switch {
		case i == 0 && r.number.core[0] > 1:
			c.fail("the history begins with "+r.text, historyPointer, r.at)
		case i > 0 && r.number.core[0] > h[i-1].number.core[0]+1:
			c.fail("between "+h[i-1].text+" and "+r.text+" a version is missing in the history", historyPointer, r.at)
		}
	}
}

func (c *checker) historyOnce() {
	seen := map[string]bool{}
	for i, r := range c.Document.Document.Tracking.History {
		if seen[r.Number] {
			c.fail("version "+quote(r.Number)+" is in the history before", historyPointer, i)
		}
		seen[r.Number] = true
	}
}

func (c *checker) oneKindOfVersion() {
	t := c.Document.Document.Tracking
	integer := parseNumber(t.Version).integer
	for i, r := range t.History {
		if n := parseNumber(r.Number); n.ok && n.integer != integer {
			c.fail("versions "+quote(t.Version)+" and "+quote(r.Number)+" are of two kinds", historyPointer, i)
		}
	}
}
