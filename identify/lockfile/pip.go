package lockfile

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Requirements reads pip's requirements files (pip 25 documentation, "Requirements File Format"; PEP 508). "==" is a lock, all else
// is a wish without a version.
var Requirements = reader("pip-requirements", biopsy.Declared, requirements,
	"requirements*.txt", "*-requirements.txt", "*_requirements.txt", "requirements/*.txt", "constraints*.txt")

// constrains tells a constraints file: it says which version of a package is installed, and not whether it is.
func constrains(p string) bool { return strings.HasPrefix(path.Base(p), "constraints") }

func requirements(d *doc) error {
	scope := biopsy.Scope("")
	if madeForTools(d.Path) {
		scope = biopsy.Development
	}
	lines, versions := continued(d.text), pyVersions{}
	for _, l := range lines {
		if c := requirement(l.text); c.Version != "" {
			versions.add(c.Name, c.Version)
		}
	}
	via := requiredBy(d.text)
	for _, l := range lines {
		c := requirement(l.text)
		c.Scope = scope
		for _, name := range via[pyFold(c.Name)] {
			c.Needs = append(c.Needs, versions.need(name, biopsy.Runtime))
		}
		if constrains(d.Path) {
			c = managed(c)
		}
		d.add(l.line, c)
	}
	return nil
}

// requiredBy reads the comments of pip-compile and uv, "# via flask" behind or below the package that flask needs. It returns what
// each folded name needs, in the order of the file.
func requiredBy(text []byte) map[string][]string {
	needs := map[string][]string{}
	name, listing := "", false
	note := func(parents string) {
		for p := range strings.SplitSeq(parents, ",") {
			if p = pyFold(pythonName(strings.TrimSpace(p))); p != "" && name != "" {
				needs[p] = append(needs[p], name)
			}
		}
	}
	for raw := range bytes.Lines(text) {
		s := strings.TrimSpace(string(raw))
		code, comment, _ := strings.Cut(s, "#")
		if code != "" && !strings.HasPrefix(code, "--") {
			name, listing = pythonName(code), false
		}
		parents, first := strings.CutPrefix(strings.TrimSpace(comment), "via")
		switch {
		case first:
			listing = true
			note(parents)
		case listing && code == "":
			note(comment)
		}
	}
	return needs
}

// madeForTools tells by a file's name that it lists what only the makers need: "requirements-dev.txt", "requirements/test.txt".
func madeForTools(p string) bool {
	base := strings.ToLower(strings.TrimSuffix(path.Base(p), path.Ext(p)))
	words := strings.FieldsFunc(base, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"dev", "develop", "development", "test", "tests", "testing", "lint", "docs", "doc", "ci"}, w)
	})
}

// numbered is a line of text and its number.
type numbered struct {
	line int
	text string
}

// continued joins lines that end in a backslash and drops comments. A "#" starts one at the line's start or behind white space.
func continued(text []byte) []numbered {
	var all []numbered
	var more []byte // what continues the last line
	flush := func() {
		if len(all) > 0 {
			all[len(all)-1].text += string(more)
		}
		more = more[:0]
	}
	open, line := false, 0
	for raw := range bytes.Lines(text) {
		line++
		s := strings.TrimSpace(string(raw))
		if strings.HasPrefix(s, "#") {
			s = ""
		} else if i := strings.Index(s, " #"); i >= 0 {
			s = strings.TrimSpace(s[:i])
		}
		body, unfinished := strings.CutSuffix(s, "\\")
		switch {
		case open:
			more = append(append(more, ' '), strings.TrimSpace(body)...)
		case body != "":
			flush()
			all = append(all, numbered{line, strings.TrimSpace(body)})
		}
		open = unfinished && len(all) > 0
	}
	flush()
	return all
}

