package match

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// Advise says which moves to other versions clear the findings whose answer is yes: for every package, and every branch of its versions
// that has fixes, the lowest version that no record of these books calls affected, or the one that leaves least. Each candidate is
// judged by the same rules as the component itself, so that a fix that has a hole of its own is passed over.
//
// Packages built from one source move together. Best moves come first; those of one package stand together.
func Advise(ctx context.Context, inv *biopsy.Inventory, findings []biopsy.Finding, books []Book, o Options) ([]biopsy.Advice, error) {
	m := newWorld(inv, books, &o).matcher()
	var out [][]biopsy.Advice
	for _, p := range packages(inv, findings) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		moves, err := m.moves(p)
		if err != nil {
			return nil, fmt.Errorf("advise on %s: %w", p.name, err)
		}
		if len(moves) > 0 {
			out = append(out, moves)
		}
	}
	slices.SortStableFunc(out, func(a, b []biopsy.Advice) int {
		return cmp.Or(cmp.Compare(b[0].Gone, a[0].Gone), cmp.Compare(a[0].Name, b[0].Name), cmp.Compare(a[0].From, b[0].From))
	})
	return slices.Concat(out...), nil
}

// moved is a package that moves as one, and its findings.
type moved struct {
	name     string
	parts    []*biopsy.Component
	findings []*biopsy.Finding // yes, most urgent first
}

// packages gathers the components with yes findings by what they were built from.
func packages(inv *biopsy.Inventory, findings []biopsy.Finding) []*moved {
	yes := map[string][]*biopsy.Finding{}
	for i := range findings {
		if f := &findings[i]; f.Answer == biopsy.Yes && f.Subject == "vulnerability" {
			yes[f.Component] = append(yes[f.Component], f)
		}
	}
	byKey := map[string]*moved{}
	var out []*moved
	for i := range inv.Components {
		c := &inv.Components[i]
		if len(yes[c.ID]) == 0 {
			continue
		}
		name, version := c.Name, c.Version
		if isDistribution(c.Eco) || c.Source != nil {
			name, version = sourceOf(c)
		}
		key := strings.Join([]string{c.Eco, c.Namespace, name, version, distroOf(c)}, "\x00")
		p := byKey[key]
		if p == nil {
			p = &moved{name: name}
			byKey[key] = p
			out = append(out, p)
		}
		p.parts = append(p.parts, c)
		p.findings = append(p.findings, yes[c.ID]...)
	}
	for _, p := range out {
		slices.SortFunc(p.findings, func(a, b *biopsy.Finding) int { return a.Urgency(b) })
	}
	return out
}

// question is an ask of one component, for a package of several.
type question struct {
	of int // index in parts
	ask
}

// maxBranches bounds the branches that are tried for one package.
const maxBranches = 8

// maxSteps bounds how often a candidate is raised within its branch.
const maxSteps = 12

// moves tries every branch that has fixes.
func (m *matcher) moves(p *moved) ([]biopsy.Advice, error) {
	qs, scheme, err := m.questions(p)
	if err != nil || len(qs) == 0 {
		return nil, err
	}
	now, err := m.verdicts(qs, "")
	if err != nil {
		return nil, err
	}
	t := trial{m: m, p: p, qs: qs, scheme: scheme, from: qs[0].version, now: now, out: notOpen(p, now)}
	t.forget(now)
	var out []biopsy.Advice
	for _, branch := range t.branches() {
		a, ok, err := t.in(branch)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, a)
		}
	}
	return inOrderOfWorth(out, scheme), nil
}

// questions are the asks that follow one numbering: that of the distribution, of the language, or of the makers. Asks by other numbers, of
// another purl of the same bytes, do not move along.
func (m *matcher) questions(p *moved) (qs []question, scheme string, err error) {
	for i, c := range p.parts {
		asks, err := m.asks(c)
		if err != nil {
			return nil, "", err
		}
		for _, a := range asks {
			if a.undecided != "" || a.version == "" || strings.HasPrefix(a.soften, mayBePatched) {
				continue
			}
			if scheme == "" {
				scheme = a.ecosystem
			}
			if a.version != qs0(qs, a.version) || family(a.ecosystem) != family(scheme) {
				continue
			}
			qs = append(qs, question{i, a})
		}
	}
	return qs, scheme, nil
}

// qs0 is the version of the first question, which all follow.
func qs0(qs []question, own string) string {
	if len(qs) == 0 {
		return own
	}
	return qs[0].version
}

// family joins ecosystems that number alike.
func family(ecosystem string) string {
	switch ecosystem {
	case upstreamEcosystem, "CPE", "Linux", "GIT", "Product":
		return upstreamEcosystem
	}
	return ecosystem
}

