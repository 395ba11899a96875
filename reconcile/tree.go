package reconcile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// distroEcos are the purl types whose packages belong to a distribution.
var distroEcos = map[string]bool{"deb": true, "rpm": true, "apk": true, "opkg": true, "alpm": true, "ebuild": true}

// root is one file tree with its own package database: descents, and the folder inside them.
type root struct{ in, dir string }

// release is what os-release says of a root.
type release struct{ id, version, codename string }

// trees knows the distribution of every root.
type trees map[root]release

// readTrees collects the os-release claims. usr/lib/os-release counts only where etc/os-release says nothing.
func readTrees(evidence []biopsy.Evidence) trees {
	ts := trees{}
	for _, e := range evidence {
		if e.Claim.Kind != biopsy.OperatingSystem || e.Shadowed {
			continue
		}
		r := rootOf(e.Claim, e.Place)
		x := e.Claim.Extra
		id := x["os:id"]
		if id == "" {
			id = e.Claim.Name
		}
		if _, known := ts[r]; !known || strings.HasSuffix(e.Place.Path, "etc/os-release") {
			ts[r] = release{id: id, version: x["os:version_id"], codename: x["os:codename"]}
		}
	}
	return ts
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