// requirement reads one line: "name[extra]==1.0 ; marker --hash=sha256:...", "name @ url", "git+url#egg=name". Options of pip and local
// paths name no package.
func requirement(line string) biopsy.Claim {
	line = strings.TrimPrefix(strings.TrimPrefix(line, "-e "), "--editable ")
	line, options, _ := strings.Cut(line, " -")
	line, _, _ = strings.Cut(line, ";")
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '-' {
		return biopsy.Claim{}
	}
	if _, after, ok := strings.Cut(line, "#egg="); ok {
		name, _, _ := strings.Cut(after, "&")
		return fromAddress(pythonName(name), line)
	}
	if name, version := wheel(line); name != "" && !strings.Contains(line, " @ ") {
		c := pkg("pypi", name, version)
		c.State, c.Download = biopsy.Locked, webURL(line)
		return c
	}
	name := pythonName(line)
	rest := strings.TrimSpace(line[len(name):])
	if strings.HasPrefix(rest, "[") {
		_, rest, _ = strings.Cut(rest, "]")
		rest = strings.TrimSpace(rest)
	}
	switch {
	case name == "" || (rest != "" && !strings.ContainsAny(rest[:1], "=<>!~(@")): // paths, addresses, prose
		return biopsy.Claim{}
	case strings.HasPrefix(rest, "@"):
		return fromAddress(name, strings.TrimSpace(rest[1:]))
	}
	return pinned(name, strings.Trim(rest, "() "), options)
}

// wheel reads the name and version that a wheel's file name has to have (PEP 427), at the end of a path or address; "" of all else.
func wheel(address string) (name, version string) {
	address, _, _ = strings.Cut(address, "#")
	base, isWheel := strings.CutSuffix(address[strings.LastIndexAny(address, `/\`)+1:], ".whl")
	parts := strings.Split(base, "-")
	if !isWheel || len(parts) < 5 || strings.ContainsAny(base, " @") {
		return "", ""
	}
	return parts[0], parts[1]
}

// pythonName is the longest start of s that may be a project's name (PEP 508).
func pythonName(s string) string {
	i := 0
	for i < len(s) && (s[i] == '-' || s[i] == '_' || s[i] == '.' || '0' <= s[i] && s[i] <= '9' || 'a' <= s[i]|0x20 && s[i]|0x20 <= 'z') {
		i++
	}
	if strings.IndexAny(s, "-_.") == 0 {
		return ""
	}
	return strings.TrimRight(s[:i], "-_.")
}

func pinned(name, specifier, options string) biopsy.Claim {
	version, exact := strings.CutPrefix(specifier, "==")
	version = strings.TrimSpace(strings.TrimPrefix(version, "="))
	if !exact || strings.ContainsAny(version, ",*<>!~= $") || version == "" {
		c := pkg("pypi", name, "")
		extra(&c, "pip:specifier", specifier)
		return c
	}
	c := pkg("pypi", name, version)
	c.State = biopsy.Locked
	var hs []biopsy.Hash
	for _, o := range strings.Fields(options) {
		if h, ok := strings.CutPrefix(strings.TrimLeft(o, "-"), "hash="); ok {
			hs = append(hs, hexHash(h, "")...)
		}
	}
	c.Hashes = only(hs)
	return c
}

// only returns the hash when there is one. Several are of as many files, built for different machines, of which one is used.
func only(hs []biopsy.Hash) []biopsy.Hash {
	if len(hs) != 1 {
		return nil
	}
	return hs
}

func fromAddress(name, address string) biopsy.Claim {
	address, _, _ = strings.Cut(address, "#")
	c := pkg("pypi", name, "")
	if repo, ok := strings.CutPrefix(address, "git+"); ok {
		scheme, rest, _ := strings.Cut(repo, "://")
		rest, commit, _ := strings.Cut(rest, "@")
		origin(&c, scheme+"://"+rest, commit)
		return c
	}
	if _, version := wheel(address); version != "" {
		c = pkg("pypi", name, version)
		c.State = biopsy.Locked
	}
	c.Download = webURL(address)
	return c
}
