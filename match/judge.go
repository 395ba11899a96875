package match

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/refdb"
)

// opinion is what one entry of a record says to one question.
type opinion struct {
	entry  *refdb.Entry
	ask    *ask
	answer biopsy.Answer
	rule   string
	text   string
	fixed  []string // fixes above the version

	endedAt string // the fix, or the last affected version, that the version is behind; "" when no range says so
}

// judge answers one question by one entry. speaks is false when the entry is about something else: another release, another module
// stream.
func (a *ask) judge(e *refdb.Entry) (op opinion, speaks bool) {
	if !a.concerns(e) {
		return opinion{}, false
	}
	op = opinion{entry: e, ask: a, rule: a.rule}
	where := " (" + cmp.Or(e.Affected.Ecosystem, a.ecosystem) + " " + cmp.Or(e.Affected.Name, a.name) + ")"
	if a.undecided != "" {
		op.rule, op.text = "no-release", a.undecided+where
		return op, true
	}
	switch {
	case e.Affected.Status == biopsy.NotAffected && !limited(&e.Affected):
	case a.version == "":
		op.rule, op.text = "no-version", "the version of the component is not known"
	default:
		a.decide(&op)
	}
	if speaks := a.status(&op); !speaks {
		return opinion{}, false
	}
	if a.ecosystem == "GIT" && a.known != "" && op.mute() {
		return opinion{}, false // a list of commits in a repository that the component did not name says nothing of it
	}
	op.text += where
	a.temper(&op)
	return op, true
}

// inItsWords begins the reason of an entry whose versions are told in words only.
const inItsWords = "affected as the advisory words it"

// limited says whether an entry is about some versions only.
func limited(af *biopsy.Affected) bool { return len(af.Ranges) > 0 || len(af.Versions) > 0 }

// status lets the source's own verdict count before its ranges: "not affected" of the versions it is about, all if it names none, and nothing
// of others; "undetermined" and "will not fix" unless a range says that the version is mended.
func (a *ask) status(op *opinion) (speaks bool) {
	af := &op.entry.Affected
	who := cmp.Or(op.entry.Source, a.ecosystem)
	why := ""
	if af.Why != "" {
		why = fmt.Sprintf(": %q", af.Why)
	}
	switch {
	case af.Status == biopsy.NotAffected && limited(af) && op.answer == biopsy.No:
		return false
	case af.Status == biopsy.NotAffected && limited(af) && op.answer == biopsy.Unknown:
		op.fixed = nil
	case af.Status == biopsy.NotAffected:
		op.answer, op.rule, op.text, op.fixed = biopsy.No, "not-affected", who+" says that it is not affected"+why, nil
	case op.answer == biopsy.No:
		a.vouched(op)
	case af.Status == biopsy.Undetermined:
		op.answer, op.rule, op.text = biopsy.Unknown, "undetermined", who+" has not decided"+why
		if strings.HasPrefix(af.Why, inItsWords) {
			op.text = who + ": " + af.Why + "; that cannot be compared"
		}
	case af.Status == biopsy.WillNotFix && op.rule != "unparsable-version" && (a.version != "" || !limited(af)):
		op.answer, op.rule, op.text = biopsy.Yes, "will-not-fix", who+" says that it is affected and no fix will come"+why
	case af.Why != "" && op.answer == biopsy.Yes:
		op.text += "; " + who + " says" + why
	}
	return true
}

// vouched takes back the no of a record that does not vouch for versions outside its ranges.
func (a *ask) vouched(op *opinion) {
	if op.entry.Affected.Extra["default"] == "unknown" && op.endedAt == "" {
		op.answer, op.rule = biopsy.Unknown, "not-vouched"
		op.text += "; the record says nothing of versions outside its ranges"
	}
}

