package cve

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Version is one entry of a list of versions: a single version, or a range when LessThan or LessThanOrEqual is set.
type Version struct {
	Version         string   `json:"version"`
	Status          string   `json:"status"`
	Type            string   `json:"versionType"` // "semver", "custom", "git", "rpm", ...; "" for single versions
	LessThan        string   `json:"lessThan"`
	LessThanOrEqual string   `json:"lessThanOrEqual"`
	Changes         []Change `json:"changes"`
}

// Change is a turn inside a range: from At on the status is another.
type Change struct {
	At     string `json:"at"`
	Status string `json:"status"`
}

// The statuses of a version.
const (
	affected   = "affected"
	unaffected = "unaffected"
	unknown    = "unknown"
)

// Order compares two versions; the error says which one is none.
type Order func(a, b string) (int, error)

// Set is versions as OSV writes them.
type Set struct {
	Events   []biopsy.Event   // one range of turns, in the order of versions; empty when there is none
	Loose    [][]biopsy.Event // ranges whose ends the order does not know, as they are written
	Versions []string         // one by one
	Except   []string         // not of the set though Events hold them
}

func (s *Set) empty() bool { return len(s.Events)+len(s.Loose)+len(s.Versions) == 0 }

// Extent is what a list of versions comes to.
type Extent struct {
	Affected Set
	Unknown  Set            // where the list says itself that nobody knows
	Commits  []biopsy.Range // git ranges, without repository
	None     bool           // the list says of all versions that they are not affected
	Prose    []string       // entries that speak of versions in words we cannot place
	Bad      []string       // entries that are no sense: ends that cross, statuses that are none
}

// maxSpans bounds the ranges of one list, for they are painted one over the other; the longest in use have some dozens. Single
// versions are not bounded.
const maxSpans = 1024

// Extents reads a list of versions and the status of all others, after the algorithm of the CVE Record Format: the first entry that
// holds a version decides, and within it the last change at or before the version. Where the default is not stated nobody says
// anything about other versions. "5.4.*" is the end of branch 5.4, and "*" the end of all.
func Extents(list []Version, byDefault string, order Order) Extent {
	var x Extent
	r := reader{order: order, out: &x}
	var spans []span
	for i := range list {
		v := &list[i]
		switch {
		case v.Status != affected && v.Status != unaffected && v.Status != unknown:
			x.Bad = append(x.Bad, fmt.Sprintf("version %.40q has status %.20q", v.Version, v.Status))
		case isGit(v):
			x.commit(v)
		default:
			spans = append(spans, r.read(v)...)
		}
	}
	if wide := countWide(spans); wide > maxSpans {
		x.Bad = append(x.Bad, fmt.Sprintf("%d ranges of versions, more than the %d allowed", wide, maxSpans))
		spans = nil
	}
	commitsOnly := len(x.Commits) > 0 && len(spans) == 0 && len(x.Affected.Loose)+len(x.Affected.Versions)+len(x.Prose) == 0
	if !commitsOnly {
		x.paint(spans, byDefault, order)
	}
	x.None = byDefault == unaffected && x.Affected.empty() && x.Unknown.empty() && len(x.Commits)+len(x.Prose)+len(x.Bad) == 0
	return x
}

func countWide(spans []span) int {
	n := 0
	for i := range spans {
		if !spans[i].single() {
			n++
		}
	}
	return n
}

// isGit knows lists of commits by their type, and by their look where the type was forgotten.
func isGit(v *Version) bool {
	return v.Type == "git" || v.Type == "" && isCommit(v.Version) && (v.LessThan == "" || isCommit(v.LessThan))
}

