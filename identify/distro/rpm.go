package distro

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/identify/distro/rpmdb"
)

// RPM reads the database of installed packages of Fedora, Red Hat, SUSE and their relatives, in each of its three forms and places.
var RPM = biopsy.Extractor{
	Name:  "rpm",
	Basis: biopsy.Manifest,
	Names: []string{
		"lib/rpm/Packages", "lib/rpm/Packages.db", "lib/rpm/rpmdb.sqlite",
		"usr/lib/sysimage/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db", "usr/lib/sysimage/rpm/rpmdb.sqlite",
		"usr/share/rpm/Packages", "usr/share/rpm/Packages.db", "usr/share/rpm/rpmdb.sqlite",
	},
	History: true,
	Extract: rpmPackages,
}

// RPMLog sees that changes wait in a write-ahead log beside a database, which the reader of that one file cannot know.
var RPMLog = biopsy.Extractor{
	Name:  "rpm-log",
	Basis: biopsy.Manifest,
	Names: []string{"lib/rpm/rpmdb.sqlite-wal", "usr/lib/sysimage/rpm/rpmdb.sqlite-wal", "usr/share/rpm/rpmdb.sqlite-wal"},
	Extract: func(_ context.Context, in biopsy.Input, _ func(biopsy.Evidence)) error {
		if in.Size() > 0 {
			in.Gap(biopsy.Gap{Place: in.Place(), Reader: "rpm-log", Size: in.Size(),
				Reason: "write-ahead log of the package database is not applied: packages changed last may be missing or out of date"})
		}
		return nil
	},
}

var rpmMarks = []string{"var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"}

// rpmPackage is one package before its needs are resolved.
type rpmPackage struct {
	claim    biopsy.Claim
	offset   int64
	requires []string
}

// rpmTree is what all packages of one database say together.
type rpmTree struct {
	root      string
	packages  []rpmPackage
	providers map[string][]string      // capability or path to names of packages
	asked     map[string][]biopsy.Path // required paths, and the spellings under which a package may list the file
}

func rpmPackages(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	t := rpmTree{root: rootOf(in.Path, rpmMarks...), providers: map[string][]string{}, asked: map[string][]biopsy.Path{}}
	err := rpmdb.Walk(in, in.Size(), func(offset int64, blob []byte) error {
		h, err := rpmdb.Parse(blob)
		if err != nil {
			return fmt.Errorf("header at offset %d: %w", offset, err)
		}
		if t.add(offset, h); len(t.packages) > maxPackages {
			return errMany
		}
		return ctx.Err()
	})
	t.findFiles()
	slices.SortStableFunc(t.packages, func(a, b rpmPackage) int {
		return cmp.Or(cmp.Compare(a.claim.Name, b.claim.Name), cmp.Compare(a.claim.Version, b.claim.Version), cmp.Compare(a.claim.Arch, b.claim.Arch))
	})
	for _, p := range t.packages {
		p.claim.Needs = resolve(p.claim.Name, t.wanted(p), t.providers)
		e := evidence(in, "rpm", 0, p.claim)
		e.Place.Offset = p.offset
		emit(e)
	}
	return err
}

// add takes one package. Public keys of repositories are kept as packages by rpm, and are none.
func (t *rpmTree) add(offset int64, h rpmdb.Header) {
	name := h.String(rpmdb.Name)
	if name == "" || name == "gpg-pubkey" {
		return
	}
	p := rpmPackage{claim: rpmClaim(h), offset: offset}
	files := owned{root: t.root}
	h.Files(files.add)
	p.claim.Owns = files.paths
	setRoot(&p.claim, t.root)
	t.provide(name, name)
	h.Strings(rpmdb.ProvideName, func(_ int, s []byte) { t.provide(string(s), name) })
	h.Strings(rpmdb.RequireName, func(_ int, s []byte) {
		if w := string(s); !strings.HasPrefix(w, "rpmlib(") {
			p.requires = append(p.requires, w)
			t.ask(w)
		}
	})
	t.packages = append(t.packages, p)
}

// provide notes that a package provides a capability, each package once and no more than can be named.
func (t *rpmTree) provide(capability, name string) {
	by := t.providers[capability]
	if len(by) == 0 || (len(by) < maxAlternatives && by[len(by)-1] != name) {
		t.providers[capability] = append(by, name)
	}
}

