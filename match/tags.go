package match

import (
	"fmt"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// tagRule asks by repository: records that name commits list the tags that hold them, and a tag names a version.
var tagRule = Rule{
	Name: "git-tag",
	Says: "the version is that of a tag which a record of the component's repository lists",
	asks: func(c *biopsy.Component, w *world) ([]ask, error) {
		if !builtFromUpstream(c.Eco) || isDistribution(c.Eco) || c.Eco == "" && notSoftware(c.Kind) {
			return nil, nil
		}
		_, version := sourceOf(c)
		a := ask{rank: rankListed, ecosystem: "GIT", version: upstreamVersion(c.Eco, version), note: patchesUnseen}
		if w.shipped[c.ID] {
			a.soften = shippedIn
		}
		repos, err := w.repositories(c)
		if err != nil {
			return nil, err
		}
		var out []ask
		for _, r := range repos {
			if a.name, a.known = r, ""; r != repoOf(c) {
				a.known = r + " is its repository by the curated list of names"
			}
			out = append(out, a)
		}
		return out, nil
	},
}

// repositories are the component's own and those that synonyms of its curated name know.
func (w *world) repositories(c *biopsy.Component) ([]string, error) {
	var out []string
	if r := repoOf(c); strings.Contains(r, "/") {
		out = append(out, r)
	}
	source, _ := sourceOf(c)
	known := []string{source, c.Name}
	if len(out) > 0 && (c.Eco == "github" || c.Eco == "gitlab" || c.Eco == "bitbucket") {
		return out, nil
	}
	canonical := canonicalName(c, known, w.o)
	if canonical == "" {
		return out, nil
	}
	all, err := w.synonyms(purlOf("generic", "", canonical))
	if err != nil {
		return nil, err
	}
	for i := range all {
		if same := all[i].Same; !strings.HasPrefix(same, "pkg:") && !strings.HasPrefix(same, "cpe:") && (all[i].Source == "builtin" || all[i].Records == 0) {
			out = append(out, same)
		}
	}
	return unique(out), nil
}

// byTags decides an entry that lists tags. A version whose tag is listed is affected; one that is not is safe if it can be held against
// the tags at all, since the list holds every tag that has the hole.
func (a *ask) byTags(op *opinion) {
	list := op.entry.Affected.Versions
	if hasVersions(op.entry.Affected.Ranges) {
		a.byVersions(op)
		return
	}
	op.rule = "git-tag"
	if len(list) == 0 {
		op.rule, op.text = "git-range", "the record names commits only, which a version does not tell apart"
		return
	}
	version := a.version
	if v := eco.TagVersion(version); v != "" {
		version = v
	}
	if err := eco.Valid("Upstream", version); err != nil {
		op.rule, op.text = "unparsable-version", err.Error()
		return
	}
	readable := 0
	for _, tag := range list {
		v := eco.TagVersion(tag)
		if v == "" {
			continue
		}
		c, err := eco.Compare("Upstream", version, v)
		if err != nil {
			continue // a tag that is no version says nothing of one
		}
		readable++
		if c == 0 {
			op.answer, op.text = biopsy.Yes, a.version+" is tag "+tag+", which the record lists as affected"
			return
		}
	}
	if readable*2 < len(list) {
		op.text = fmt.Sprintf("only %d of the record's %d tags name versions, and %s is not among them", readable, len(list), a.version)
		return
	}
	op.answer, op.text = biopsy.No, fmt.Sprintf("%s is not among the %d tags that the record lists as affected", a.version, len(list))
}

// hasVersions says whether some range is of versions and not of commits.
func hasVersions(rs []biopsy.Range) bool {
	return slices.ContainsFunc(rs, func(r biopsy.Range) bool { return r.Type != "GIT" })
}

// isDate knows "20230311", to which makers add a letter.
func isDate(v string) bool {
	return len(v) == 8 && (v[:2] == "19" || v[:2] == "20") && strings.Trim(v, "0123456789") == ""
}

// looksLikeCommit says whether a version is the beginning of a commit's hash.
func looksLikeCommit(v string) bool {
	if len(v) < 7 || len(v) > 64 || isDate(v[:len(v)-1]) {
		return false
	}
	letters := false
	for i := 0; i < len(v); i++ {
		switch c := v[i] | 0x20; {
		case 'a' <= c && c <= 'f':
			letters = true
		case v[i] < '0' || v[i] > '9':
			return false
		}
	}
	return letters
}
