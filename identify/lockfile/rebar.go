package lockfile

import (
	"regexp"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// RebarLock reads rebar.lock of Erlang (rebar3.org, "Dependencies", 2026).
var RebarLock = reader("rebar-lock", biopsy.Locked, rebarLock, "rebar.lock")

var rebarPatterns = sync.OnceValue(func() (p struct{ hex, git *regexp.Regexp }) {
	p.hex = regexp.MustCompile(`\{<<"([^"]+)">>,\s*\{pkg,\s*<<"([^"]+)">>,\s*<<"([^"]+)">>`)
	p.git = regexp.MustCompile(`\{<<"([^"]+)">>,\s*\{git,\s*"([^"]+)",\s*\{ref,\s*"([^"]+)"\}`)
	return p
})

func rebarLock(d *doc) error {
	p := rebarPatterns()
	for _, m := range p.hex.FindAllSubmatchIndex(d.text, -1) {
		d.add(d.lines.at(m[0]), pkg("hex", string(d.text[m[4]:m[5]]), string(d.text[m[6]:m[7]])))
	}
	for _, m := range p.git.FindAllSubmatchIndex(d.text, -1) {
		c := pkg("hex", string(d.text[m[2]:m[3]]), "")
		origin(&c, string(d.text[m[4]:m[5]]), string(d.text[m[6]:m[7]]))
		d.add(d.lines.at(m[0]), c)
	}
	return nil
}