// verdict is what is known of one hole of one part at one version.
type verdict struct {
	answer biopsy.Answer
	fixed  []string
}

// hurt is one hole of one part.
type hurt struct {
	of   int
	hole string
}

// verdicts answers all questions for a version; "" asks for each one's own.
func (m *matcher) verdicts(qs []question, version string) (map[hurt]verdict, error) {
	out := map[hurt]verdict{}
	for from := 0; from < len(qs); {
		to := from + 1
		for to < len(qs) && qs[to].of == qs[from].of {
			to++
		}
		var all []opinion
		for i := from; i < to; i++ {
			a := qs[i].ask
			if version != "" {
				a.version = version
				if a.subject != nil {
					a.subject = a.subject.at(version)
				}
			}
			ops, err := m.opinions(&a)
			if err != nil {
				return nil, err
			}
			all = append(all, ops...)
		}
		for _, g := range fold(all) {
			records := g.records()
			out[hurt{qs[from].of, g.subject()}] = verdict{records[0].answer, fixes(records)}
		}
		from = to
	}
	return out, nil
}

// at is the same component at another version.
func (t *traits) at(version string) *traits {
	u := *t
	u.setVersion(version)
	return &u
}

// trial is one package whose versions are tried.
type trial struct {
	m      *matcher
	p      *moved
	qs     []question
	scheme string
	from   string
	now    map[hurt]verdict
	out    []hurt // yes by its version, and ruled out by what is in the image
}

// notOpen are the holes that a version has and no finding says yes to.
func notOpen(p *moved, now map[hurt]verdict) []hurt {
	open, part := map[hurt]bool{}, map[string]int{}
	for i, c := range p.parts {
		part[c.ID] = i
	}
	for _, f := range p.findings {
		open[hurt{part[f.Component], f.Advisory}] = true
	}
	var out []hurt
	for key, v := range now {
		if v.answer == biopsy.Yes && !open[key] {
			out = append(out, key)
		}
	}
	return out
}

// forget takes what is ruled out from a state.
func (t *trial) forget(state map[hurt]verdict) {
	for _, key := range t.out {
		delete(state, key)
	}
}

