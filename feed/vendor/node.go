package vendor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// node: vuln/core/index.json of github.com/nodejs/security-wg: an object of entries by number.
var node = form{"node", func(_ string, head []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) && bytes.Contains(head, []byte(`"vulnerable"`)) &&
		bytes.Contains(head, []byte(`"patched"`)) && bytes.Contains(head, []byte(`nodejs.org`))
}, readNode}

type nodeEntry struct {
	CVEs         []string `json:"cve"` // none in some; each is a hole of its own
	Vulnerable   string   `json:"vulnerable"`
	Patched      string   `json:"patched"`
	Ref          string   `json:"ref"`
	Description  string   `json:"description"`
	Overview     string   `json:"overview"`
	Severity     string   `json:"severity"` // "unknown" in some
	Environments []string `json:"affectedEnvironments"`
	Published    string   `json:"publish_date"` // "" in most
}

func readNode(s *source) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(s.doc, &all); err != nil {
		return fmt.Errorf("read %s: %w", s.name, err)
	}
	numbers := make([]int, 0, len(all))
	for key := range all {
		n, err := strconv.Atoi(key)
		if err != nil || strconv.Itoa(n) != key {
			s.bad("entry "+key, errors.New("not a number"))
			continue
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		var e nodeEntry
		err := json.Unmarshal(all[strconv.Itoa(n)], &e)
		var list []biopsy.Advisory
		if err == nil {
			list, err = e.advisories(n)
		}
		if err != nil {
			s.bad(fmt.Sprintf("entry %d", n), err)
		}
		for _, a := range list {
			if err := s.give(a); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *nodeEntry) advisories(n int) ([]biopsy.Advisory, error) {
	af := biopsy.Affected{Ecosystem: "Upstream", Name: "node"}
	for _, env := range e.Environments {
		switch env {
		case "all":
		case "win32":
			af.Platforms = append(af.Platforms, "windows")
		default:
			af.Platforms = append(af.Platforms, env)
		}
	}
	var err error
	if af.Ranges, err = nodeRanges(e.Vulnerable, e.Patched); err != nil {
		return nil, err
	}
	a := biopsy.Advisory{ID: fmt.Sprintf("NODE-CORE-%d", n), Summary: e.Description, Details: e.Overview, Severity: word(e.Severity, "node"), Affected: e.packages(af)}
	if e.Ref != "" {
		a.References = []biopsy.Reference{{Type: "ADVISORY", URL: e.Ref}}
	}
	if len(e.CVEs) == 0 {
		return []biopsy.Advisory{a}, nil
	}
	var out []biopsy.Advisory
	for _, id := range e.CVEs {
		a.ID, a.Aliases = "NODE-"+id, aliases(id)
		out = append(out, a)
	}
	return out, nil
}

// packages adds the release lines that the entry does not name, older ones and those between: the makers look at lines that they still
// support only. Where an entry says from which version on, older lines are clean.
func (e *nodeEntry) packages(af biopsy.Affected) []biopsy.Affected {
	silent := biopsy.Affected{Ecosystem: af.Ecosystem, Name: af.Name, Platforms: af.Platforms, Status: biopsy.Undetermined, Why: "the makers name other release lines only: " + e.Vulnerable}
	named := 0
	for i, r := range af.Ranges {
		from := r.Events[0].Introduced
		switch line := major(from); {
		case i == 0 && !strings.Contains(from, "."):
			silent.Ranges = append(silent.Ranges, lines("0", line))
		case i > 0 && line > named+1:
			silent.Ranges = append(silent.Ranges, lines(strconv.Itoa(named+1), line))
		}
		named = major(from)
	}
	if len(silent.Ranges) == 0 {
		return []biopsy.Affected{af}
	}
	return []biopsy.Affected{af, silent}
}

// lines is a range over whole release lines, up to one that is not of it.
func lines(from string, to int) biopsy.Range {
	return biopsy.Range{Type: "ECOSYSTEM", Events: []biopsy.Event{{Introduced: from}, {Limit: strconv.Itoa(to)}}}
}

// clause is one of "8.x", "9.7.x", "^7.1.0", "8.5.0", "<= 10", ">=6.0.0 <6.2.0", ">= 10.9.0", between "||" in ranges of npm.
var clause = regexp.MustCompile(`^(?:(\^|>=|<=|)\s*(\d+(?:\.\d+){0,2})(\.x)?)(?:\s+<\s*(\d+(?:\.\d+){0,2}))?$`)

// nodeRanges lays what is patched over what is vulnerable. A fix mends its major version, and later ones have it from the start unless
// they are named; a vulnerable major version without a fix is affected to its end.
func nodeRanges(vulnerable, patched string) ([]biopsy.Range, error) {
	var fixes []string
	for _, c := range strings.Split(patched, "||") {
		m := clause.FindStringSubmatch(strings.TrimSpace(c))
		if m == nil || m[1] == "<=" {
			return nil, fmt.Errorf("patched %.80q is no list of versions", patched)
		}
		fixes = append(fixes, m[2])
	}
	slices.SortFunc(fixes, order)
	var out []biopsy.Range
	for _, c := range strings.Split(vulnerable, "||") {
		m := clause.FindStringSubmatch(strings.TrimSpace(c))
		if m == nil {
			return nil, fmt.Errorf("vulnerable %.80q is no list of versions", vulnerable)
		}
		out = append(out, nodeClause(m, fixes)...)
	}
	slices.SortFunc(out, func(a, b biopsy.Range) int { return order(a.Events[0].Introduced, b.Events[0].Introduced) })
	return out, nil
}

// nodeClause makes one range of each major version that a clause holds.
func nodeClause(m, fixes []string) []biopsy.Range {
	op, version, end := m[1], m[2], m[4]
	first, last := major(version), major(version)
	switch {
	case op == "<=":
		first = 0
	case op == ">=" && end == "" && len(fixes) > 0:
		last = max(last, major(fixes[len(fixes)-1]))
	case op == ">=" && end != "":
		last = max(last, major(end))
	}
	var out []biopsy.Range
	for n := first; n <= last && n < first+maxMajors; n++ {
		from := strconv.Itoa(n) + ".0.0"
		if n == first && op != "<=" {
			from = version
		}
		i := slices.IndexFunc(fixes, func(f string) bool { return major(f) == n && order(f, from) > 0 && sameLine(f, from, n) })
		events := []biopsy.Event{{Introduced: from}}
		switch {
		case end != "" && n == last:
			events = append(events, biopsy.Event{Fixed: end})
		case i >= 0:
			events = append(events, biopsy.Event{Fixed: fixes[i]})
		default:
			events = append(events, biopsy.Event{Limit: strconv.Itoa(n + 1)})
		}
		if order(from, end) != 0 || end == "" {
			out = append(out, biopsy.Range{Type: "ECOSYSTEM", Events: events})
		}
	}
	return out
}

// sameLine says whether a fix is of the line of a version: of major version 0 each minor is one ("0.10", "0.12").
func sameLine(fix, version string, n int) bool {
	return n > 0 || strings.Split(fix+".", ".")[1] == strings.Split(version+".", ".")[1]
}

// maxMajors bounds a clause over several major versions; there are some thirty.
const maxMajors = 100

func major(version string) int {
	s, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0 // a run of digits that is no number of a release
	}
	return n
}