func isCommit(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// commit adds a git range. Commits that are not affected end ranges that other entries begin, so nothing is lost without them.
func (x *Extent) commit(v *Version) {
	if v.Status != affected {
		return
	}
	from := v.Version
	if !isCommit(from) {
		from = "0"
	}
	end := biopsy.Event{}
	switch {
	case isCommit(v.LessThan):
		end.Fixed = v.LessThan
	case isCommit(v.LessThanOrEqual):
		end.LastAffected = v.LessThanOrEqual
	case v.LessThan == "" && v.LessThanOrEqual == "" && from != "0":
		end.LastAffected = from
	}
	i := slices.IndexFunc(x.Commits, func(r biopsy.Range) bool { return r.Events[0].Introduced == from })
	if i < 0 {
		x.Commits = append(x.Commits, biopsy.Range{Type: "GIT", Events: []biopsy.Event{{Introduced: from}}})
		i = len(x.Commits) - 1
	}
	if end != (biopsy.Event{}) && !slices.Contains(x.Commits[i].Events, end) {
		x.Commits[i].Events = append(x.Commits[i].Events, end)
	}
}

// cut is a place between versions.
type cut struct {
	kind cutKind
	v    string // of before and after
}

type cutKind uint8

const (
	low    cutKind = iota // before all versions
	before                // directly before v
	after                 // directly after v
	high                  // behind all versions
)

// span is a status from one cut to another.
type span struct {
	from, to cut
	status   string
	turns    []turn // in order, inside the span
}

type turn struct {
	at     cut
	status string
}

// single says whether a span is one version.
func (s *span) single() bool {
	return s.from.kind == before && s.to.kind == after && s.from.v == s.to.v && len(s.turns) == 0
}

// scale is all cuts in order, each once.
type scale struct {
	order Order
	cuts  []cut
	err   error // of two versions that do not compare
}

func (s *scale) compare(a, b cut) int {
	if a.kind == low || b.kind == low || a.kind == high || b.kind == high {
		return cmp.Compare(rank(a), rank(b))
	}
	c := 0
	if a.v != b.v {
		var err error
		if c, err = s.order(a.v, b.v); err != nil && s.err == nil {
			s.err = err
		}
	}
	return cmp.Or(c, cmp.Compare(a.kind, b.kind))
}

// rank puts the ends of the scale around everything else.
func rank(c cut) int {
	switch c.kind {
	case low:
		return 0
	case high:
		return 2
	}
	return 1
}

func newScale(spans []span, order Order) *scale {
	s := &scale{order: order, cuts: []cut{{kind: low}, {kind: high}}}
	for i := range spans {
		s.cuts = append(s.cuts, spans[i].from, spans[i].to)
		for _, t := range spans[i].turns {
			s.cuts = append(s.cuts, t.at)
		}
	}
	slices.SortStableFunc(s.cuts, s.compare)
	s.cuts = slices.CompactFunc(s.cuts, func(a, b cut) bool { return s.compare(a, b) == 0 })
	return s
}

func (s *scale) at(c cut) int {
	i, _ := slices.BinarySearchFunc(s.cuts, c, s.compare)
	return i
}

// paint lays the spans over the default, the first on top, and reads the sets off. Piece i lies between cuts i and i+1.
func (x *Extent) paint(spans []span, byDefault string, order Order) {
	s := newScale(spans, order)
	if s.err != nil {
		x.Prose = append(x.Prose, s.err.Error())
		return
	}
	if byDefault == affected {
		s.openEnd(spans)
	}
	pieces := make([]string, len(s.cuts)-1)
	if byDefault == affected || byDefault == unaffected {
		for i := range pieces {
			pieces[i] = byDefault
		}
	}
	for i := len(spans) - 1; i >= 0; i-- {
		p := &spans[i]
		fill(pieces[s.at(p.from):s.at(p.to)], p.status)
		for _, t := range p.turns {
			if from, to := s.at(t.at), s.at(p.to); from < to {
				fill(pieces[max(from, s.at(p.from)):to], t.status)
			}
		}
	}
	s.collect(pieces, affected, &x.Affected)
	s.collect(pieces, unknown, &x.Unknown)
	if len(x.Prose) > 0 && byDefault == affected {
		x.Affected = Set{} // what is in the words may be the exception
	}
}

// openEnd reads one version that is said to be good where all others are bad, above all that the list names, as where the fix came. A
// list that says itself what is above it is taken at its word.
func (s *scale) openEnd(spans []span) {
	if slices.ContainsFunc(spans, func(p span) bool { return p.to.kind == high }) {
		return
	}
	for i := range spans {
		if p := &spans[i]; p.single() && p.status == unaffected && s.at(p.to) == len(s.cuts)-2 {
			p.to = cut{kind: high}
		}
	}
}

func fill(pieces []string, status string) {
	for i := range pieces {
		pieces[i] = status
	}
}

// collect adds the runs of pieces that have a status. A hole of one version inside a run is an exception.
func (s *scale) collect(pieces []string, status string, out *Set) {
	for i := 0; i < len(pieces); i++ {
		if pieces[i] != status {
			continue
		}
		end := i + 1
		for end < len(pieces) {
			switch {
			case pieces[end] == status:
				end++
				continue
			case end+1 < len(pieces) && pieces[end+1] == status && s.point(end):
				out.Except = append(out.Except, s.cuts[end].v)
				end += 2
				continue
			}
			break
		}
		s.run(i, end, out)
		i = end - 1
	}
}

// point says whether piece i is one version.
func (s *scale) point(i int) bool {
	a, b := s.cuts[i], s.cuts[i+1]
	return a.kind == before && b.kind == after && s.compare(cut{before, b.v}, a) == 0
}

// run adds pieces from up to end.
func (s *scale) run(from, end int, out *Set) {
	if end == from+1 && s.point(from) {
		out.Versions = append(out.Versions, s.cuts[from].v)
		return
	}
	begin := biopsy.Event{Introduced: "0"}
	if c := s.cuts[from]; c.kind != low {
		begin.Introduced = c.v
		if c.kind == after {
			out.Except = append(out.Except, c.v)
		}
	}
	out.Events = append(out.Events, begin)
	switch c := s.cuts[end]; c.kind {
	case before:
		out.Events = append(out.Events, biopsy.Event{Fixed: c.v})
	case after:
		out.Events = append(out.Events, biopsy.Event{LastAffected: c.v})
	}
}
