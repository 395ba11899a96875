package match

import (
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy/refdb"
)

// notAHole says whether an entry is a notice of mended bugs or new features: the Red Hat family publishes those among the security
// notices. One that names a CVE counts.
func notAHole(e *refdb.Entry) bool {
	if len(e.ID) < 5 || e.ID[4] != '-' {
		return false
	}
	switch e.ID[:4] {
	case "ALBA", "ALEA", "RLBA", "RLEA", "RHBA", "RHEA":
		return !slices.ContainsFunc(e.Aliases, isCVE) && !slices.ContainsFunc(e.Upstream, isCVE)
	}
	return false
}

func isCVE(id string) bool { return strings.HasPrefix(id, "CVE-") }

// hole returns the id that stands for a vulnerability: distributions wrap a CVE in an id of their own ("DEBIAN-CVE-2024-1").
func hole(id string) string {
	id, _, _ = strings.Cut(id, "/") // "DEBIAN-CVE-2024-1/openssl": one record for each package
	if i := strings.LastIndex(id, "CVE-"); i > 0 && id[i-1] == '-' && cveTail(id[i+4:]) {
		return id[i:]
	}
	return id
}

// cveTail says whether s is YYYY-N.
func cveTail(s string) bool {
	year, n, ok := strings.Cut(s, "-")
	if !ok || len(year) != 4 || n == "" {
		return false
	}
	return strings.Trim(year+n, "0123456789") == ""
}

// holesOf returns the holes a record speaks of, each with its names. One record is one hole by all its names, but a notice of a
// distribution ("DSA-1-1 mends CVE-1 and CVE-2") is as many as it names upstream.
func holesOf(e *refdb.Entry) [][]string {
	names := append([]string{hole(e.ID)}, mapped(e.Aliases)...)
	ups := mapped(e.Upstream)
	if len(ups) == 0 && isNotice(e) {
		if cves := filter(names, isCVE); len(cves) > 1 {
			ups = cves
		}
	}
	if own := hole(e.ID); isCVE(own) {
		return [][]string{names} // "UBUNTU-CVE-1" is about CVE-1 whatever it was derived from
	}
	if cves := filter(ups, isCVE); len(cves) > 0 {
		ups = cves
	}
	switch len(ups) {
	case 0:
		return [][]string{names}
	case 1:
		return [][]string{append(names, ups[0])}
	}
	out := make([][]string, len(ups))
	for i, u := range ups {
		out[i] = []string{u}
	}
	return out
}

// isNotice knows the notices of distributions, which older records list with their CVEs as aliases.
func isNotice(e *refdb.Entry) bool {
	prefix, _, _ := strings.Cut(e.ID, "-")
	switch prefix {
	case "DSA", "DLA", "DTSA", "USN", "LSN", "ALSA", "RLSA", "RXSA", "RHSA", "RHBA", "RHEA", "ALBA", "ALEA", "SUSE", "openSUSE", "MGASA", "OESA",
		"PHSA", "CGA", "ELSA":
		return true
	}
	return false
}

// mapped returns the sorted holes of ids.
func mapped(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = hole(id)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func filter(ids []string, keep func(string) bool) []string {
	var out []string
	for _, id := range ids {
		if keep(id) {
			out = append(out, id)
		}
	}
	return out
}

// group is all that was said of one hole.
type group struct {
	names    []string // sorted
	opinions []opinion
}

// fold brings together opinions whose records share a name, however long the chain.
func fold(all []opinion) []*group {
	u := union{at: map[string]int{}}
	roots := make([][]int, len(all))
	for i := range all {
		for _, names := range holesOf(all[i].entry) {
			root := u.node(names[0])
			for _, n := range names[1:] {
				u.join(root, u.node(n))
			}
			roots[i] = append(roots[i], root)
		}
	}
	groups := map[int]*group{}
	var out []*group
	for i := range all {
		var seen []int
		for _, r := range roots[i] {
			r = u.find(r)
			if slices.Contains(seen, r) {
				continue
			}
			seen = append(seen, r)
			g := groups[r]
			if g == nil {
				g = &group{}
				groups[r] = g
				out = append(out, g)
			}
			g.opinions = append(g.opinions, all[i])
		}
	}
	for name, i := range u.at {
		g := groups[u.find(i)]
		g.names = append(g.names, name)
	}
	for _, g := range out {
		slices.Sort(g.names)
	}
	return out
}

// union is a disjoint-set forest over names.
type union struct {
	at     map[string]int
	parent []int
}

func (u *union) node(name string) int {
	i, ok := u.at[name]
	if !ok {
		i = len(u.parent)
		u.at[name] = i
		u.parent = append(u.parent, i)
	}
	return i
}

func (u *union) find(i int) int {
	for u.parent[i] != i {
		u.parent[i] = u.parent[u.parent[i]]
		i = u.parent[i]
	}
	return i
}

func (u *union) join(a, b int) { u.parent[u.find(b)] = u.find(a) }

// subject is the name people use: the CVE, else the GHSA, else the first that is no wrapping of another ("ALPINE-ZBX-1" wraps "ZBX-1"). Of
// several CVEs the lowest.
func (g *group) subject() string {
	for _, prefix := range [...]string{"CVE-", "GHSA-"} {
		for _, n := range g.names {
			if strings.HasPrefix(n, prefix) {
				return n
			}
		}
	}
	for _, n := range g.names {
		if slices.ContainsFunc(g.names, func(other string) bool { return strings.HasSuffix(other, "-"+n) }) {
			return n
		}
	}
	return g.names[0]
}
