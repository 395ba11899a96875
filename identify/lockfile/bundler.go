package lockfile

import (
	"bytes"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// GemfileLock reads Gemfile.lock and gems.locked (Bundler 2.6, lockfile with checksums).
// Those in the folder of an installed gem are of its makers' tests.
var GemfileLock = wanting(reader("gemfile-lock", biopsy.Locked, gemfileLock, "Gemfile.lock", "gems.locked"), func(p string) bool {
	return !strings.Contains("/"+p, "/gems/")
})

// gem is one line of a "specs:" list and the lines indented below it.
type gem struct {
	line             int
	name, version    string
	platform         string // "x86_64-linux"; "" when it runs anywhere
	section          string // GEM, GIT or PATH
	remote, revision string // of GIT
	needs            []string
	checksum         string
}

func gemfileLock(d *doc) error {
	gems := readGems(d.text)
	versions := map[string]string{}
	for _, g := range gems {
		versions[g.name] = g.version
	}
	for _, g := range gems {
		c := pkg("gem", g.name, g.version)
		c.Hashes = hexHash(g.checksum, "sha256")
		extra(&c, "gem:platform", g.platform)
		switch g.section {
		case "PATH": // a gem of the project itself
			c.Purl, c.Kind, c.State = "", biopsy.Application, biopsy.Declared
		case "GIT":
			origin(&c, g.remote, g.revision)
		}
		for _, name := range g.needs {
			n := biopsy.Need{Name: name, Scope: biopsy.Runtime}
			if v := versions[name]; v != "" {
				n.Purl = pkg("gem", name, v).Purl
			}
			c.Needs = append(c.Needs, n)
		}
		d.add(g.line, c)
	}
	return nil
}

func readGems(text []byte) []gem {
	var gems []gem
	var open gem // what the section says about all its gems
	line := 0
	index := map[string]int{} // by the words of the line
	for raw := range bytes.Lines(text) {
		line++
		s := strings.TrimRight(string(raw), " \r\n")
		body := strings.TrimLeft(s, " ")
		key, value, _ := strings.Cut(body, ": ")
		switch indent := len(s) - len(body); {
		case body == "":
		case indent == 0:
			open = gem{section: body}
		case open.section == "CHECKSUMS" && indent == 2:
			if spec, sum, ok := strings.Cut(body, " sha256="); ok {
				if i, known := index[spec]; known {
					gems[i].checksum = sum
				}
			}
		case indent == 2 && key == "remote":
			open.remote = value
		case indent == 2 && key == "revision":
			open.revision = value
		case open.section != "GEM" && open.section != "GIT" && open.section != "PATH":
		case indent == 4:
			g := open
			g.line = line
			g.name, g.version, g.platform = gemSpec(body)
			index[body] = len(gems)
			gems = append(gems, g)
		case indent == 6 && len(gems) > 0:
			name, _, _ := strings.Cut(body, " ")
			gems[len(gems)-1].needs = append(gems[len(gems)-1].needs, strings.TrimSuffix(name, "!"))
		}
	}
	return gems
}

// gemSpec splits "nokogiri (1.15.0-x86_64-linux)".
func gemSpec(s string) (name, version, platform string) {
	name, rest, _ := strings.Cut(s, " (")
	version, platform, _ = strings.Cut(strings.TrimSuffix(rest, ")"), "-")
	return name, version, platform
}
