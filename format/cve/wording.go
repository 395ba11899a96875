package cve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// reader turns entries of a list into spans.
type reader struct {
	order Order
	out   *Extent // gets what is no span
}

func (r *reader) read(v *Version) []span {
	if v.LessThan == "" && v.LessThanOrEqual == "" && len(v.Changes) == 0 {
		return r.one(v)
	}
	p := span{from: r.lower(v.Version), status: v.Status}
	switch {
	case v.LessThan != "":
		p.to = r.upper(v.LessThan, before)
	case v.LessThanOrEqual != "":
		p.to = r.upper(v.LessThanOrEqual, after)
	default:
		p.to = cut{kind: high}
	}
	if !r.known(p.from) || !r.known(p.to) {
		r.loose(v)
		return nil
	}
	s := scale{order: r.order}
	c := s.compare(p.from, p.to)
	switch {
	case s.err != nil:
		r.loose(v)
		return nil
	case c > 0, c == 0 && p.status == affected && v.Version != v.LessThan:
		r.out.Bad = append(r.out.Bad, fmt.Sprintf("range of versions from %.60q to %.60q ends before it begins", v.Version, v.LessThan+v.LessThanOrEqual))
		return nil
	case c == 0 && p.status == affected:
		p.from = cut{kind: low} // Chrome's records name the fixed version twice and mean all before it
	case c == 0:
		return nil
	}
	for _, ch := range v.Changes {
		at := cut{before, ch.At}
		if !r.known(at) || ch.Status != affected && ch.Status != unaffected && ch.Status != unknown {
			r.loose(v)
			return nil
		}
		if s.compare(at, p.to) < 0 {
			p.turns = append(p.turns, turn{at, ch.Status})
		}
	}
	slices.SortStableFunc(p.turns, func(a, b turn) int { return s.compare(a.at, b.at) })
	return []span{p}
}

// known says whether the order knows a cut's version. Some orders take any word for a version; a version has a digit.
func (r *reader) known(c cut) bool {
	if c.kind == low || c.kind == high {
		return true
	}
	_, err := r.order(c.v, c.v)
	return err == nil && strings.ContainsAny(c.v, "0123456789")
}

// lower reads the beginning of a range: "0", and words that name no version, are before all; "next of 1.2" is directly after it, as the
// converter of the format's fourth version wrote it.
func (r *reader) lower(s string) cut {
	s = strings.TrimSpace(s)
	if s == "0" || says(s, unspecifiedWords) || says(s, allWords) {
		return cut{kind: low}
	}
	if rest, ok := strings.CutPrefix(s, "next of "); ok {
		return cut{after, rest}
	}
	if branch, ok := branchOf(s); ok {
		return cut{before, branch}
	}
	return cut{before, s}
}

// upper reads the end of a range.
func (r *reader) upper(s string, kind cutKind) cut {
	s = strings.TrimSpace(s)
	if says(s, unspecifiedWords) || says(s, allWords) {
		return cut{kind: high}
	}
	if branch, ok := branchOf(s); ok {
		if end, ok := next(branch); ok {
			return cut{before, end}
		}
	}
	return cut{kind, s}
}

// branchOf cuts the wildcard off "5.4.*", "5.4.x" and "5.4*".
func branchOf(s string) (string, bool) {
	for _, wild := range [...]string{".*", ".x", ".X", "*"} {
		if b, ok := strings.CutSuffix(s, wild); ok && b != "" && isDigit(b[len(b)-1]) {
			return b, true
		}
	}
	return "", false
}

// next returns the branch after a branch: "5.5" after "5.4", "2.0.10" after "2.0.9".
func next(branch string) (string, bool) {
	end := len(branch)
	i := end
	for i > 0 && isDigit(branch[i-1]) {
		i--
	}
	if i == end {
		return "", false
	}
	b := []byte(branch)
	for j := end - 1; j >= i; j-- {
		if b[j] != '9' {
			b[j]++
			return string(b), true
		}
		b[j] = '0'
	}
	return branch[:i] + "1" + string(b[i:]), true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// loose keeps a range whose ends the order does not know as it is written, where it says affected; an exception that cannot be placed
// is told in words.
func (r *reader) loose(v *Version) {
	if v.Status != affected || len(v.Changes) > 0 {
		r.out.Prose = append(r.out.Prose, v.words())
		return
	}
	end := biopsy.Event{Fixed: v.LessThan}
	if v.LessThan == "" {
		end = biopsy.Event{LastAffected: v.LessThanOrEqual}
	}
	begin := biopsy.Event{Introduced: "0"}
	if c := r.lower(v.Version); c.kind != low {
		begin.Introduced = c.v
	}
	r.out.Affected.Loose = append(r.out.Affected.Loose, []biopsy.Event{begin, end})
}

// words tells an entry to people.
func (v *Version) words() string {
	s := v.Version
	if v.LessThan != "" {
		s += " before " + v.LessThan
	}
	if v.LessThanOrEqual != "" {
		s += " up to " + v.LessThanOrEqual
	}
	for _, c := range v.Changes {
		s += ", from " + c.At + " " + c.Status
	}
	return v.Status + ": " + s
}

// The words that stand for no version, and for all.
var (
	unspecifiedWords = []string{"", "n/a", "na", "unspecified", "unknown", "not specified", "none", "-", "--", "?", "tbd", "not available", "undefined", "null", "see references"}
	allWords         = []string{"*", "all", "all versions", "any", "any version", "every version", "all released versions", "latest"}
)

func says(s string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(s, w) })
}