// concerns says whether the entry speaks about the release, and the kind of build, in question.
func (a *ask) concerns(e *refdb.Entry) bool {
	if a.undecided != "" {
		return eco.Base(e.Affected.Ecosystem) == a.ecosystem
	}
	if a.ecosystem == "CPE" || a.ecosystem == "GIT" || a.ecosystem == "Product" {
		return true // looked up by that very name
	}
	if a.ecosystem == upstreamEcosystem || !eco.Covers(e.Affected.Ecosystem, a.ecosystem, a.suffix) {
		return a.ecosystem == upstreamEcosystem && e.Affected.Ecosystem == upstreamEcosystem
	}
	return !namesBinaries(a.ecosystem) || modular(a.version) == modularEntry(e)
}

// modular says whether an rpm belongs to a module stream of RHEL 8 and its kin: fixes of streams count for modular builds only.
func modular(version string) bool { return strings.Contains(version, ".module") }

func modularEntry(e *refdb.Entry) bool {
	for i := range e.Affected.Ranges {
		for j := range e.Affected.Ranges[i].Events {
			if modular(e.Affected.Ranges[i].Events[j].Fixed) {
				return true
			}
		}
	}
	return false
}

// mute says whether a record names the package and nothing by which a version could be decided.
func (op *opinion) mute() bool { return op.rule == "git-range" || op.rule == "no-range" }

// rank is whose voice an opinion is; a mute one is below all.
func (op *opinion) rank() int {
	if op.mute() {
		return rankListed - 1
	}
	return op.ask.rank
}

// maxVersion bounds a version: none in any ecosystem's records has more than some 200 bytes.
const maxVersion = 512

// decide holds the version against what the entry says of versions.
func (a *ask) decide(op *opinion) {
	af := &op.entry.Affected
	if len(a.version) > maxVersion {
		op.rule, op.text = "unparsable-version", fmt.Sprintf("a version of %d bytes is none", len(a.version))
		return
	}
	switch {
	case a.makersNumbers() && looksLikeCommit(a.version):
		op.rule, op.text = "unparsable-version", a.version+" is a commit, which no order of versions holds"
	case a.subject != nil && af.CPE != "":
		a.byCPE(op)
	case a.ecosystem == "GIT":
		a.byTags(op)
	default:
		a.byVersions(op)
	}
}

// makersNumbers says whether versions are those of the makers, where a commit is easily taken for a number.
func (a *ask) makersNumbers() bool {
	return a.ecosystem == upstreamEcosystem || a.ecosystem == "CPE" || a.ecosystem == "GIT" || a.ecosystem == "Linux"
}

// byVersions is the union of the ranges and the list of versions.
func (a *ask) byVersions(op *opinion) {
	af := &op.entry.Affected
	by := order(eco.Order(a.ecosystem))
	best, commits := a.ranges(op, by)
	switch {
	case a.excepted(af):
		op.answer, op.rule, op.text, op.fixed = biopsy.No, "versions", a.version+" is named as not affected", nil
	case best != nil && best.answer == biopsy.Yes:
		op.answer, op.text = biopsy.Yes, best.says(a.version)
	case listedIn(a.version, af.Versions, by):
		op.answer, op.rule, op.text = biopsy.Yes, "versions", a.version+" is listed as affected"
	case best != nil:
		op.answer, op.text = best.answer, best.says(a.version)
		if best.turn == fixed || best.turn == lastAffected {
			op.endedAt = best.at
		}
		if op.answer == biopsy.Unknown {
			op.rule = "unparsable-version"
		}
	case len(af.Versions) > 0:
		a.notListed(op, by)
	case commits:
		op.rule, op.text = "git-range", "the record names commits only, which a version does not tell apart"
	default:
		op.rule, op.text = "no-range", "the record names no versions"
	}
}

// excepted says whether a record names the version as safe though a range holds it: Extra "except", a version a line.
func (a *ask) excepted(af *biopsy.Affected) bool {
	list := af.Extra["except"]
	return list != "" && listedIn(a.version, strings.Split(list, "\n"), order(eco.Order(a.ecosystem)))
}

