package reconcile

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// relate makes edges of containment and needs. Everything that nothing contains hangs from the artifact.
func (b *builder) relate(index int, o *owners) []biopsy.Relation {
	var out []biopsy.Relation
	art := "artifact:" + strconv.Itoa(index)
	find := b.finder()
	for _, d := range b.drafts {
		if d.gone {
			continue
		}
		contained := false
		for i := range d.evidence {
			e := &d.evidence[i]
			if e.Shadowed {
				continue
			}
			if c := o.container(d, e); c != nil && !e.Claim.About {
				contained = true
				out = append(out, biopsy.Relation{From: c.id, To: d.id, Kind: biopsy.Contains})
			}
			for _, n := range e.Claim.Needs {
				for _, to := range find.need(e, n) {
					if to != d && !to.gone {
						out = append(out, biopsy.Relation{From: d.id, To: to.id, Kind: biopsy.DependsOn, Scope: n.Scope})
					}
				}
			}
		}
		if !contained {
			out = append(out, biopsy.Relation{From: art, To: d.id, Kind: biopsy.Contains})
		}
	}
	slices.SortFunc(out, func(x, y biopsy.Relation) int {
		return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.To, y.To), cmp.Compare(x.Scope, y.Scope))
	})
	return slices.CompactFunc(out, func(x, y biopsy.Relation) bool { return x.From == y.From && x.To == y.To && x.Kind == y.Kind })
}

// container returns the component that holds the evidence's bytes inside it; nil when it stands by itself.
func (o *owners) container(d *draft, e *biopsy.Evidence) *draft {
	usable := func(c *draft) bool { return c != nil && c != d && !c.gone }
	if e.Claim.State == biopsy.Embedded {
		if c := o.whole[e.Place.Path]; usable(c) {
			return c
		}
		if c := o.of(e.Place.Path); usable(c) {
			return c
		}
	}
	for in, _ := biopsy.Split(e.Place.Path); in != ""; in, _ = biopsy.Split(in) {
		if c := o.whole[in]; usable(c) {
			return c
		}
		if c := o.of(in); usable(c) {
			return c
		}
	}
	return nil
}

// finder looks components up for needs.
type finder struct {
	purls    map[string]*draft
	names    map[scoped][]*draft
	provides map[scoped][]*draft
	folders  map[string]*draft // folder of an installed package's metadata
}

func (b *builder) finder() *finder {
	f := &finder{purls: map[string]*draft{}, names: map[scoped][]*draft{}, provides: map[scoped][]*draft{}, folders: map[string]*draft{}}
	for _, d := range b.drafts {
		if d.gone {
			continue
		}
		for i := range d.evidence {
			f.index(d, &d.evidence[i])
		}
	}
	return f
}

func (f *finder) index(d *draft, e *biopsy.Evidence) {
	c := e.Claim
	if c.Purl != "" {
		f.purls[c.Purl] = d
	}
	s := scopeOf(c, e.Place)
	s.namespace = ""
	s.name = strings.TrimPrefix(c.Namespace+"/"+c.Name, "/")
	if distroEcos[c.Eco] {
		s.name = c.Name
	}
	f.names[s] = appendNew(f.names[s], d)
	for _, p := range strings.Split(c.Extra[c.Eco+":provides"], ",") {
		if s.name = strings.TrimSpace(p); s.name != "" {
			f.provides[s] = appendNew(f.provides[s], d)
		}
	}
	if c.State == biopsy.Installed && path.Base(e.Place.Path) == "package.json" {
		f.folders[path.Dir(e.Place.Path)] = d
	}
}

func appendNew(l []*draft, d *draft) []*draft {
	if len(l) > 0 && l[len(l)-1] == d {
		return l
	}
	return append(l, d)
}

