package lockfile

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// GoMod reads go.mod (Go Modules Reference, 2026): the module itself, what it requires with its replacements, and the Go version as
// a claim about the standard library. Since Go 1.17 the file lists every module that a build of the main module needs.
var GoMod = wanting(reader("go-mod", biopsy.Locked, goMod, "go.mod"), func(path string) bool {
	return !strings.HasPrefix(path, "vendor/") && !strings.Contains(path, "/vendor/") // of a dependency: modules.txt says what is there
})

// goLine is one directive: `require example.com/a v1.2.3 // indirect`.
type goLine struct {
	line    int
	words   []string // verb first, also inside a block
	comment string
}

type goReplacement struct {
	path, version string // version is "" for a folder
}

func goMod(d *doc) error {
	lines := goLines(d.text)
	replaced := map[string]goReplacement{} // by "path" or "path version"
	self := biopsy.Claim{}
	selfLine := 0
	for _, l := range lines {
		switch {
		case l.words[0] == "module" && len(l.words) > 1:
			self, selfLine = pkg("golang", l.words[1], ""), l.line
		case l.words[0] == "replace":
			if from, to, ok := goReplace(l.words[1:]); ok {
				replaced[from] = to
			}
		}
	}
	for _, l := range lines {
		switch {
		case l.words[0] == "require" && len(l.words) >= 3:
			c, direct := goRequire(l, replaced)
			if direct {
				self.Needs = append(self.Needs, biopsy.Need{Purl: c.Purl, Name: fullName(c), Scope: biopsy.Runtime})
			}
			d.add(l.line, c)
		case l.words[0] == "tool" && len(l.words) > 1:
			extra(&self, "go.mod:tool", l.words[1])
		}
	}
	if self.Name == "" {
		return errors.New("no module line")
	}
	goVersion(d, lines)
	d.project(selfLine, self)
	return nil
}

// goRequire names the module that the build gets, which is the replacement where there is one.
func goRequire(l goLine, replaced map[string]goReplacement) (c biopsy.Claim, direct bool) {
	path, version := l.words[1], l.words[2]
	to, found := replaced[path+" "+version]
	if !found {
		to, found = replaced[path]
	}
	switch {
	case !found:
		c = pkg("golang", path, version)
	case to.version == "":
		c = goLocal(path, version, to.path)
	default:
		c = pkg("golang", to.path, to.version)
		extra(&c, "go.mod:replaces", path+" "+version)
	}
	c.Scope = biopsy.Runtime
	return c, l.comment != "indirect" && !strings.HasPrefix(l.comment, "indirect;")
}

// goLocal names a module that a folder stands in for. The folder is a copy, patched or not, and has what holes the version it was asked
// as has. A version that the go command puts where none was ever published leaves only the name.
func goLocal(path, version, folder string) biopsy.Claim {
	c := pkg("golang", path, version)
	if version == "" || version == "v0.0.0" || version == "v0.0.0-00010101000000-000000000000" {
		c = unnamed("golang", path, "")
	}
	extra(&c, "go:replaced-by", folder)
	return c
}

// goReplace reads `old [v] => new [v]`.
func goReplace(words []string) (from string, to goReplacement, ok bool) {
	left, right, _ := strings.Cut(strings.Join(words, " "), " => ")
	right = strings.Trim(right, "\"`") // a folder with blanks
	path, version, _ := strings.Cut(right, " ")
	if strings.HasPrefix(right, ".") || strings.HasPrefix(right, "/") || strings.Contains(right, `:\`) { // a folder
		path, version = right, ""
	}
	return left, goReplacement{path, version}, left != "" && path != ""
}

// goVersion claims the standard library. "toolchain", or since Go 1.21 a "go" line of three numbers, names the oldest compiler that
// builds the project, and the one it gets by default. "go 1.17" only names a language and says nothing of the library that ships.
func goVersion(d *doc, lines []goLine) {
	language, version, at := "", "", 0
	for _, l := range lines {
		if len(l.words) < 2 {
			continue
		}
		switch l.words[0] {
		case "go":
			language, at = l.words[1], l.line
			if strings.Count(language, ".") == 2 && version == "" {
				version = language
			}
		case "toolchain":
			if v, ok := strings.CutPrefix(l.words[1], "go"); ok {
				version, _, _ = strings.Cut(v, "-") // "go1.23.6-custom"
				at = l.line
			}
		}
	}
	if version != "" {
		c := pkg("golang", "stdlib", version)
		c.State = biopsy.Declared
		extra(&c, "go.mod:go", language)
		d.add(at, c)
	}
}

// goLines reads the grammar that go.mod, go.work and their blocks share.
func goLines(text []byte) []goLine {
	var all []goLine
	block, line := "", 0
	for raw := range bytes.Lines(text) {
		line++
		code, comment, _ := strings.Cut(string(raw), "//")
		words := strings.Fields(code)
		switch {
		case len(words) == 0:
		case block != "" && words[0] == ")":
			block = ""
		case block == "" && len(words) == 2 && words[1] == "(":
			block = words[0]
		default:
			if block != "" {
				words = append([]string{block}, words...)
			}
			for i, w := range words {
				if s, err := strconv.Unquote(w); err == nil {
					words[i] = s
				}
			}
			all = append(all, goLine{line, words, strings.TrimSpace(comment)})
		}
	}
	return all
}

// GoWork reads go.work: the Go version and, in replacements, versions that win over those of the modules in it.
var GoWork = reader("go-work", biopsy.Declared, goWork, "go.work")

func goWork(d *doc) error {
	lines := goLines(d.text)
	for _, l := range lines {
		if l.words[0] != "replace" {
			continue
		}
		if from, to, ok := goReplace(l.words[1:]); ok && to.version != "" {
			c := pkg("golang", to.path, to.version)
			extra(&c, "go.mod:replaces", from)
			d.add(l.line, c)
		}
	}
	goVersion(d, lines)
	return nil
}
