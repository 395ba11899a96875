package lockfile

import (
	"bytes"
	"regexp"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// BazelLock reads MODULE.bazel.lock (bazel.build, "Bazel Lockfile", 2026): a module was chosen when its source.json was read;
// up to version 10 of the file a graph says so.
var BazelLock = reader("bazel-module-lock", biopsy.Locked, bazelLock, "MODULE.bazel.lock")

func bazelLock(d *doc) error {
	j, root := d.json()
	root.get("registryFileHashes").each(func(address string, sum value) {
		_, rest, ok := strings.Cut(address, "/modules/")
		parts := strings.Split(rest, "/")
		if ok && len(parts) == 3 && parts[2] == "source.json" {
			d.add(sum.line(), pkg("bazel", parts[0], parts[1]))
		}
	})
	root.get("moduleDepGraph").each(func(key string, e value) {
		if version := e.get("version").str(); version != "" && key != "<root>" {
			d.add(e.line(), pkg("bazel", e.get("name").str(), version))
		}
	})
	return j.close(root)
}

// BazelModule reads MODULE.bazel: the module itself and the lowest versions it asks for (bazel.build, "MODULE.bazel files", 2026).
var BazelModule = reader("bazel-module", biopsy.Declared, bazelModule, "MODULE.bazel")

var bazelPatterns = sync.OnceValue(func() (p struct{ call, name, version *regexp.Regexp }) {
	p.call = regexp.MustCompile(`(?ms)^(module|bazel_dep)\(([^)]*)\)`)
	p.name = regexp.MustCompile(`\bname\s*=\s*"([^"]+)"`)
	p.version = regexp.MustCompile(`\bversion\s*=\s*"([^"]+)"`)
	return p
})

func bazelModule(d *doc) error {
	p := bazelPatterns()
	for _, m := range p.call.FindAllSubmatchIndex(d.text, -1) {
		args := d.text[m[4]:m[5]]
		name, version := p.name.FindSubmatch(args), p.version.FindSubmatch(args)
		if name == nil {
			continue
		}
		c := pkg("bazel", string(name[1]), "")
		if version != nil {
			c = pkg("bazel", c.Name, string(version[1]))
		}
		line := d.lines.at(m[0])
		if string(d.text[m[2]:m[3]]) == "module" {
			d.project(line, c)
			continue
		}
		c.Scope = biopsy.Runtime
		if bytes.Contains(args, []byte("dev_dependency = True")) {
			c.Scope = biopsy.Development
		}
		d.add(line, c)
	}
	return nil
}
