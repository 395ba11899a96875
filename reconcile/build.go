package reconcile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// draft is a component while its evidence gathers.
type draft struct {
	key      string
	evidence []biopsy.Evidence
	aliases  []string
	unowned  bool
	gone     bool // folded into another draft, or only in older layers
	id       string
}

// first is the evidence that speaks for the draft: the most telling one.
func (d *draft) first() *biopsy.Evidence { return &d.evidence[0] }

type builder struct {
	art    biopsy.Artifact
	trees  trees
	byKey  map[string]*draft
	drafts []*draft // in order of first evidence
}

func (b *builder) add(e biopsy.Evidence) {
	k := key(e)
	d := b.byKey[k]
	if d == nil {
		d = &draft{key: k}
		b.byKey[k] = d
		b.drafts = append(b.drafts, d)
	}
	d.evidence = append(d.evidence, e)
}

// key is what makes two claims speak about one thing. A program is itself by its bytes, or, where they were not hashed, by its place.
func key(e biopsy.Evidence) string {
	c := e.Claim
	if c.Purl != "" {
		return "purl\x00" + c.Purl
	}
	last := ""
	if c.Kind == biopsy.FileKind {
		if e.Digest != "" {
			return "bytes\x00" + e.Digest // links and copies are one program in several places
		}
		last = e.Place.Path
	}
	return strings.Join([]string{string(c.Kind), c.Eco, c.Namespace, c.Name, c.Version, c.Arch, last}, "\x00")
}

// scoped is a component name inside one tree of files: what a look-up by name may see. A distribution's packages see those of their
// own root only.
type scoped struct {
	in, root, eco, namespace, name string
}

func scopeOf(c biopsy.Claim, p biopsy.Place) scoped {
	in, _ := biopsy.Split(p.Path)
	root := ""
	if distroEcos[c.Eco] {
		root = c.Extra["root"]
	}
	return scoped{in, root, c.Eco, c.Namespace, c.Name}
}

// byName indexes the drafts by the trees they are seen in.
func (b *builder) byName() map[scoped][]*draft {
	names := map[scoped][]*draft{}
	for _, d := range b.drafts {
		for _, e := range d.evidence {
			s := scopeOf(e.Claim, e.Place)
			if l := names[s]; len(l) == 0 || l[len(l)-1] != d {
				names[s] = append(l, d)
			}
		}
	}
	return names
}

// addLoose joins claims without a version to the versions that were found, or to the one that is managed for their name, or lets
// them stand alone.
func (b *builder) addLoose(loose, about []biopsy.Evidence) {
	if len(loose) == 0 {
		return
	}
	names, managed := b.byName(), managedVersions(about)
	for _, e := range loose {
		s := scopeOf(e.Claim, e.Place)
		found := names[s]
		if m := nearestManaged(managed[s], e.Place); m != nil && !slices.ContainsFunc(found, (*draft).resolved) {
			found = []*draft{b.bring(*m)}
		}
		if len(found) == 0 {
			b.add(e)
		}
		for _, d := range found {
			d.evidence = append(d.evidence, e)
		}
	}
}

// resolved tells that some evidence is stronger than a wish.
func (d *draft) resolved() bool {
	return slices.ContainsFunc(d.evidence, func(e biopsy.Evidence) bool { return stateRank(e.Claim.State) > stateRank(biopsy.Declared) })
}

// managedVersions are the claims that say which version of a name is used, should something ask for it.
func managedVersions(about []biopsy.Evidence) map[scoped][]biopsy.Evidence {
	managed := map[scoped][]biopsy.Evidence{}
	for _, e := range about {
		if e.Claim.Version != "" && e.Claim.State == biopsy.Declared {
			s := scopeOf(e.Claim, e.Place)
			managed[s] = append(managed[s], e)
		}
	}
	return managed
}

// nearestManaged returns the claim whose file is nearest to p; nil when there is none, or several as near disagree.
func nearestManaged(all []biopsy.Evidence, p biopsy.Place) *biopsy.Evidence {
	var best *biopsy.Evidence
	least, tie := 0, false
	for i := range all {
		n := distance(p.Path, all[i].Place.Path)
		switch {
		case best == nil || n < least:
			best, least, tie = &all[i], n, false
		case n == least && all[i].Claim.Version != best.Claim.Version:
			tie = true
		}
	}
	if tie {
		return nil
	}
	return best
}

// bring makes a managed version a component, once.
func (b *builder) bring(e biopsy.Evidence) *draft {
	e.Claim.About = false
	d := b.byKey[key(e)]
	if d == nil || !slices.ContainsFunc(d.evidence, func(have biopsy.Evidence) bool { return order(have, e) == 0 }) {
		b.add(e)
	}
	return b.byKey[key(e)]
}

// addAbout hands file lists and copyright files to the packages they are about.
func (b *builder) addAbout(about []biopsy.Evidence) {
	if len(about) == 0 {
		return
	}
	names := b.byName()
	for _, e := range about {
		c := e.Claim
		for _, d := range names[scopeOf(c, e.Place)] {
			f := d.first().Claim
			fits := (c.Arch == "" || c.Arch == f.Arch) && (c.Version == "" || c.Version == f.Version) && f.Extra["root"] == c.Extra["root"]
			if fits && !slices.ContainsFunc(d.evidence, func(have biopsy.Evidence) bool { return order(have, e) == 0 }) {
				d.evidence = append(d.evidence, e)
			}
		}
	}
}

// stateRank orders states from weakest to strongest.
func stateRank(s biopsy.State) int {
	return slices.Index([]biopsy.State{"", biopsy.Declared, biopsy.Locked, biopsy.Embedded, biopsy.Installed}, s)
}

// components closes the drafts: evidence sorted by how much it tells, fields merged, history dropped.
func (b *builder) components() []biopsy.Component {
	var out []biopsy.Component
	for _, d := range b.drafts {
		if !d.gone {
			out = append(out, b.merge(d))
		}
	}
	slices.SortFunc(out, func(x, y biopsy.Component) int { return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.Name, y.Name)) })
	return out
}

// settle sorts a draft's evidence, decides whether it is there at all, and gives it its id.
func (b *builder) settle(d *draft) {
	slices.SortStableFunc(d.evidence, func(x, y biopsy.Evidence) int {
		return cmp.Or(boolCompare(x.Shadowed, y.Shadowed), boolCompare(x.Claim.About, y.Claim.About),
			boolCompare(x.Claim.Version == "", y.Claim.Version == ""), cmp.Compare(y.Confidence, x.Confidence),
			cmp.Compare(stateRank(y.Claim.State), stateRank(x.Claim.State)), order(x, y))
	})
	d.gone = d.gone || d.first().Shadowed
	e := d.first()
	c := biopsy.Component{Kind: e.Claim.Kind, Namespace: e.Claim.Namespace, Name: e.Claim.Name, Version: e.Claim.Version, Purl: e.Claim.Purl}
	if c.Purl == "" && c.Kind == biopsy.FileKind {
		c.Hashes = []biopsy.Hash{{Alg: "SHA-256", Value: e.Digest}}
		if e.Digest == "" {
			c.Hashes[0].Value = e.Place.Path
		}
	}
	d.id = biopsy.ComponentID(&c)
}

func boolCompare(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return 1
	}
	return -1
}
