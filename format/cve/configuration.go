package cve

import (
	"slices"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/cpe"
)

// Configuration is one way in which software is open to a hole, as NVD 2.0 ("configurations") and CVE 5.1 ("cpeApplicability") write
// it: nodes joined by AND, or by OR when Operator is "".
type Configuration struct {
	Operator string `json:"operator"`
	Negate   bool   `json:"negate"`
	Nodes    []Node `json:"nodes"`
}

// Node is criteria joined by OR.
type Node struct {
	Operator string     `json:"operator"`
	Negate   bool       `json:"negate"`
	Matches  []Criteria `json:"cpeMatch"`
}

// Criteria is a CPE name and the versions that it is meant for; all of the name's own when no end is given.
type Criteria struct {
	Vulnerable     bool   `json:"vulnerable"`
	CPE            string `json:"criteria"`
	StartIncluding string `json:"versionStartIncluding"`
	StartExcluding string `json:"versionStartExcluding"`
	EndIncluding   string `json:"versionEndIncluding"`
	EndExcluding   string `json:"versionEndExcluding"`
}

func (c *Criteria) ranged() bool {
	return c.StartIncluding != "" || c.StartExcluding != "" || c.EndIncluding != "" || c.EndExcluding != ""
}

// maxPlatforms bounds the other side of a configuration; NVD's longest, of routers, have some hundreds. With more the condition is left
// out, which warns too often and never too seldom.
const maxPlatforms = 1000

// Configured returns what is affected: one entry of ecosystem CPE for each name apart from its version, with all ranges and versions
// that configurations with the same other side give it. Of an AND of more than two nodes any other node's names will do as platform,
// and a platform's own versions do not count: we warn too often rather than too seldom. by is who says it.
func Configured(list []Configuration, by string) Statement {
	s := gathering{by: by, at: map[string]int{}, sides: map[string]string{}}
	for i := range list {
		c := &list[i]
		if c.Negate {
			s.bad("a negated configuration")
			continue
		}
		for j := range c.Nodes {
			s.node(c, j)
		}
	}
	return s.statement()
}

// gathering is criteria sorted by name and other side.
type gathering struct {
	by    string
	at    map[string]int    // place in all, by CPE without version and number of the other side
	sides map[string]string // numbers of other sides
	all   []gathered
	badly []string
}

type gathered struct {
	name      cpe.Name
	key       string // CPE as in Affected.CPE
	platforms []string
	list      []Version
	seen      map[version2]bool
	all       bool // every version
}

// version2 is the ends of a criterion.
type version2 = [3]string

func (s *gathering) bad(why string) {
	if len(s.badly) < maxBad && !slices.Contains(s.badly, why) {
		s.badly = append(s.badly, why)
	}
}

func (s *gathering) node(c *Configuration, j int) {
	n := &c.Nodes[j]
	if n.Negate {
		s.bad("a negated node")
		return
	}
	var platforms []string
	side := ""
	first := true
	for k := range n.Matches {
		if !n.Matches[k].Vulnerable {
			continue
		}
		if first && strings.EqualFold(c.Operator, "AND") {
			platforms = s.others(c, j)
			side = s.side(platforms)
		}
		first = false
		s.criteria(&n.Matches[k], platforms, side)
	}
}

// side numbers an other side: naming it in full with every criterion would cost more than all else.
func (s *gathering) side(platforms []string) string {
	all := strings.Join(platforms, "\x00")
	if _, ok := s.sides[all]; !ok {
		s.sides[all] = strconv.Itoa(len(s.sides) + 1)
	}
	return s.sides[all]
}

// others are the names of the other nodes: those not vulnerable where there are any.
func (s *gathering) others(c *Configuration, own int) []string {
	var hosts, rest []string
	for j := range c.Nodes {
		if j == own || c.Nodes[j].Negate {
			continue
		}
		for k := range c.Nodes[j].Matches {
			m := &c.Nodes[j].Matches[k]
			n, err := cpe.Parse(m.CPE)
			if err != nil {
				s.bad(err.Error())
				continue
			}
			list := &hosts
			if m.Vulnerable {
				list = &rest
			}
			*list = append(*list, n.String())
		}
	}
	if len(hosts) == 0 {
		hosts = rest
	}
	slices.Sort(hosts)
	hosts = slices.Compact(hosts)
	if len(hosts) > maxPlatforms {
		return nil
	}
	return hosts
}

