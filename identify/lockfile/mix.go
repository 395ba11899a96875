package lockfile

import (
	"bytes"
	"regexp"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// MixLock reads mix.lock of Elixir (hexdocs.pm/mix, "mix deps", 2026), one package a line.
var MixLock = reader("mix-lock", biopsy.Locked, mixLock, "mix.lock")

var mixPatterns = sync.OnceValue(func() (p struct{ hex, git, needs, outer *regexp.Regexp }) {
	p.hex = regexp.MustCompile(`^\s*"([^"]+)":\s*\{:hex,\s*:"?(\w+)"?,\s*"([^"]+)"`)
	p.git = regexp.MustCompile(`^\s*"([^"]+)":\s*\{:git,\s*"([^"]+)",\s*"([^"]+)"`)
	p.needs = regexp.MustCompile(`\{:(\w+),\s*"[^"]*",\s*\[`)
	p.outer = regexp.MustCompile(`"hexpm[^"]*",\s*"([0-9a-f]{64})"\}`)
	return p
})

func mixLock(d *doc) error {
	p := mixPatterns()
	versions := map[string]string{}
	for raw := range bytes.Lines(d.text) {
		if m := p.hex.FindSubmatch(raw); m != nil {
			versions[string(m[1])] = string(m[3])
		}
	}
	line := 0
	for raw := range bytes.Lines(d.text) {
		line++
		if m := p.git.FindSubmatch(raw); m != nil {
			c := pkg("hex", string(m[1]), "")
			origin(&c, string(m[2]), string(m[3]))
			d.add(line, c)
			continue
		}
		m := p.hex.FindSubmatch(raw)
		if m == nil {
			continue
		}
		c := pkg("hex", string(m[2]), string(m[3]))
		if sum := p.outer.FindSubmatch(raw); sum != nil {
			c.Hashes = hexHash(string(sum[1]), "sha256")
		}
		for _, n := range p.needs.FindAllSubmatch(raw, -1) {
			to := string(n[1])
			c.Needs = append(c.Needs, biopsy.Need{Purl: exact(pkg("hex", to, versions[to])), Name: to, Scope: biopsy.Runtime})
		}
		d.add(line, c)
	}
	return nil
}
