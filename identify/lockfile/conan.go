package lockfile

import (
	"bytes"
	"regexp"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// ConanLock reads conan.lock of Conan 1 (a graph) and Conan 2 (lists) (docs.conan.io, "Lockfiles", 2026).
var ConanLock = reader("conan-lock", biopsy.Locked, conanLock, "conan.lock", "*.conan.lock")

func conanLock(d *doc) error {
	j, root := d.json()
	conanList(d, root.get("requires"), biopsy.Runtime)
	conanList(d, root.get("build_requires"), biopsy.Development)
	conanList(d, root.get("python_requires"), biopsy.Development)
	nodes := root.get("graph_lock", "nodes")
	refs, tools := map[string]biopsy.Claim{}, map[string]bool{}
	nodes.each(func(id string, e value) {
		refs[id] = conanRef(first(e.get("ref").str(), e.get("pref").str()))
		if e.get("context").str() == "build" {
			tools[id] = true
		}
	})
	nodes.each(func(id string, e value) {
		c := refs[id]
		c.Scope = biopsy.Runtime
		if tools[id] {
			c.Scope = biopsy.Development
		}
		for _, to := range e.get("requires").strs() {
			c.Needs = append(c.Needs, biopsy.Need{Purl: refs[to].Purl, Name: refs[to].Name, Scope: biopsy.Runtime})
		}
		if e.get("path").isString() { // the project itself
			c.Purl, c.Scope, c.Kind, c.State = "", "", biopsy.Application, biopsy.Declared
		}
		d.add(e.line(), c)
	})
	return j.close(root)
}

func conanList(d *doc, list value, scope biopsy.Scope) {
	list.each(func(_ string, e value) {
		c := conanRef(e.str())
		c.Scope = scope
		d.add(e.line(), c)
	})
}

// conanRef reads "name/version@user/channel#recipe%time".
func conanRef(ref string) biopsy.Claim {
	ref, _, _ = strings.Cut(ref, "%")
	ref, revision, _ := strings.Cut(ref, "#")
	revision, _, _ = strings.Cut(revision, ":")
	ref, owner, _ := strings.Cut(ref, "@")
	name, version, slashed := strings.Cut(ref, "/")
	version, _, _ = strings.Cut(version, ":") // the package's own id, before format 0.4
	user, channel, _ := strings.Cut(owner, "/")
	if strings.ContainsAny(version, "[]<>*") {
		version = ""
	}
	if user == "_" {
		user, channel = "", ""
	}
	c := biopsy.Claim{}
	if name != "" && slashed {
		c = pkg("conan", name, version, "user", user, "channel", channel)
		extra(&c, "conan:revision", revision)
	}
	return c
}

// Conanfile reads conanfile.txt, and of conanfile.py the references that are written as plain strings.
var Conanfile = reader("conanfile", biopsy.Declared, conanfile, "conanfile.txt", "conanfile.py")

var conanRequires = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b((?:tool_|build_|test_)?requires)\b\s*[(=]|["']([\w.+-]+/[\w.+\-\[\]<>=*~^, ]+(?:@[\w/]*)?(?:#\w+)?)["']`)
})

func conanfile(d *doc) error {
	if strings.HasSuffix(d.Path, ".py") {
		return conanProgram(d)
	}
	section := ""
	for _, l := range continued(d.text) {
		if strings.HasPrefix(l.text, "[") && strings.HasSuffix(l.text, "]") && !strings.Contains(l.text, "/") {
			section = strings.Trim(l.text, "[]")
			continue
		}
		if c := conanRef(l.text); conanScope(section) != "" && strings.Contains(l.text, "/") {
			c.Scope = conanScope(section)
			d.add(l.line, c)
		}
	}
	return nil
}

// conanProgram finds `requires("name/1.0")`, `self.tool_requires(...)` and `requires = "name/1.0", ...`, one line at a time.
func conanProgram(d *doc) error {
	line := 0
	for raw := range bytes.Lines(d.text) {
		line++
		section := ""
		code, _, _ := bytes.Cut(raw, []byte(" #"))
		for _, m := range conanRequires().FindAllSubmatch(code, -1) {
			if len(m[1]) > 0 {
				section = string(m[1])
			} else if scope := conanScope(section); scope != "" {
				c := conanRef(string(m[2]))
				c.Scope = scope
				d.add(line, c)
			}
		}
	}
	return nil
}

// conanScope is "" for sections that hold no references.
func conanScope(section string) biopsy.Scope {
	switch section {
	case "requires":
		return biopsy.Runtime
	case "build_requires", "tool_requires", "test_requires":
		return biopsy.Development
	}
	return ""
}
