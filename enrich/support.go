package enrich

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// The levels, in the words of the FDA's guidance on premarket submissions (2023-09, section V.A.4).
const (
	maintained   = "actively maintained"
	noLonger     = "no longer maintained"
	abandoned    = "abandoned"
	unknownLevel = ""
)

// day is the day of knowledge.
type day struct {
	text string // YYYY-MM-DD; "" unknown
	past bool
}

// support answers for one version of the product.
func (p *product) support(q question, d day) *biopsy.Support {
	s := &biopsy.Support{Product: p.Product, Source: p.Source}
	label := p.Label
	if label == "" {
		label = p.Product
	}
	defer func() {
		if p.via != "" {
			s.Because += "; the same as " + p.via
		}
	}()
	c := cycleOf(p.Cycles, q.version)
	if c == nil {
		s.Because = fmt.Sprintf("no cycle of %s is known that %s belongs to", label, q.version)
		return s
	}
	s.Cycle, s.End = c.Name, c.End
	if !d.past {
		s.Latest = c.Latest
	}
	s.Days = days(d.text, c.End)
	s.Level = p.level(c, d)
	s.Because = label + " " + c.Name + ": " + because(c, d, s.Level)
	return s
}

// level is what a cycle's dates say on a day. The last day of support is still supported. A product none of whose cycles is supported
// any more is abandoned.
func (p *product) level(c *biopsy.Cycle, d day) string {
	switch {
	case c.End != "" && d.text == "":
		return unknownLevel
	case c.End != "" && d.text <= c.End:
		return maintained
	case c.End == "" && c.Ended == biopsy.No:
		return maintained
	case c.End == "" && (c.Ended == biopsy.Unknown || d.past):
		return unknownLevel
	case !p.alive && d.text > p.last:
		return abandoned
	}
	return noLonger
}

func because(c *biopsy.Cycle, d day, level string) string {
	var text string
	switch {
	case c.End == "" && level == maintained:
		text = "supported, with no end announced"
	case c.End == "" && level == unknownLevel:
		text = "when its support ends is not known"
	case c.End == "":
		text = "its support has ended, on a day that is not known"
	case level == maintained:
		text = "security fixes until " + c.End
	default:
		text = "security fixes ended on " + c.End
	}
	if level == maintained && c.ActiveEnd != "" && c.ActiveEnd < d.text {
		text += ", other fixes ended on " + c.ActiveEnd
	}
	if level == abandoned {
		text += ", and no other cycle is supported"
	}
	if c.ExtendedEnd > c.End && c.ExtendedEnd >= d.text {
		text += "; extended support, paid or by a community, until " + c.ExtendedEnd
	}
	return text
}

// days counts from one day to another; nil when either is unknown.
func days(from, to string) *int {
	a, errA := time.Parse(time.DateOnly, from)
	b, errB := time.Parse(time.DateOnly, to)
	if errA != nil || errB != nil {
		return nil
	}
	n := int(b.Sub(a) / (24 * time.Hour))
	return &n
}

// cycleOf returns the cycle whose name is the longest beginning of the version, number by number; nil when there is none.
func cycleOf(cycles []biopsy.Cycle, version string) *biopsy.Cycle {
	v := parts(version)
	var best *biopsy.Cycle
	longest := 0
	for i := range cycles {
		name := parts(cycles[i].Name)
		if len(name) > longest && begins(v, name) {
			best, longest = &cycles[i], len(name)
		}
	}
	return best
}

// parts splits a version into runs of digits and runs of other letters: "v1.1.1w" is 1 1 1 w. Signs between them, an epoch of a
// distribution ("1:") and a "v" in front go.
func parts(version string) []string {
	if epoch, rest, ok := strings.Cut(version, ":"); ok && number(epoch) {
		version = rest
	}
	version = strings.ToLower(version)
	if len(version) > 1 && version[0] == 'v' && isDigit(version[1]) {
		version = version[1:]
	}
	var out []string
	for i := 0; i < len(version); {
		j := i
		for j < len(version) && kind(version[j]) == kind(version[i]) {
			j++
		}
		switch kind(version[i]) {
		case digitKind:
			if n := strings.TrimLeft(version[i:j], "0"); n != "" {
				out = append(out, n)
			} else {
				out = append(out, "0")
			}
		case letterKind:
			out = append(out, version[i:j])
		}
		i = j
	}
	return out
}

const (
	signKind = iota
	digitKind
	letterKind
)

func kind(c byte) int {
	switch {
	case isDigit(c):
		return digitKind
	case c >= 'a' && c <= 'z' || c >= 0x80:
		return letterKind
	}
	return signKind
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func number(s string) bool {
	_, err := strconv.ParseUint(s, 10, 32)
	return err == nil
}

// begins tells whether v begins with all parts of name.
func begins(v, name []string) bool {
	if len(v) < len(name) {
		return false
	}
	for i := range name {
		if v[i] != name[i] {
			return false
		}
	}
	return true
}
