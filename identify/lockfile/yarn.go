package lockfile

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// YarnLock reads yarn.lock of Yarn 1 (its own format) and of Yarn 2 and up (YAML of one fixed layout; lock file versions 4 to 8).
var YarnLock = reader("yarn-lock", biopsy.Locked, yarnLock, "yarn.lock")

// yarnEntry is one block: the ranges it answers and the one package it answers with.
type yarnEntry struct {
	line  int
	specs []string // "name@range"
	// Fields of the block; empty when it has none.
	version, resolved, integrity, resolution string
	needs                                    []yarnNeed
}

type yarnNeed struct {
	spec  string
	scope biopsy.Scope
}

func yarnLock(d *doc) error {
	entries := yarnEntries(d.text)
	purls := map[string]biopsy.Claim{}
	for i := range entries {
		c := entries[i].claim()
		for _, s := range entries[i].specs {
			purls[s] = c
		}
	}
	for i := range entries {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		e := &entries[i]
		c := e.claim()
		for _, n := range e.needs {
			c.Needs = append(c.Needs, n.resolve(purls))
		}
		d.add(e.line, c)
	}
	return nil
}

// yarnEntries reads the blocks. Both formats indent fields by two spaces and edges by four; Yarn 2 puts a colon behind names.
func yarnEntries(text []byte) []yarnEntry {
	var all []yarnEntry
	section, line := "", 0
	for l := range bytes.Lines(text) {
		line++
		s := strings.TrimRight(string(l), "\r\n")
		body := strings.TrimLeft(s, " ")
		indent := len(s) - len(body)
		switch {
		case body == "" || body[0] == '#' || body == ":":
		case indent == 0:
			all = append(all, yarnEntry{line: line, specs: yarnSpecs(body)})
			section = ""
		case len(all) == 0:
		case indent == 2:
			section = yarnField(&all[len(all)-1], body)
		case indent == 4:
			if scope, ok := npmEdges[section]; ok && section != "peerDependencies" {
				e := &all[len(all)-1]
				name, rng := yarnPair(body)
				e.needs = append(e.needs, yarnNeed{name + "@" + rng, scope})
			}
		}
	}
	return all
}

// yarnSpecs splits `"a@^1", b@2:` or `"a@npm:^1, b@npm:2":`, or the long form `? "..."`.
func yarnSpecs(header string) []string {
	header = strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(header, "? "), ":"), `"`, "")
	specs := strings.Split(header, ",")
	for i := range specs {
		specs[i] = strings.TrimSpace(specs[i])
	}
	return specs
}

// yarnField keeps a field and returns its name when it opens a section.
func yarnField(e *yarnEntry, body string) (section string) {
	name, text := yarnPair(body)
	switch name {
	case "version":
		e.version = text
	case "resolved":
		e.resolved = text
	case "integrity":
		e.integrity = text
	case "resolution":
		e.resolution = text
	}
	if text == "" {
		return name
	}
	return ""
}

// yarnPair splits `name "value"` or `name: value`, either of which may be quoted.
func yarnPair(body string) (name, text string) {
	if strings.HasPrefix(body, `"`) {
		if name, text, _ = strings.Cut(body[1:], `"`); text == "" {
			return name, ""
		}
	} else if i := strings.IndexAny(body, ": "); i >= 0 {
		name, text = body[:i], body[i:]
	} else {
		return body, ""
	}
	return name, strings.Trim(strings.TrimSpace(strings.TrimPrefix(text, ":")), `"`)
}

// claim names the package that answers a block. Workspaces are described by their package.json, and only their edges are added.
func (e *yarnEntry) claim() biopsy.Claim {
	name, _ := yarnSpec(e.specs[0])
	if name == "__metadata" {
		return biopsy.Claim{}
	}
	from := e.resolved
	if e.resolution != "" {
		name, from = yarnSpec(e.resolution)
	} else if _, rng := yarnSpec(e.specs[0]); strings.HasPrefix(rng, "npm:") {
		name, _ = npmSpec(rng[len("npm:"):])
	}
	if strings.HasPrefix(from, "workspace:") || strings.HasPrefix(from, "link:") || e.version == "" {
		c := unnamed("npm", name, "")
		c.About = true
		return c
	}
	c := pkg("npm", name, e.version)
	checkout(&c, from)
	c.Hashes = integrity(e.integrity)
	if u, sum, ok := strings.Cut(from, "#"); ok && strings.HasPrefix(u, "http") && len(sum) == 40 && strings.HasSuffix(u, ".tgz") {
		c.Download = u
		c.Hashes = append(hexHash(sum, "sha1"), c.Hashes...)
	}
	if patch, ok := strings.CutPrefix(from, "patch:"); ok {
		if plain, err := url.PathUnescape(patch); err == nil {
			extra(&c, "yarn:patch", plain)
		}
	}
	return c
}

// yarnSpec splits "@scope/name@range"; the range may hold more "@".
func yarnSpec(spec string) (name, rng string) {
	if len(spec) < 2 {
		return spec, ""
	}
	if i := strings.IndexByte(spec[1:], '@'); i >= 0 {
		return spec[:i+1], spec[i+2:]
	}
	return spec, ""
}

// resolve finds the block that answers the range; Yarn 2 leaves "npm:" away in edges up to lock version 7.
func (n yarnNeed) resolve(purls map[string]biopsy.Claim) biopsy.Need {
	name, rng := yarnSpec(n.spec)
	c, ok := purls[n.spec]
	if !ok {
		c, ok = purls[name+"@npm:"+rng]
	}
	if !ok {
		return biopsy.Need{Name: name, Scope: n.scope}
	}
	return biopsy.Need{Purl: c.Purl, Name: fullName(c), Scope: n.scope}
}