// need returns the components that fulfil a need; none when the tree does not hold one.
func (f *finder) need(e *biopsy.Evidence, n biopsy.Need) []*draft {
	if n.Purl != "" {
		if d := f.purls[n.Purl]; d != nil {
			return []*draft{d}
		}
		return nil
	}
	if n.Path != "" {
		if d := f.nearest(e, n); d != nil {
			return []*draft{d}
		}
	}
	s := scopeOf(e.Claim, e.Place)
	s.namespace = ""
	for name := range strings.SplitSeq(n.Name, " | ") {
		s.name = strings.TrimSpace(name)
		arch := ""
		if s.eco == "deb" {
			s.name, arch, _ = strings.Cut(s.name, ":")
		}
		for _, l := range [][]*draft{f.names[s], f.provides[s]} {
			switch {
			case s.eco == "deb":
				l = debianArch(l, e.Claim, arch)
			case distroEcos[s.eco]:
				l = sameArch(l, e.Claim)
			default:
				l = closest(l, e.Place)
			}
			if len(l) > 0 {
				return l
			}
		}
	}
	return nil // none, or several versions and no way to tell which one is meant
}

// closest returns the one component whose evidence lies in the folder nearest to p: an environment's own package, the lock file beside
// the manifest. Nil when several are as near.
func closest(l []*draft, p biopsy.Place) []*draft {
	var best *draft
	least, tie := 0, false
	for _, d := range l {
		steps := -1
		for i := range d.evidence {
			if n := distance(p.Path, d.evidence[i].Place.Path); steps < 0 || n < steps {
				steps = n
			}
		}
		switch {
		case best == nil || steps < least:
			best, least, tie = d, steps, false
		case steps == least:
			tie = true
		}
	}
	if best == nil || tie {
		return nil
	}
	return []*draft{best}
}

// distance counts the folders that lie between two files on the way up from one and down to the other.
func distance(a, b string) int {
	common, i := 0, 0
	for ; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if a[i] == '/' {
			common = i + 1
		}
	}
	return strings.Count(a[common:], "/") + strings.Count(b[common:], "/")
}

// sameArch prefers the packages of the needing package's architecture.
func sameArch(l []*draft, c biopsy.Claim) []*draft {
	if c.Arch == "" || len(l) < 2 {
		return l
	}
	var fit []*draft
	for _, d := range l {
		if a := d.first().Claim.Arch; a == c.Arch || a == "all" || a == "noarch" {
			fit = append(fit, d)
		}
	}
	if len(fit) == 0 {
		return l
	}
	return fit
}

// debianArch returns the packages that may fulfil a need (Debian policy and wiki, Multiarch, as of dpkg 1.22): those of the needing
// package's architecture, those marked as foreign, which serve any, and those that the need asks for behind a colon: "any" is what
// a package may allow, and else it is the name of an architecture. A package without an architecture is served by all.
func debianArch(l []*draft, needing biopsy.Claim, asked string) []*draft {
	var fit []*draft
	for _, d := range l {
		c := &d.first().Claim
		multi := c.Extra["deb:multi-arch"]
		served := needing.Arch == "" || needing.Arch == "all" || c.Arch == needing.Arch || c.Arch == "all" || multi == "foreign"
		switch asked {
		case "":
		case "any":
			served = served || multi == "allowed"
		default:
			served = c.Arch == asked
		}
		if served {
			fit = append(fit, d)
		}
	}
	return sameArch(fit, needing)
}

// nearest resolves a name as Node does: node_modules of the package's own folder, then of each folder above it.
func (f *finder) nearest(e *biopsy.Evidence, n biopsy.Need) *draft {
	in, _ := biopsy.Split(e.Place.Path)
	for dir := n.Path; ; dir = path.Dir(dir) {
		if path.Base(dir) != "node_modules" {
			if d := f.folders[biopsy.Join(in, path.Join(dir, "node_modules", n.Name))]; d != nil {
				return d
			}
		}
		if dir == "." || dir == "/" || dir == "" {
			return nil
		}
	}
}
