package vendor

import (
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

// shown writes ranges as "[2.1 2.28.8) [3 3.6.0]": "]" behind a last affected version, nothing behind an open one.
func shown(ranges []biopsy.Range) string {
	var b strings.Builder
	for i, r := range ranges {
		if i > 0 {
			b.WriteString(" |")
		}
		for _, e := range r.Events {
			switch {
			case e.Introduced != "":
				b.WriteString(" [" + e.Introduced)
			case e.Fixed != "":
				b.WriteString(" " + e.Fixed + ")")
			case e.LastAffected != "":
				b.WriteString(" " + e.LastAffected + "]")
			case e.Limit != "":
				b.WriteString(" <" + e.Limit)
			}
		}
	}
	return strings.TrimSpace(b.String())
}

func TestBranched(t *testing.T) {
	for _, c := range []struct {
		list  []interval
		fixes string
		want  string
	}{
		{[]interval{{from: "0"}}, "", "[0"},
		{[]interval{{from: "0"}}, "2.12.0 2.7.5 2.1.14", "[0 2.1.14) [2.2 2.7.5) [2.8 2.12.0)"},
		{[]interval{{from: "0"}}, "3.0.0 2.27.0 2.16.11", "[0 2.16.11) [2.17 2.27.0)"},
		{[]interval{{from: "0"}}, "3.1.0 2.28.0 2.16.12", "[0 2.16.12) [2.17 2.28.0) [3 3.1.0)"},
		{[]interval{{from: "3.2.0"}}, "3.5.0 2.28.5", "[3.2.0 3.5.0)"},
		{[]interval{{from: "0", last: "3.6.6"}, {from: "4.0.0", last: "4.1.0"}}, "3.6.7 4.1.1 4.2.0", "[0 3.6.7) | [4.0.0 4.1.1)"},
		{[]interval{{from: "2.18.0", last: "2.28.7"}, {from: "3.0.0", last: "3.5.2"}}, "2.28.8 3.6.0", "[2.18.0 2.28.8) | [3.0.0 3.6.0)"},
		{[]interval{{from: "0.6.18", last: "1.20.0"}}, "1.21.0 1.20.1", "[0.6.18 1.20.1)"},
		{[]interval{{from: "0.9.6", last: "1.31.2"}}, "1.31.3 1.30.4", "[0.9.6 1.30.4) [1.31 1.31.3)"},
		{[]interval{{from: "0.1.0", last: "0.8.14"}}, "0.8.15 0.7.62 0.6.39 0.5.38", "[0.1.0 0.5.38) [0.6 0.6.39) [0.7 0.7.62) [0.8 0.8.15)"},
		{[]interval{{from: "1.1.3", last: "1.15.5"}, {from: "1.0.7", last: "1.0.15"}}, "1.15.6 1.14.1", "[1.0.7 1.0.15] | [1.1.3 1.14.1) [1.15 1.15.6)"},
		{[]interval{{from: "1.25.0", last: "1.25.5"}, {from: "1.26.0", last: "1.26.0"}}, "1.27.0 1.26.1", "[1.25.0 1.26.1)"},
		{[]interval{{from: "1.5.10", last: "1.5.10"}}, "1.5.11", "[1.5.10 1.5.11)"},
		{[]interval{{from: "0.6.18", last: "1.1.7"}}, "1.1.8 1.0.10", "[0.6.18 1.0.10) [1.1 1.1.8)"},
		{[]interval{{from: "2.4.0", last: "2.4.1"}}, "", "[2.4.0 2.4.1]"},
		{[]interval{{from: "2.4.0", last: "2.4.0"}, {from: "2.4.1", last: "2.4.1"}}, "2.4.2", "[2.4.0 2.4.2)"},
		{[]interval{{from: "0", last: "3.6.2"}, {from: "2.25.0", last: "3.6.6"}}, "3.6.3 3.6.7", "[0 3.6.7)"},
		{[]interval{{from: "1.3", end: "1.3.0"}, {from: "0", end: "1.2.9"}}, "", "[0 1.2.9)"},
		{[]interval{{from: "0", last: "2.28.6"}, {from: "2.29", last: "3.5.1"}}, "3.5.2 2.28.7", "[0 2.28.7) [2.29 3.5.2)"},
		{[]interval{{from: "0", end: "1.1.8"}}, "1.1.8", "[0 1.1.8)"},
		{[]interval{{from: "0", last: "1.0.1f"}}, "1.0.1g", "[0 1.0.1g)"},
	} {
		if got := shown(branched(c.list, strings.Fields(c.fixes))); got != c.want {
			t.Errorf("%v with %s: got %s, want %s", c.list, c.fixes, got, c.want)
		}
	}
}