// maxWords bounds a version that is read as words.
const maxWords = 256

// one reads an entry without end: one version, or words about several, as many records have them.
func (r *reader) one(v *Version) []span {
	text := strings.TrimSpace(v.Version)
	switch {
	case says(text, unspecifiedWords):
		if v.Status == affected {
			r.out.Prose = append(r.out.Prose, "affected: "+orWord(text, "no version"))
		}
		return nil
	case says(text, allWords):
		return []span{{cut{kind: low}, cut{kind: high}, v.Status, nil}}
	case len(text) > maxWords:
		r.out.Prose = append(r.out.Prose, v.Status+": "+text[:maxWords])
		return nil
	}
	if bounds, ok := r.phrase(text); ok {
		return r.placed(v, bounds)
	}
	if p := r.point(text); r.known(p[0]) && startsLikeVersion(text) {
		return []span{{p[0], p[1], v.Status, nil}}
	}
	switch {
	case strings.ContainsAny(text, " \t\n"):
		r.out.Prose = append(r.out.Prose, v.Status+": "+text)
	case v.Status == affected:
		r.out.Affected.Versions = append(r.out.Affected.Versions, text)
	case v.Status == unaffected:
		r.out.Affected.Except = append(r.out.Affected.Except, text)
	}
	return nil
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

// startsLikeVersion says whether text begins with a digit, or "v" and one.
func startsLikeVersion(s string) bool {
	s = strings.TrimLeft(s, "vV")
	return s != "" && isDigit(s[0])
}

// placed turns bounds into spans; those that cross are bad.
func (r *reader) placed(v *Version, bounds [][2]cut) []span {
	var out []span
	for _, b := range bounds {
		s := scale{order: r.order}
		if c := s.compare(b[0], b[1]); s.err != nil || c >= 0 {
			r.out.Bad = append(r.out.Bad, fmt.Sprintf("versions %.80q are none", v.Version))
			return nil
		}
		out = append(out, span{b[0], b[1], v.Status, nil})
	}
	return out
}

func (r *reader) point(v string) [2]cut { return [2]cut{{before, v}, {after, v}} }

// phrase reads the ways in which records put a range into one version: GitHub's ">= 1.2, < 1.2.7", and plain words. false when the text
// is none of them.
func (r *reader) phrase(text string) ([][2]cut, bool) {
	if strings.IndexByte("<>=", text[0]) >= 0 {
		return r.comparisons(text)
	}
	lower := strings.ToLower(text)
	for again := true; again; {
		again = false
		for _, lead := range [...]string{"all ", "any ", "versions ", "version ", "releases ", "from "} {
			if rest, ok := strings.CutPrefix(lower, lead); ok {
				lower, again = strings.TrimSpace(rest), true
			}
		}
	}
	for _, w := range wordings {
		a, b, ok := w.split(lower)
		if !ok {
			continue
		}
		if out := w.make(a, b); (out[0].kind == low || r.word(a)) && (out[1].kind == high || r.word(orWord(b, a))) {
			return [][2]cut{out}, true
		}
	}
	if branch, ok := branchOf(lower); ok && r.word(branch) {
		if end, ok := next(branch); ok {
			return [][2]cut{{{before, branch}, {before, end}}}, true
		}
	}
	return r.listed(text)
}

// wording is one way to say a range: a word before, between or behind versions.
type wording struct {
	lead, mid, tail string
	make            func(a, b string) [2]cut
}

// split returns the text at a and b; b is "" when the wording has one version only.
func (w *wording) split(s string) (a, b string, ok bool) {
	if s, ok = strings.CutPrefix(s, w.lead); !ok {
		return "", "", false
	}
	if s, ok = strings.CutSuffix(s, w.tail); !ok {
		return "", "", false
	}
	a = s
	if w.mid != "" {
		if a, b, ok = strings.Cut(s, w.mid); !ok {
			return "", "", false
		}
	}
	return strings.TrimSpace(a), strings.TrimSpace(b), true
}

func below(a, _ string) [2]cut   { return [2]cut{{kind: low}, {before, a}} }
func upTo(a, _ string) [2]cut    { return [2]cut{{kind: low}, {after, a}} }
func since(a, _ string) [2]cut   { return [2]cut{{before, a}, {kind: high}} }
func through(a, b string) [2]cut { return [2]cut{{before, a}, {after, b}} }
func notUpTo(a, b string) [2]cut { return [2]cut{{before, a}, {before, b}} }

// wordings are tried in this order.
var wordings = []wording{
	{"before ", "", "", below}, {"prior to ", "", "", below}, {"earlier than ", "", "", below}, {"older than ", "", "", below},
	{"lower than ", "", "", below}, {"less than ", "", "", below}, {"below ", "", "", below}, {"prior ", "", "", below},
	{"up to and including ", "", "", upTo}, {"up to ", "", "", upTo}, {"through ", "", "", upTo},
	{"", " before ", "", notUpTo}, {"", " prior to ", "", notUpTo}, {"", " through ", "", through}, {"", " thru ", "", through},
	{"", " up to ", "", through}, {"", " to ", "", through}, {"between ", " and ", "", through}, {"", " - ", "", through}, {"", " – ", "", through},
	{"", "", " and earlier versions", upTo}, {"", "", " and prior versions", upTo}, {"", "", " and all prior versions", upTo}, {"", "", " and earlier", upTo},
	{"", "", " and prior", upTo}, {"", "", " and below", upTo}, {"", "", " and older", upTo}, {"", "", " and before", upTo}, {"", "", " or earlier", upTo},
	{"", "", " or prior", upTo}, {"", "", " or below", upTo}, {"", "", " or older", upTo}, {"", "", " or lower", upTo}, {"", "", " and lower", upTo},
	{"", "", " and later", since}, {"", "", " and later versions", since}, {"", "", " and above", since}, {"", "", " and newer", since}, {"", "", " and up", since},
	{"", "", " or later", since}, {"", "", " or newer", since}, {"", "", " or higher", since}, {"", "", " and higher", since},
}

// word says whether s is one version without blanks.
func (r *reader) word(s string) bool {
	return s != "" && !strings.ContainsAny(s, " \t\n,;") && startsLikeVersion(s) && r.known(cut{before, s})
}

// listed reads "1.0, 1.1, 1.2".
func (r *reader) listed(text string) ([][2]cut, bool) {
	parts := strings.Split(text, ",")
	if len(parts) < 2 {
		return nil, false
	}
	var out [][2]cut
	for _, p := range parts {
		p = strings.TrimSpace(p)
		if !r.word(p) {
			return nil, false
		}
		out = append(out, r.point(p))
	}
	return out, true
}

// comparisons reads ">= 1.2, < 1.2.7": all hold at once; "||" parts alternatives.
func (r *reader) comparisons(text string) ([][2]cut, bool) {
	var out [][2]cut
	for _, alt := range strings.Split(text, "||") {
		b := [2]cut{{kind: low}, {kind: high}}
		fields := strings.FieldsFunc(alt, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' })
		for i := 0; i < len(fields); i++ {
			op, v := comparison(fields[i])
			if v == "" && i+1 < len(fields) {
				i++
				v = fields[i]
			}
			if op == "" || !r.word(v) {
				return nil, false
			}
			r.narrow(&b, op, v)
		}
		out = append(out, b)
	}
	return out, len(out) > 0
}

// comparison parts "<=1.2" into operator and version; "" when it begins with none.
func comparison(s string) (op, v string) {
	for _, op := range [...]string{"<=", ">=", "==", "<", ">", "="} {
		if v, ok := strings.CutPrefix(s, op); ok {
			return op, v
		}
	}
	return "", s
}

func (r *reader) narrow(b *[2]cut, op, v string) {
	s := scale{order: r.order}
	from, to := b[0], b[1]
	switch op {
	case "<":
		to = cut{before, v}
	case "<=":
		to = cut{after, v}
	case ">":
		from = cut{after, v}
	case ">=":
		from = cut{before, v}
	default:
		from, to = cut{before, v}, cut{after, v}
	}
	if s.compare(from, b[0]) > 0 {
		b[0] = from
	}
	if s.compare(to, b[1]) < 0 {
		b[1] = to
	}
}