// criteria adds one criterion. A name with a version of its own is kept as it is when its update is more than "*" and "-": 9.3 p1 is
// not a version among others; else its version joins those of the name.
func (s *gathering) criteria(m *Criteria, platforms []string, side string) {
	n, err := cpe.Parse(m.CPE)
	if err != nil {
		s.bad(err.Error())
		return
	}
	if !n.Vendor.Literal() || !n.Product.Literal() {
		s.bad("criterion " + m.CPE + " names no product")
		return
	}
	own := n.Version
	whole := !m.ranged() && (own == cpe.NA || own != cpe.Any && (!own.Literal() || n.Update != cpe.Any && n.Update != cpe.NA))
	if !whole {
		n.Version = cpe.Any
	}
	g := s.of(n, platforms, side)
	v := Version{Status: affected, Type: "custom"} // the type of a name's versions is never told; they are no commits
	switch {
	case whole:
		return
	case !m.ranged() && own == cpe.Any:
		g.all = true
		return
	case !m.ranged():
		v.Version = string(own)
	default:
		v.Version = orWord(m.StartIncluding, "0")
		if m.StartExcluding != "" {
			v.Version = "next of " + m.StartExcluding
		}
		v.LessThan, v.LessThanOrEqual = m.EndExcluding, m.EndIncluding
		if v.LessThan == "" && v.LessThanOrEqual == "" {
			v.LessThan = "*"
		}
	}
	if m.ranged() && v.Version == v.LessThan {
		s.bad("range of " + m.CPE + " ends where it begins, at " + v.Version)
		return
	}
	if ends := (version2{v.Version, v.LessThan, v.LessThanOrEqual}); !g.seen[ends] {
		g.seen[ends] = true
		g.list = append(g.list, v)
	}
}

// of returns the entry of a name and its other side.
func (s *gathering) of(n cpe.Name, platforms []string, side string) *gathered {
	key := n.String()
	id := key + "\x00" + side
	i, ok := s.at[id]
	if !ok {
		i = len(s.all)
		s.at[id] = i
		s.all = append(s.all, gathered{name: n, key: key, platforms: platforms, seen: map[version2]bool{}})
	}
	return &s.all[i]
}

func (s *gathering) statement() Statement {
	out := Statement{Bad: s.badly}
	order := Order(eco.Order("CPE"))
	for i := range s.all {
		g := &s.all[i]
		t := target{Affected: biopsy.Affected{Ecosystem: "CPE", Name: g.name.Key(), CPE: g.key, Platforms: g.platforms}}
		if s.by != "" {
			t.Extra = map[string]string{"by": s.by}
		}
		switch {
		case g.all:
			t.Ranges = []biopsy.Range{{Type: "ECOSYSTEM", Events: []biopsy.Event{{Introduced: "0"}}}}
			out.Affected = append(out.Affected, t.Affected)
		case len(g.list) == 0:
			out.Affected = append(out.Affected, t.Affected)
		default:
			x := exact(g.list, order)
			out.addBad(x.Bad)
			out.Affected = append(out.Affected, t.tell(&x, &Product{Versions: g.list})...)
		}
	}
	return out
}

// exact is Extents for versions that are none in words: what does not parse is compared as text.
func exact(list []Version, order Order) Extent {
	var words []string
	ranges := list[:0:0]
	for _, v := range list {
		single := v.LessThan == "" && v.LessThanOrEqual == ""
		if _, err := order(v.Version, v.Version); single && (err != nil || says(v.Version, allWords)) {
			words = append(words, v.Version)
			continue
		}
		ranges = append(ranges, v)
	}
	x := Extents(ranges, "", order)
	x.Affected.Versions = append(x.Affected.Versions, words...)
	return x
}
