package reconcile

import (
	"cmp"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// distroEcos are the purl types whose packages belong to a distribution.
var distroEcos = map[string]bool{"deb": true, "rpm": true, "apk": true, "opkg": true, "alpm": true, "ebuild": true}

// root is one file tree with its own package database: descents, and the folder inside them.
type root struct{ in, dir string }

// release is what os-release says of a root.
type release struct {
	id, version, codename string
	rank                  int // how well the file knows: see releaseRank
}

// trees knows the distribution of every root.
type trees map[root]release

// readTrees collects what the files say that tell a root's distribution.
func readTrees(evidence []biopsy.Evidence) trees {
	ts := trees{}
	for _, e := range evidence {
		if e.Claim.Kind != biopsy.OperatingSystem || e.Shadowed {
			continue
		}
		r, rank := rootOf(e.Claim, e.Place), releaseRank(e)
		x := e.Claim.Extra
		if have, known := ts[r]; !known || rank > have.rank {
			ts[r] = release{id: cmp.Or(x["os:id"], e.Claim.Name), version: x["os:version_id"], codename: x["os:codename"], rank: rank}
		}
	}
	return ts
}

// releaseRank orders them: etc/os-release, then usr/lib/os-release, then the older files that only add to it.
func releaseRank(e biopsy.Evidence) int {
	switch {
	case e.Claim.About:
		return 0
	case strings.HasSuffix(e.Place.Path, "etc/os-release"):
		return 2
	}
	return 1
}

// onlyLegacy tells an older file's claim in a root where no os-release speaks: it makes the component itself.
func (ts trees) onlyLegacy(e biopsy.Evidence) bool {
	return e.Claim.Kind == biopsy.OperatingSystem && ts[rootOf(e.Claim, e.Place)].rank == 0
}

func rootOf(c biopsy.Claim, p biopsy.Place) root {
	in, _ := biopsy.Split(p.Path)
	return root{in, strings.Trim(c.Extra["root"], "/")}
}

// name completes a distribution package's claim with namespace, distribution and purl.
func (ts trees) name(c *biopsy.Claim, p biopsy.Place) {
	if !distroEcos[c.Eco] || c.Purl != "" {
		return
	}
	rel := ts[rootOf(*c, p)]
	if c.Namespace == "" {
		c.Namespace = rel.id
	}
	if c.Distro == "" && rel.id != "" {
		c.Distro = strings.TrimSuffix(rel.id+"-"+rel.version, "-")
	}
	if c.Version == "" {
		return
	}
	version, epoch := c.Version, ""
	if c.Eco == "rpm" {
		if e, v, ok := strings.Cut(version, ":"); ok {
			epoch, version = e, v
		}
	}
	upstream := ""
	if c.Source != nil && c.Source.Name != c.Name {
		upstream = c.Source.Name
		if c.Source.Version != "" && c.Source.Version != c.Version {
			upstream += "@" + c.Source.Version
		}
	}
	c.Purl = eco.Purl(c.Eco, c.Namespace, c.Name, version, "arch", c.Arch, "distro", c.Distro, "epoch", epoch, "upstream", upstream)
}
