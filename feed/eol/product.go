package eol

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// product is a product in any of the shapes: those of API v1 are name, label, links and identifiers of type and id; those of the data
// files are title, link and identifiers of one key each.
type product struct {
	Name         string       `json:"name"`
	Label        string       `json:"label"`
	Title        string       `json:"title"`
	Identifiers  []identifier `json:"identifiers"`
	Link         string       `json:"link"`
	LastModified string       `json:"last_modified"`
	Links        struct {
		HTML   string `json:"html"`
		Policy string `json:"releasePolicy"`
	} `json:"links"`
	Releases []json.RawMessage `json:"releases"`
}

type identifier struct {
	Type string `json:"type"`
	ID   string `json:"id"`

	Purl     string `json:"purl"`
	CPE      string `json:"cpe"`
	Repology string `json:"repology"`
}

// cycle is a release cycle in any of the shapes.
type cycle struct {
	Cycle        word   `json:"cycle"`        // older API
	ReleaseCycle word   `json:"releaseCycle"` // data files
	Name         word   `json:"name"`         // API v1
	Codename     string `json:"codename"`
	ReleaseDate  dated  `json:"releaseDate"`
	LTS          dated  `json:"lts"`
	IsLTS        bool   `json:"isLts"`
	Latest       latest `json:"latest"`

	Support, EOAS, EOASFrom         dated // "support" of the older API: end of other than security fixes
	EOL, EOLFrom, IsEOL             dated
	ExtendedSupport, EOES, EOESFrom dated
	Discontinued                    dated
}

// dated is a day, or yes or no where the source has no day; the zero value says nothing.
type dated struct {
	day string
	yes biopsy.Answer
}

// UnmarshalJSON reads a string, a bool or null. A string that is no day is kept: lifecycle reports it.
func (d *dated) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "null", `""`:
	case "true":
		d.yes = biopsy.Yes
	case "false":
		d.yes = biopsy.No
	default:
		return json.Unmarshal(b, &d.day)
	}
	return nil
}

// word is a string that some files write as a number.
type word string

// UnmarshalJSON reads a string or a number, as it is written.
func (w *word) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '"' {
		var n json.Number
		err := json.Unmarshal(b, &n)
		*w = word(n)
		return err
	}
	return json.Unmarshal(b, (*string)(w))
}

// latest is a version, or an object that has it as name.
type latest string

// UnmarshalJSON reads both shapes.
func (l *latest) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var o struct {
			Name word `json:"name"`
		}
		err := json.Unmarshal(b, &o)
		*l = latest(o.Name)
		return err
	}
	return (*word)(l).UnmarshalJSON(b)
}

// lifecycle translates a product, and says what of it could not be read.
func (p *product) lifecycle(modified string) (l biopsy.Lifecycle, wrong []string) {
	l = biopsy.Lifecycle{Product: p.Name, Label: cmp.Or(p.Label, p.Title), Source: site, Modified: modified}
	if s := p.LastModified; len(s) >= 10 && isDay(s[:10]) {
		l.Modified = s[:10]
	}
	if p.Name != "" {
		l.URL = cmp.Or(p.Links.HTML, "https://endoflife.date/"+url.PathEscape(p.Name))
	}
	for _, id := range p.Identifiers {
		name, err := id.name()
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("%.80s: %v", p.Name, err))
		case name != "" && !slices.Contains(l.Names, name):
			l.Names = append(l.Names, name)
		}
	}
	slices.Sort(l.Names)
	for i := range p.Releases {
		c, err := readCycle(p.Releases[i])
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%.80s: cycle %d: %v", p.Name, i+1, err))
			continue
		}
		if p.Name == "debian" && c.End != "" && c.ExtendedEnd > c.End { // its long term support is for everybody, from the same archive
			c.ActiveEnd, c.End, c.ExtendedEnd = c.End, c.ExtendedEnd, ""
		}
		l.Cycles = append(l.Cycles, c)
	}
	return l, wrong
}

// name is how the book spells an identifier; "" when it is of a kind the book has no use for.
func (id identifier) name() (string, error) {
	switch id.Type {
	case "purl":
		id.Purl = id.ID
	case "cpe":
		id.CPE = id.ID
	case "repology":
		id.Repology = id.ID
	}
	switch {
	case id.Purl != "":
		p, err := eco.Parse(strings.TrimSuffix(id.Purl, "/"))
		if err != nil {
			return "", err
		}
		return eco.Purl(p.Type, p.Namespace, p.Name, ""), nil
	case id.CPE != "":
		return cpeName(id.CPE)
	case id.Repology != "" && !strings.Contains(id.Repology, ":"): // "python:requests" is Repology's own name space
		return eco.Purl("generic", "", id.Repology, ""), nil
	}
	return "", nil
}

// cpeName reads part, vendor and product of a CPE 2.2 URI or a CPE 2.3 name; escapes are undone.
func cpeName(cpe string) (string, error) {
	rest, uri := strings.CutPrefix(cpe, "cpe:/")
	if !uri {
		rest, _ = strings.CutPrefix(cpe, "cpe:2.3:")
	}
	parts := strings.Split(strings.ReplaceAll(rest, `\:`, "%3a"), ":")
	if rest == cpe || len(parts) < 3 || len(parts[0]) != 1 || parts[1] == "" || parts[2] == "" {
		return "", fmt.Errorf("%.80q is no CPE name", cpe)
	}
	name, err := url.PathUnescape(strings.ReplaceAll(strings.Join(parts[:3], ":"), `\`, ""))
	if err != nil {
		return "", fmt.Errorf("%.80q is no CPE name: %w", cpe, err)
	}
	return "cpe:2.3:" + strings.ToLower(name), nil
}

func readCycle(raw []byte) (biopsy.Cycle, error) {
	var c cycle
	if err := json.Unmarshal(raw, &c); err != nil {
		return biopsy.Cycle{}, err
	}
	return c.cycle()
}

// cycle translates a cycle. Where a day and a word both stand, as in API v1, the day counts: the word is the same told on another day.
func (c *cycle) cycle() (out biopsy.Cycle, err error) {
	name := cmp.Or(c.Cycle, c.ReleaseCycle, c.Name)
	if name == "" {
		return out, fmt.Errorf("has no name")
	}
	out = biopsy.Cycle{Name: string(name), Codename: c.Codename, Released: c.ReleaseDate.day, Latest: string(c.Latest)}
	out.LTS = c.IsLTS || c.LTS.yes == biopsy.Yes || c.LTS.day != ""
	out.ActiveEnd = cmp.Or(c.EOAS.day, c.EOASFrom.day, c.Support.day)
	out.End = cmp.Or(c.EOL.day, c.EOLFrom.day)
	out.ExtendedEnd = cmp.Or(c.EOES.day, c.EOESFrom.day, c.ExtendedSupport.day)
	if out.End == "" {
		out.Ended = cmp.Or(c.EOL.yes, c.IsEOL.yes)
	}
	if out.End == "" && out.Ended == biopsy.Unknown && c.Discontinued.yes == biopsy.Yes {
		out.Ended = biopsy.Yes
	}
	for _, day := range []string{out.Released, out.ActiveEnd, out.End, out.ExtendedEnd} {
		if day != "" && !isDay(day) {
			return out, fmt.Errorf("%q: %.40q is not a date", name, day)
		}
	}
	return out, nil
}

// isDay tells whether s is a day that the calendar has, as YYYY-MM-DD.
func isDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
