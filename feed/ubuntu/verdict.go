package ubuntu

import (
	"cmp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// kind is a status of the tracker.
type kind uint8

// The kinds. DNE ("does not exist" in the release) is none: there is nothing to say.
const (
	released    kind = iota // the version has the fix
	notAffected             // the release never was, or shipped with the fix
	needed                  // affected; active and in-progress, too
	pending                 // affected; the version with the fix is prepared
	deferred                // affected; the fix waits for something
	ignored                 // affected; nobody will fix it
	untriaged               // nobody has looked yet
)

// verdict is what the team says about a source package in one place.
type verdict struct {
	place
	pkg     string
	kind    kind
	version string // of released and pending; "" when none is given
	why     string // in the tracker's words: "ignored: end of life"
}

// packages turns verdicts into words, sorted. Where the release's own fixes have ended, what Ubuntu Pro says about the same package counts:
// it goes on from the same sources.
func packages(all []verdict) []biopsy.Affected {
	pro := map[place]map[string]*verdict{}
	for i := range all {
		if v := &all[i]; v.isESM() {
			release := place{codename: v.codename}
			if pro[release] == nil {
				pro[release] = map[string]*verdict{}
			}
			pro[release][v.pkg] = v
		}
	}
	var out []biopsy.Affected
	for i := range all {
		v := &all[i]
		var esm *verdict
		if v.channel == "" {
			esm = pro[v.place][v.pkg]
		}
		out = append(out, v.affected(esm))
	}
	slices.SortStableFunc(out, func(a, b biopsy.Affected) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Ecosystem, b.Ecosystem))
	})
	return out
}

// affected is one verdict in words; esm is Ubuntu Pro's on the same package, nil when there is none.
func (v *verdict) affected(esm *verdict) biopsy.Affected {
	af := biopsy.Affected{Ecosystem: v.ecosystem(), Name: v.pkg, Why: v.why}
	k, fixed := v.kind, v.version
	if esm != nil && (k == ignored || k == untriaged) {
		af.Why += "; " + esm.channel + ": " + esm.why
		switch {
		case esm.kind == notAffected || esm.kind == untriaged:
			k = esm.kind
		case k == untriaged && strings.HasPrefix(v.why, "ignored"):
			k = ignored
		case k == untriaged:
			k = needed
		}
	}
	if esm != nil && fixed == "" && (esm.kind == released || esm.kind == pending) {
		fixed = esm.version // whoever has it from Pro is not affected
	}
	switch {
	case k == notAffected:
		af.Status = biopsy.NotAffected
		return af
	case k == untriaged || k == released && fixed == "":
		af.Status = biopsy.Undetermined
		return af
	case k == deferred || k == ignored:
		af.Status = biopsy.WillNotFix
	case k == released:
		af.Why = ""
	}
	events := []biopsy.Event{{Introduced: "0"}}
	if fixed != "" {
		events = append(events, biopsy.Event{Fixed: fixed})
	}
	af.Ranges = []biopsy.Range{{Type: "ECOSYSTEM", Events: events}}
	return af
}

// isVersion tells a version in brackets from a remark: it begins with a digit and has no space.
func isVersion(s string) bool {
	return s != "" && s[0] >= '0' && s[0] <= '9' && !strings.ContainsAny(s, " \t,")
}
