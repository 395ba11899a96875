package match

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/cpe"
	"github.com/biopsy-sca/biopsy/refdb"
)

// world is what one run knows beside the component at hand. Nothing in it changes but the shelf, which locks itself.
type world struct {
	*shelf
	o     *Options
	reach map[string]biopsy.Exposure // Component.ID -> how far it can be reached; absent when nothing is known
	trees map[int]*tree              // by number of the artifact

	shipped map[string]bool // Component.ID of what is inside files of distribution packages
}

func newWorld(inv *biopsy.Inventory, books []Book, o *Options) *world {
	return &world{shelf: newShelf(books), o: o, reach: exposures(inv), trees: treesOf(inv), shipped: insidePackages(inv)}
}

func (w *world) matcher() *matcher { return &matcher{world: w, entries: map[pkg][]refdb.Entry{}} }

// insidePackages finds what distribution packages contain: built by the distribution like the package itself, so that its patches may be
// in it.
func insidePackages(inv *biopsy.Inventory) map[string]bool {
	packages := map[string]bool{}
	for i := range inv.Components {
		if isDistribution(inv.Components[i].Eco) {
			packages[inv.Components[i].ID] = true
		}
	}
	out := map[string]bool{}
	for i := range inv.Relations {
		if r := &inv.Relations[i]; r.Kind == biopsy.Contains && packages[r.From] {
			out[r.To] = true
		}
	}
	return out
}

// tree is what is known of the system that an artifact's components run on.
type tree struct {
	linux   bool            // it holds packages of a Linux distribution or a Linux kernel
	present map[string]bool // "vendor:product" of operating systems and of components that state a CPE
}

// systems are the CPE products of distributions, by the ID of os-release, from NVD's dictionary.
var systems = map[string]string{
	"debian": "debian:debian_linux", "ubuntu": "canonical:ubuntu_linux", "alpine": "alpinelinux:alpine_linux", "rhel": "redhat:enterprise_linux",
	"fedora": "fedoraproject:fedora", "centos": "centos:centos", "rocky": "rocky:rocky_linux", "almalinux": "almalinux:almalinux", "sles": "suse:linux_enterprise_server",
	"opensuse-leap": "opensuse:leap", "ol": "oracle:linux", "amzn": "amazon:linux_2", "arch": "archlinux:arch_linux", "openwrt": "openwrt:openwrt",
}

func treesOf(inv *biopsy.Inventory) map[int]*tree {
	out := map[int]*tree{}
	for i := range inv.Components {
		c := &inv.Components[i]
		t := out[artifactOf(c)]
		if t == nil {
			t = &tree{present: map[string]bool{}}
			out[artifactOf(c)] = t
		}
		if isDistribution(c.Eco) || c.Eco == "opkg" || isKernel(c) {
			t.linux = true
		}
		if s := systems[distroID(c)]; s != "" && c.Distro != "" {
			t.present[s] = true
		}
		for _, text := range c.CPEs {
			if n, err := cpe.Parse(text); err == nil { // what is no CPE name says nothing of the system
				t.present[n.Key()] = true
			}
		}
	}
	return out
}

func isKernel(c *biopsy.Component) bool {
	name := strings.ToLower(c.Name)
	return (c.Eco == "" || c.Eco == "generic") && (name == "linux" || name == "linux_kernel" || name == "linux-kernel")
}

// artifactOf is the artifact whose bytes showed a component first; 0 when no evidence does.
func artifactOf(c *biopsy.Component) int {
	if len(c.Evidence) == 0 {
		return 0
	}
	return c.Evidence[0].Place.Artifact
}

// exposures walks the needs from what nothing needs. A component that something needs is as deep as its nearest path; what no need leads to
// and that needs nothing has no depth, since no graph was seen.
func exposures(inv *biopsy.Inventory) map[string]biopsy.Exposure {
	needs, needed := map[string][]string{}, map[string]bool{}
	for i := range inv.Relations {
		r := &inv.Relations[i]
		if r.Kind != biopsy.DependsOn {
			continue
		}
		needs[r.From] = append(needs[r.From], r.To)
		if !strings.HasPrefix(r.From, "artifact:") {
			needed[r.To] = true
		}
	}
	depth := map[string]int{}
	var now []string
	for i := range inv.Components {
		if id := inv.Components[i].ID; !needed[id] && len(needs[id]) > 0 {
			depth[id] = 1
			now = append(now, id)
		}
	}
	for d := 2; len(now) > 0; d++ {
		var next []string
		for _, id := range now {
			for _, to := range needs[id] {
				if depth[to] == 0 {
					depth[to] = d
					next = append(next, to)
				}
			}
		}
		now = next
	}
	out := map[string]biopsy.Exposure{}
	for i := range inv.Components {
		c := &inv.Components[i]
		if e := (biopsy.Exposure{Scope: c.Scope, Depth: depth[c.ID]}); e != (biopsy.Exposure{}) {
			out[c.ID] = e
		}
	}
	return out
}

// purlOf is the name of a package without version, as synonyms spell it.
func purlOf(typ, namespace, name string) string { return eco.Purl(typ, namespace, name, "") }