// ranges returns the outcome that tells most, nil when there is no range of versions, and whether there are ranges of commits.
func (a *ask) ranges(op *opinion, cmp order) (best *outcome, commits bool) {
	rs := op.entry.Affected.Ranges
	for i := range rs {
		if rs[i].Type == "GIT" || a.makersNumbers() && ofCommits(rs[i].Events) {
			commits = true
			continue
		}
		by := a.rangeOrder(&rs[i], cmp)
		o := within(a.version, rs[i].Events, by)
		if base := rebuildOf(a.version); o.answer == biopsy.Yes && base != "" && o.next == base {
			o = within(base, rs[i].Events, by)
		}
		if o.answer == biopsy.Yes && o.next != "" {
			op.fixed = append(op.fixed, o.next)
		}
		if best == nil || o.over(best, by) {
			best = &o
		}
	}
	return best, commits
}

// ofCommits says whether a range's events are commits whatever its type says: some records write "1da177e4c3f4" where a version belongs.
func ofCommits(events []biopsy.Event) bool {
	for i := range events {
		_, at := event(&events[i])
		if looksLikeCommit(strings.TrimPrefix(at, "0 ")) {
			return true
		}
	}
	return false
}

// rebuildOf is the version that a distribution's version says it rebuilds for an older release: "1.2-3" of "1.2-3~deb12u1" and
// "1.2-3~bpo12+1" (Debian Developer's Reference, 5.8.5 and 5.11). It is lower in the order, yet has all that 1.2-3 has. "" when it is none.
func rebuildOf(version string) string {
	for _, mark := range [...]string{"~deb", "~bpo"} {
		base, rest, ok := strings.Cut(version, mark)
		if n := len(rest) - len(strings.TrimLeft(rest, "0123456789")); ok && n > 0 && n < len(rest) && (rest[n] == 'u' || rest[n] == '+' || rest[n] == '.') {
			return base
		}
	}
	return ""
}

// rangeOrder is the ecosystem's order; ranges that say they are semver need none.
func (a *ask) rangeOrder(r *biopsy.Range, cmp order) order {
	switch {
	case cmp != nil:
		return cmp
	case r.Type == "SEMVER":
		return eco.Semver
	}
	return func(x, y string) (int, error) { return eco.Compare(a.ecosystem, x, y) }
}

// worth ranks the answers of parts of one record.
func worth(a biopsy.Answer) int {
	switch a {
	case biopsy.Yes:
		return 2
	case biopsy.Unknown:
		return 1
	}
	return 0
}

// notListed is no, unless the version is none that could be listed.
func (a *ask) notListed(op *opinion, cmp order) {
	op.rule = "versions"
	if cmp != nil {
		if _, err := cmp(a.version, a.version); err != nil {
			op.rule, op.text = "unparsable-version", err.Error()
			return
		}
	}
	op.answer, op.text = biopsy.No, fmt.Sprintf("%s is not among the %d versions listed", a.version, len(op.entry.Affected.Versions))
}

// listedIn compares as text first, then by the ecosystem's order: "1.0" is "1.0.0" in PyPI. Listed versions that do not parse are
// compared as text only.
func listedIn(version string, list []string, cmp order) bool {
	for _, v := range list {
		if v == version {
			return true
		}
	}
	if cmp == nil {
		return false
	}
	for _, v := range list {
		if c, err := cmp(version, v); err == nil && c == 0 {
			return true
		}
	}
	return false
}

// temper turns a yes into what the voice may say, and adds what it leaves open and how the name was found.
func (a *ask) temper(op *opinion) {
	if a.known != "" {
		op.text += "; " + a.known
	}
	if op.answer != biopsy.Yes {
		return
	}
	if a.soften != "" {
		op.answer = biopsy.Unknown
		op.text += "; " + a.soften
		return
	}
	if a.note != "" {
		op.text += "; " + a.note
	}
	if u := op.entry.Affected.Extra["urgency"]; u == "unimportant" || u == "end-of-life" || strings.Contains(u, "no-dsa") {
		op.text += "; " + a.ecosystem + " calls it " + u
	}
	if strings.HasPrefix(op.entry.ID, "MAL-") {
		op.rule = "malicious"
		op.text += "; the package is malicious"
	}
}
