package lockfile

import (
	"regexp"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// Rockspec reads *.rockspec of a source tree: a Lua project itself (luarocks.org, "Rockspec format" 3.0). Installed rocks keep theirs
// below lib/luarocks.
var Rockspec = wanting(reader("luarocks-rockspec", biopsy.Declared, rockspec, "*.rockspec"), func(p string) bool {
	return !strings.Contains(p, "luarocks/rocks")
})

var rockPatterns = sync.OnceValue(func() (p struct{ field, needs, name *regexp.Regexp }) {
	p.field = regexp.MustCompile(`(?m)^\s*(package|version|license|homepage|summary)\s*=\s*["']([^"']+)["']`)
	p.needs = regexp.MustCompile(`(?s)\bdependencies\s*=\s*\{(.*?)\}`)
	p.name = regexp.MustCompile(`["']\s*([\w./-]+)`)
	return p
})

func rockspec(d *doc) error {
	p := rockPatterns()
	o, line := map[string]string{}, 0
	for _, m := range p.field.FindAllSubmatchIndex(d.text, -1) {
		key := string(d.text[m[2]:m[3]])
		if _, known := o[key]; !known {
			o[key] = string(d.text[m[4]:m[5]])
		}
		if key == "package" {
			line = d.lines.at(m[2])
		}
	}
	c := pkg("luarocks", o["package"], o["version"])
	c.Licenses, c.Homepage, c.Description = declared(o["license"]), webURL(o["homepage"]), o["summary"]
	if m := p.needs.FindSubmatch(d.text); m != nil {
		for _, n := range p.name.FindAllSubmatch(m[1], -1) {
			if name := string(n[1]); name != "lua" {
				c.Needs = append(c.Needs, biopsy.Need{Name: name, Scope: biopsy.Runtime})
			}
		}
	}
	d.project(line, c)
	return nil
}