// ask notes a required path, to find the package that owns the file.
func (t *rpmTree) ask(path string) {
	if path[:min(1, len(path))] != "/" || t.asked[path] != nil {
		return
	}
	o := owned{root: t.root}
	for _, s := range spellings(path) {
		o.add([]byte(s))
	}
	t.asked[path] = o.paths
}

// spellings are the names one file has before and after /usr was merged.
func spellings(path string) []string {
	return []string{path, "/usr" + path, strings.TrimPrefix(path, "/usr")}
}

// findFiles makes owners of required files providers of their paths. One that is provided by name stays with its provider.
func (t *rpmTree) findFiles() {
	owners := map[biopsy.Path]string{}
	for _, paths := range t.asked {
		for _, p := range paths {
			owners[p] = ""
		}
	}
	for _, p := range t.packages {
		for _, f := range p.claim.Owns {
			if by, ok := owners[f]; ok && by == "" {
				owners[f] = p.claim.Name
			}
		}
	}
	found := map[string][]string{}
	for path, paths := range t.asked {
		if by := t.provider(path, paths, owners); len(t.providers[path]) == 0 && len(by) > 0 {
			found[path] = by
		}
	}
	maps.Copy(t.providers, found)
}

// provider returns who owns the file, or provides its path in another spelling; nothing when nobody does.
func (t *rpmTree) provider(path string, paths []biopsy.Path, owners map[biopsy.Path]string) []string {
	for _, p := range paths {
		if by := owners[p]; by != "" {
			return []string{by}
		}
	}
	for _, s := range spellings(path) {
		if by := t.providers[s]; len(by) > 0 {
			return by
		}
	}
	return nil
}

func rpmClaim(h rpmdb.Header) biopsy.Claim {
	c := biopsy.Claim{
		Eco:         "rpm",
		Kind:        rpmKind(h.String(rpmdb.Group)),
		Name:        h.String(rpmdb.Name),
		Arch:        h.String(rpmdb.Arch),
		State:       biopsy.Installed,
		Supplier:    cmp.Or(h.String(rpmdb.Vendor), h.String(rpmdb.Packager)),
		Licenses:    declared(h.String(rpmdb.License)),
		Description: h.String(rpmdb.Summary),
		Homepage:    h.String(rpmdb.URL),
	}
	plain := h.String(rpmdb.Version) + "-" + h.String(rpmdb.Release)
	c.Version = plain
	if e := h.Int32s(rpmdb.Epoch); e.Len() > 0 {
		setEpoch(&c, fmt.Sprint(e.At(0)))
	}
	c.Source = rpmSource(h.String(rpmdb.SourceRPM), c.Name, plain)
	setExtra(&c, "rpm:modularity-label", h.String(rpmdb.ModularityLabel))
	setExtra(&c, "rpm:source-rpm", h.String(rpmdb.SourceRPM))
	setExtra(&c, "rpm:distribution", h.String(rpmdb.Distribution))
	setExtra(&c, "rpm:packager", h.String(rpmdb.Packager))
	return c
}

// setEpoch notes the epoch, "" for none, which stands in front of the version unless it is 0.
func setEpoch(c *biopsy.Claim, epoch string) {
	setExtra(c, "rpm:epoch", epoch)
	if epoch != "" && epoch != "0" {
		c.Version = epoch + ":" + c.Version
	}
}

// rpmKind knows the group that older distributions give their libraries.
func rpmKind(group string) biopsy.Kind {
	if strings.HasSuffix(group, "/Libraries") {
		return biopsy.Library
	}
	return ""
}

// rpmSource reads "openssl-3.0.7-16.el9.src.rpm"; nil when it says no more than the package's own name and version.
func rpmSource(file, name, version string) *biopsy.Upstream {
	s, ok := strings.CutSuffix(file, ".src.rpm")
	if !ok {
		s, ok = strings.CutSuffix(file, ".nosrc.rpm")
	}
	release := strings.LastIndexByte(s, '-')
	if !ok || release <= 0 {
		return nil
	}
	v := strings.LastIndexByte(s[:release], '-')
	if v <= 0 || (s[:v] == name && s[v+1:] == version) {
		return nil
	}
	return &biopsy.Upstream{Name: s[:v], Version: s[v+1:]}
}
