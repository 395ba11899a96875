package lockfile

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// Dockerfile reads the images that a Dockerfile starts from (docs.docker.com, "Dockerfile reference", 2026). The last stage is what is
// shipped; the stages before it are tools of the build.
var Dockerfile = reader("dockerfile", biopsy.Declared, dockerfile, "Dockerfile", "Dockerfile.*", "*.Dockerfile", "*.dockerfile", "Containerfile")

// stage is one FROM.
type stage struct {
	line  int
	image string // after ARG was put in
	from  int    // the earlier stage that image names; -1 when it is an image
}

func dockerfile(d *doc) error {
	stages := dockerStages(d.text)
	shipped := map[int]bool{} // the last stage, and the stages it is built on
	for i := len(stages) - 1; i >= 0; i = stages[i].from {
		shipped[i] = true
	}
	for i, s := range stages {
		if s.from >= 0 {
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

func dockerStages(text []byte) []stage {
	var stages []stage
	args, aliases := map[string]string{}, map[string]int{}
	for _, l := range continued(text) {
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
			s := stage{line: l.line, image: dockerExpand(words[0], args), from: -1}
			if from, ok := aliases[strings.ToLower(s.image)]; ok {
				s.from = from
			}
			if len(words) == 3 && strings.EqualFold(words[1], "as") {
				aliases[strings.ToLower(words[2])] = len(stages)
			}
			stages = append(stages, s)
		}
	}
	return stages
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
