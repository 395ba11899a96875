package lockfile

import (
	"bytes"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// RenvLock reads renv.lock of R (rstudio.github.io/renv, "Lockfiles", 2026).
var RenvLock = reader("renv-lock", biopsy.Locked, renvLock, "renv.lock")

func renvLock(d *doc) error {
	j, root := d.json()
	all := root.get("Packages")
	versions := map[string]string{}
	all.each(func(name string, e value) { versions[name] = e.get("Version").str() })
	all.each(func(name string, e value) {
		typ := "cran"
		if e.get("Source").str() == "Bioconductor" {
			typ = "bioconductor"
		}
		c := pkg(typ, first(e.get("Package").str(), name), e.get("Version").str())
		if user, repo := e.get("RemoteUsername").str(), e.get("RemoteRepo").str(); user != "" && repo != "" && e.get("Source").str() == "GitHub" {
			origin(&c, "https://github.com/"+user+"/"+repo, e.get("RemoteSha").str())
		}
		for _, to := range e.get("Requirements").strs() {
			c.Needs = append(c.Needs, biopsy.Need{Purl: exact(pkg("cran", to, versions[to])), Name: to, Scope: biopsy.Runtime})
		}
		d.add(e.line(), c)
	})
	return j.close(root)
}

// JuliaManifest reads Manifest.toml, formats 1 and 2 (Pkg.jl documentation, "Project.toml and Manifest.toml").
var JuliaManifest = reader("julia-manifest", biopsy.Locked, juliaManifest, "Manifest.toml", "JuliaManifest.toml", "Manifest-v*.toml")

func juliaManifest(d *doc) error {
	var m map[string]any
	if err := d.toml(&m); err != nil {
		return err
	}
	prefix := ""
	if deps, ok := m["deps"].(map[string]any); ok { // format 2
		m, prefix = deps, "deps."
	}
	purls := map[string]string{}
	for name, entries := range m {
		for _, e := range tablesOf(entries) {
			purls[name] = exact(juliaClaim(name, e))
		}
	}
	lines := d.keyLines()
	for _, name := range slices.Sorted(maps.Keys(m)) {
		for _, e := range tablesOf(m[name]) {
			c := juliaClaim(name, e)
			if text(e["uuid"]) == "" || c.Version == "" { // parts of Julia itself have no version of their own
				continue
			}
			for _, to := range juliaNeeds(e["deps"]) {
				c.Needs = append(c.Needs, biopsy.Need{Purl: purls[to], Name: to, Scope: biopsy.Runtime})
			}
			d.add(lines["[["+prefix+name+"]]"], c)
		}
	}
	return nil
}

func juliaClaim(name string, e map[string]any) biopsy.Claim {
	c := pkg("julia", name, text(e["version"]), "uuid", text(e["uuid"]))
	origin(&c, text(e["repo-url"]), text(e["repo-rev"]))
	return c
}

// juliaNeeds reads a list of names, or a table of names and uuids where names alone are not clear.
func juliaNeeds(v any) []string {
	var all []string
	switch deps := v.(type) {
	case []any:
		for _, n := range deps {
			all = append(all, text(n))
		}
	case map[string]any:
		all = slices.Sorted(maps.Keys(deps))
	}
	return all
}

func tablesOf(v any) []map[string]any {
	list, _ := v.([]map[string]any)
	return list
}

// StackLock reads stack.yaml.lock of Haskell (docs.haskellstack.org, "Lock files", 2026).
var StackLock = reader("stack-lock", biopsy.Locked, stackLock, "stack.yaml.lock")

func stackLock(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	root.get("packages").each(func(_, e node) {
		done := e.get("completed")
		full, _, _ := strings.Cut(done.get("hackage").str(), "@")
		if i := strings.LastIndexByte(full, '-'); i > 0 {
			d.add(e.line(), pkg("hackage", full[:i], full[i+1:]))
			return
		}
		c := pkg("hackage", done.get("name").str(), done.get("version").str())
		origin(&c, done.get("git").str(), done.get("commit").str())
		d.add(e.line(), c)
	})
	return y.err
}

// CabalFreeze reads cabal.project.freeze of Haskell (cabal.readthedocs.io, 3.14).
var CabalFreeze = reader("cabal-freeze", biopsy.Locked, cabalFreeze, "cabal.project.freeze")

var cabalPin = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\b(?:any\.)?([A-Za-z][\w-]*) *==([\d.]+)`) })

func cabalFreeze(d *doc) error {
	for _, m := range cabalPin().FindAllSubmatchIndex(d.text, -1) {
		d.add(d.lines.at(m[0]), pkg("hackage", string(d.text[m[2]:m[3]]), string(d.text[m[4]:m[5]])))
	}
	return nil
}

// Opam reads *.opam: the package itself, and *.opam.locked: the exact versions it was built with (opam 2.3 manual).
var Opam = reader("opam", biopsy.Declared, opam, "*.opam", "*.opam.locked", "opam")

var opamPatterns = sync.OnceValue(func() (p struct{ version, license, pin *regexp.Regexp }) {
	p.version = regexp.MustCompile(`(?m)^version:\s*"([^"]+)"`)
	p.license = regexp.MustCompile(`(?m)^license:\s*"([^"]+)"`)
	p.pin = regexp.MustCompile(`"([\w.+-]+)"\s*\{\s*(with-test &\s*)?=\s*"([^"]+)"([^}]*)\}`)
	return p
})

func opam(d *doc) error {
	p := opamPatterns()
	base := path.Base(d.Path)
	if strings.HasSuffix(base, ".locked") {
		for _, m := range p.pin.FindAllSubmatchIndex(d.text, -1) {
			c := pkg("opam", string(d.text[m[2]:m[3]]), string(d.text[m[6]:m[7]]))
			c.State, c.Scope = biopsy.Locked, biopsy.Runtime
			if m[4] >= 0 || bytes.Contains(d.text[m[8]:m[9]], []byte("with-")) {
				c.Scope = biopsy.Development
			}
			d.add(d.lines.at(m[0]), c)
		}
		return nil
	}
	if !bytes.Contains(d.text, []byte("opam-version:")) {
		return nil
	}
	name := strings.TrimSuffix(base, ".opam")
	if name == "opam" { // the older layout: folder/opam
		name, _, _ = strings.Cut(path.Base(path.Dir(d.Path)), ".")
	}
	c := pkg("opam", name, "")
	if m := p.version.FindSubmatch(d.text); m != nil {
		c = pkg("opam", name, string(m[1]))
	}
	if m := p.license.FindSubmatch(d.text); m != nil {
		c.Licenses = declared(string(m[1]))
	}
	d.project(1, c)
	return nil
}