// branches are those of the fixes above the version at hand, lowest first; its own, then the highest when there are too many.
func (t *trial) branches() []string {
	lowest := map[string]string{}
	for _, v := range t.now {
		if v.answer != biopsy.Yes {
			continue
		}
		for _, f := range v.fixed {
			b := branchOf(t.scheme, f)
			if have, ok := lowest[b]; !ok || t.less(f, have) {
				lowest[b] = f
			}
		}
	}
	out := make([]string, 0, len(lowest))
	for b := range lowest {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b string) int {
		if c, err := eco.Compare(t.scheme, lowest[a], lowest[b]); err == nil && c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	if len(out) > maxBranches {
		out = append(out[:1:1], out[len(out)-maxBranches+1:]...)
	}
	return out
}

// less compares two fixes; what cannot be compared is not less.
func (t *trial) less(a, b string) bool {
	c, err := eco.Compare(t.scheme, a, b)
	return err == nil && c < 0
}

// in finds the lowest version of a branch that leaves no hole which the branch mends.
func (t *trial) in(branch string) (biopsy.Advice, bool, error) {
	to := t.above(branch, "", t.now)
	if to == "" {
		return biopsy.Advice{}, false, nil
	}
	var then map[hurt]verdict
	for range maxSteps {
		var err error
		if then, err = t.m.verdicts(t.qs, to); err != nil {
			return biopsy.Advice{}, false, err
		}
		t.forget(then)
		higher := t.above(branch, to, then)
		if higher == "" {
			break
		}
		to = higher
	}
	a := t.advice(branch, to, then)
	return a, len(a.Clears) > 0, nil
}

// above returns the least version of the branch that mends every hole of a state which the branch mends above a version; "" when there is none
// such.
func (t *trial) above(branch, version string, state map[hurt]verdict) string {
	to := ""
	for _, v := range state {
		if v.answer != biopsy.Yes {
			continue
		}
		nearest := ""
		for _, f := range v.fixed {
			if branchOf(t.scheme, f) == branch && (version == "" || t.less(version, f)) && (nearest == "" || t.less(f, nearest)) {
				nearest = f
			}
		}
		if nearest != "" && (to == "" || t.less(to, nearest) || !t.less(nearest, to) && nearest > to) {
			to = nearest
		}
	}
	return to
}

func (t *trial) advice(branch, to string, then map[hurt]verdict) biopsy.Advice {
	c := t.p.parts[0]
	a := biopsy.Advice{Name: t.p.name, Eco: c.Eco, Rule: t.scheme, From: t.from, To: to, Branch: branch}
	if s := t.qs[0].suffix; s != "" {
		a.Rule += ":" + s
	}
	if c.Namespace != "" && !isDistribution(c.Eco) {
		a.Name = c.Namespace + "/" + c.Name
	}
	part := map[string]int{}
	for i, c := range t.p.parts {
		part[c.ID] = i
		a.Components = append(a.Components, c.ID)
	}
	slices.Sort(a.Components)
	goes, stays := map[string]bool{}, map[string]bool{}
	for _, f := range t.p.findings {
		key := hurt{part[f.Component], f.Advisory}
		after, spoken := then[key]
		if t.now[key].answer == biopsy.Yes && (!spoken || after.answer == biopsy.No) {
			a.Clears, goes[f.Advisory] = append(a.Clears, f.ID), true
		} else {
			a.Leaves, stays[f.Advisory] = append(a.Leaves, f.ID), true
		}
	}
	a.Clears, a.Leaves, a.Gone, a.Stay = unique(a.Clears), unique(a.Leaves), len(goes), len(stays)
	for key, v := range then {
		if v.answer == biopsy.Yes && t.now[key].answer != biopsy.Yes {
			a.Brings = append(a.Brings, key.hole)
		}
	}
	slices.Sort(a.Brings)
	a.Brings = slices.Compact(a.Brings)
	a.Because = t.words(&a)
	return a
}

// words says what a move does.
func (t *trial) words(a *biopsy.Advice) string {
	where := "version"
	if a.Branch != "" {
		where = "version of branch " + a.Branch
	}
	s := fmt.Sprintf("the lowest %s in the numbering of %s that mends what can be mended there: %d of %d vulnerabilities go", where, a.Rule, a.Gone, a.Gone+a.Stay)
	if n := len(a.Brings); n > 0 {
		s += fmt.Sprintf(", %d come", n)
	}
	return s
}

// inOrderOfWorth marks the nearest of the moves that clear most on balance and puts it first.
func inOrderOfWorth(moves []biopsy.Advice, scheme string) []biopsy.Advice {
	if len(moves) == 0 {
		return nil
	}
	worth := func(a *biopsy.Advice) int { return a.Gone - len(a.Brings) }
	best := 0
	for i := range moves {
		if worth(&moves[i]) > worth(&moves[best]) {
			best = i
		}
	}
	moves[best].Best = true
	slices.SortStableFunc(moves, func(a, b biopsy.Advice) int {
		if a.Best != b.Best {
			if a.Best {
				return -1
			}
			return 1
		}
		c, err := eco.Compare(scheme, a.To, b.To)
		if err != nil {
			return cmp.Compare(a.To, b.To)
		}
		return c
	})
	return moves
}

// branchOf is the common beginning of the versions that are mended side by side: the release of a distribution is one branch; a language's
// packages keep what others rely on within a major version (a minor one before 1.0); makers of C and C++ software keep branches of two
// numbers, or three where letters count the fixes ("1.0.2zg"). Years are no branches.
func branchOf(ecosystem, version string) string {
	v := strings.TrimPrefix(strings.ToLower(version), "v")
	switch {
	case family(ecosystem) == upstreamEcosystem:
		return makersBranch(v)
	case eco.IsDistribution(ecosystem):
		return ""
	}
	numbers := leading(v, 2)
	if len(numbers) == 2 && numbers[0] == "0" {
		return strings.Join(numbers, ".")
	}
	if len(numbers) == 0 {
		return ""
	}
	return numbers[0]
}

func makersBranch(v string) string {
	numbers := leading(v, 4)
	switch {
	case len(numbers) < 2 || len(numbers[0]) >= 4:
		return ""
	case len(numbers) == 3 && lettered(v, numbers):
		return strings.Join(numbers, ".")
	}
	return strings.Join(numbers[:2], ".")
}

// lettered says whether one or two letters stand behind the numbers of a version.
func lettered(v string, numbers []string) bool {
	tail := v[len(strings.Join(numbers, ".")):]
	return tail != "" && len(tail) <= 2 && strings.Trim(tail, "abcdefghijklmnopqrstuvwxyz") == ""
}

// leading returns up to most numbers at the beginning of a version.
func leading(v string, most int) []string {
	var out []string
	for len(out) < most {
		n := len(v) - len(strings.TrimLeft(v, "0123456789"))
		if n == 0 {
			break
		}
		out = append(out, v[:n])
		if v = v[n:]; v == "" || v[0] != '.' {
			break
		}
		v = v[1:]
	}
	return out
}
