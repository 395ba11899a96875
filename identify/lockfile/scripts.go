package lockfile

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// NimbleLock reads nimble.lock of Nim (nim-lang.github.io/nimble, 2026).
var NimbleLock = reader("nimble-lock", biopsy.Locked, nimbleLock, "nimble.lock")

func nimbleLock(d *doc) error {
	j, root := d.json()
	root.get("packages").each(func(name string, e value) {
		version := e.get("version").str()
		c := pkg("nim", name, version)
		origin(&c, e.get("url").str(), e.get("vcsRevision").str())
		for _, to := range e.get("dependencies").strs() {
			c.Needs = append(c.Needs, biopsy.Need{Name: to, Scope: biopsy.Runtime})
		}
		d.add(e.line(), c)
	})
	return j.close(root)
}

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

// CPANSnapshot reads cpanfile.snapshot of Carton for Perl (Carton 1.0).
var CPANSnapshot = reader("cpanfile-snapshot", biopsy.Locked, cpanSnapshot, "cpanfile.snapshot")

func cpanSnapshot(d *doc) error {
	line, at, dist := 0, 0, ""
	for raw := range bytes.Lines(d.text) {
		line++
		s := strings.TrimRight(string(raw), " \r\n")
		body := strings.TrimLeft(s, " ")
		switch indent := len(s) - len(body); {
		case indent == 2:
			dist, at = body, line
		case indent == 4 && strings.HasPrefix(body, "pathname: "):
			d.add(at, cpanClaim(dist, strings.TrimPrefix(body, "pathname: ")))
		}
	}
	return nil
}

// cpanClaim reads "Dist-Name-1.0" and "A/AU/AUTHOR/Dist-Name-1.0.tar.gz".
func cpanClaim(dist, pathname string) biopsy.Claim {
	i := strings.LastIndexByte(dist, '-')
	parts := strings.Split(pathname, "/")
	if i < 0 || len(parts) < 4 {
		return biopsy.Claim{}
	}
	return pkg("cpan", parts[2]+"/"+dist[:i], dist[i+1:])
}

// Actions reads the steps of GitHub workflows and composite actions (docs.github.com, "Workflow syntax", 2026): tools of the build.
var Actions = reader("github-actions", biopsy.Declared, actions, ".github/workflows/*.yml", ".github/workflows/*.yaml", "action.yml", "action.yaml")

func actions(d *doc) error {
	line := 0
	for raw := range bytes.Lines(d.text) {
		line++
		s := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(string(raw)), "-"))
		uses, ok := strings.CutPrefix(s, "uses:")
		if !ok {
			continue
		}
		uses, _, _ = strings.Cut(uses, " #")
		c := action(strings.Trim(strings.TrimSpace(uses), `"'`))
		c.Scope = biopsy.Development
		d.add(line, c)
	}
	return nil
}

// action reads "owner/name/path@ref" and "docker://image:tag"; what starts with "./" is in the same tree.
func action(uses string) biopsy.Claim {
	if image, ok := strings.CutPrefix(uses, "docker://"); ok {
		return dockerImage(image)
	}
	full, ref, ok := strings.Cut(uses, "@")
	parts := strings.Split(full, "/")
	if !ok || len(parts) < 2 || strings.HasPrefix(uses, ".") || strings.Contains(uses, "${{") {
		return biopsy.Claim{}
	}
	return pkg("github", parts[0]+"/"+parts[1], ref)
}

// Dockerfile reads the images that a Dockerfile starts from (docs.docker.com, "Dockerfile reference", 2026). The last stage is what is
// shipped; the stages before it are tools of the build.
var Dockerfile = reader("dockerfile", biopsy.Declared, dockerfile, "Dockerfile", "Dockerfile.*", "*.Dockerfile", "*.dockerfile", "Containerfile")

func dockerfile(d *doc) error {
	type stage struct {
		line  int
		image string
	}
	var stages []stage
	args, aliases := map[string]string{}, map[string]int{}
	for _, l := range continued(d.text) {
		words := strings.Fields(l.text)
		switch strings.ToUpper(words[0]) {
		case "ARG":
			if name, value, ok := strings.Cut(strings.TrimSpace(l.text[3:]), "="); ok && len(stages) == 0 {
				args[name] = strings.Trim(value, `"'`)
			}
		case "FROM":
			words = slices.DeleteFunc(words[1:], func(w string) bool { return strings.HasPrefix(w, "--") })
			if len(words) == 0 {
				continue
			}
			if len(words) == 3 && strings.EqualFold(words[1], "as") {
				aliases[strings.ToLower(words[2])] = len(stages)
			}
			stages = append(stages, stage{l.line, dockerExpand(words[0], args)})
		}
	}
	shipped := map[int]bool{}
	for i := len(stages) - 1; i >= 0 && !shipped[i]; { // the last stage, and the stages it is built on
		shipped[i] = true
		from, ok := aliases[strings.ToLower(stages[i].image)]
		if !ok || from >= i {
			break
		}
		i = from
	}
	for i, s := range stages {
		if from, ok := aliases[strings.ToLower(s.image)]; ok && from < i {
			continue
		}
		c := dockerImage(s.image)
		c.Scope = biopsy.Development
		if shipped[i] {
			c.Scope = biopsy.Runtime
		}
		d.add(s.line, c)
	}
	return nil
}

var dockerVariable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{?(\w+)(?::-([^}]*))?\}?`) })

func dockerExpand(s string, args map[string]string) string {
	return dockerVariable().ReplaceAllStringFunc(s, func(v string) string {
		m := dockerVariable().FindStringSubmatch(v)
		return first(args[m[1]], m[2], v)
	})
}

// dockerImage names a container image: "registry/owner/name:tag@sha256:...". No tag means "latest", which is no version.
func dockerImage(ref string) biopsy.Claim {
	if ref == "scratch" || strings.Contains(ref, "$") {
		return biopsy.Claim{}
	}
	full, digest, _ := strings.Cut(ref, "@")
	tag := ""
	if i := strings.LastIndexByte(full, ':'); i > strings.LastIndexByte(full, '/') {
		full, tag = full[:i], full[i+1:]
	}
	registry := ""
	if host, rest, ok := strings.Cut(full, "/"); ok && (strings.ContainsAny(host, ".:") || host == "localhost") {
		registry, full = host, rest
	}
	if registry == "docker.io" {
		registry = ""
	}
	if tag == "latest" {
		tag = ""
	}
	full = strings.TrimPrefix(full, "library/")
	c := pkg("docker", full, first(digest, tag), "repository_url", registry)
	c.Kind = biopsy.Container
	if digest != "" {
		extra(&c, "docker:tag", tag)
	}
	return c
}

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

// HelmLock reads Chart.lock and requirements.lock of Helm (helm.sh, "Charts", 2026).
var HelmLock = reader("helm-lock", biopsy.Locked, helmLock, "Chart.lock", "requirements.lock")

func helmLock(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	root.get("dependencies").each(func(_, e node) {
		c := pkg("helm", e.get("name").str(), e.get("version").str(), "repository_url", webURL(e.get("repository").str()))
		d.add(e.line(), c)
	})
	return y.err
}
