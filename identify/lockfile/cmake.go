package lockfile

import (
	"bytes"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// CMake reads what CMake files say in plain words: the project with its version, and the sources they fetch by FetchContent,
// ExternalProject or CPM (cmake-language(7), 4.2). Variables are followed inside the file only; nothing is run.
var CMake = reader("cmake", biopsy.Declared, cmake, "CMakeLists.txt", "*.cmake")

// cmakeCommand is one invocation: name(args).
type cmakeCommand struct {
	line int
	name string // lower case
	args []string
}

func cmake(d *doc) error {
	set := map[string]string{}
	bare := cmakeCommand{} // a project() call that leaves the version to variables
	for _, c := range cmakeCommands(d) {
		for i, a := range c.args {
			c.args[i] = cmakeExpand(a, set)
		}
		if len(c.args) == 0 {
			continue
		}
		switch c.name {
		case "set":
			if len(c.args) >= 2 && len(set) < 10_000 {
				set[c.args[0]] = c.args[1]
			}
		case "project":
			if !cmakeProject(d, c, set) && bare.name == "" {
				bare = c
			}
		case "fetchcontent_declare", "externalproject_add":
			d.add(c.line, cmakeFetched(c.args[0], cmakeOptions(c.args[1:])))
		case "cpmaddpackage", "cpmfindpackage":
			d.add(c.line, cpmPackage(c.args))
		}
	}
	if bare.name != "" {
		d.project(bare.line, cmakeVersioned(bare.args[0], set))
	}
	return d.ctx.Err()
}

// cmakeProject claims a project that states its version, and keeps it for later variables. False when it states none.
func cmakeProject(d *doc, c cmakeCommand, set map[string]string) bool {
	o := cmakeOptions(c.args[1:])
	set["PROJECT_NAME"], set["PROJECT_VERSION"] = c.args[0], o["VERSION"]
	if !numeric(o["VERSION"]) || strings.Contains(c.args[0], "${") {
		return false
	}
	p := pkg("generic", c.args[0], o["VERSION"])
	p.Description, p.Homepage = o["DESCRIPTION"], webURL(o["HOMEPAGE_URL"])
	d.project(c.line, p)
	return true
}

// cmakeVersioned claims a project whose file sets its version in a variable of one of the usual names.
func cmakeVersioned(name string, set map[string]string) biopsy.Claim {
	upper := strings.ToUpper(strings.NewReplacer(" ", "", "-", "_").Replace(name))
	for _, prefix := range []string{"", "PROJECT_", name + "_", upper + "_"} {
		if v := set[prefix+"VERSION"]; numeric(v) {
			return pkg("generic", name, v)
		}
		v := set[prefix+"VERSION_MAJOR"] + "." + set[prefix+"VERSION_MINOR"] + "." + set[prefix+"VERSION_PATCH"]
		if numeric(v) {
			return pkg("generic", name, v)
		}
	}
	return biopsy.Claim{}
}

// numeric tells whether a version starts with two numbers and has no unknown part.
func numeric(version string) bool {
	first, rest, ok := strings.Cut(version, ".")
	return ok && first != "" && strings.Trim(first, "0123456789") == "" && rest != "" && '0' <= rest[0] && rest[0] <= '9' &&
		!strings.HasSuffix(rest, ".") && !strings.ContainsAny(version, "${}@ ")
}

// cmakeKeys are the words that take the argument behind them.
var cmakeKeys = map[string]bool{
	"VERSION": true, "DESCRIPTION": true, "HOMEPAGE_URL": true, "GIT_REPOSITORY": true, "GIT_TAG": true, "URL": true, "URL_HASH": true,
	"URL_MD5": true, "NAME": true, "GITHUB_REPOSITORY": true, "GITLAB_REPOSITORY": true, "BITBUCKET_REPOSITORY": true,
}

func cmakeOptions(args []string) map[string]string {
	o := map[string]string{}
	for i := 0; i+1 < len(args); i++ {
		if cmakeKeys[args[i]] {
			o[args[i]] = args[i+1]
			i++
		}
	}
	return o
}

// cmakeFetched names what is fetched from version control, or from an address whose file name ends in a version.
func cmakeFetched(name string, o map[string]string) biopsy.Claim {
	if repo := o["GIT_REPOSITORY"]; repo != "" && !strings.Contains(repo, "${") {
		tag := o["GIT_TAG"]
		if strings.Contains(tag, "${") || tag == "master" || tag == "main" {
			tag = ""
		}
		return hosted(repo, tag)
	}
	address := webURL(o["URL"])
	if address == "" || strings.Contains(address, "${") {
		return biopsy.Claim{}
	}
	c := pkg("generic", name, archiveVersion(address))
	c.Download = address
	if alg, sum, ok := strings.Cut(o["URL_HASH"], "="); ok {
		c.Hashes = hexHash(sum, alg)
	}
	return c
}

// archiveVersion is the version in "name-1.2.3.tar.gz", "v1.2.3.zip" or "1.2.3/file"; "" when the file name holds none.
func archiveVersion(address string) string {
	base := path.Base(address)
	for _, end := range []string{".gz", ".xz", ".bz2", ".zst", ".tar", ".tgz", ".zip", ".7z"} {
		base = strings.TrimSuffix(base, end)
	}
	for i := 0; i < len(base); i++ {
		if '0' <= base[i] && base[i] <= '9' && (i == 0 || base[i-1] == '-' || base[i-1] == '_' || base[i-1] == 'v') && strings.ContainsRune(base[i:], '.') {
			return base[i:]
		}
	}
	return ""
}

// cpmPackage reads CPMAddPackage("gh:owner/name@1.0") or ("gh:owner/name#tag"), and the form with keys (CPM.cmake 0.42).
func cpmPackage(args []string) biopsy.Claim {
	if len(args) > 1 {
		return cpmKeys(cmakeOptions(args))
	}
	short := args[0]
	host, rest, ok := strings.Cut(short, ":")
	hosts := map[string]string{"gh": "https://github.com/", "gl": "https://gitlab.com/", "bb": "https://bitbucket.org/"}
	if !ok || hosts[host] == "" || strings.Contains(rest, "${") {
		return biopsy.Claim{}
	}
	version := ""
	if i := strings.LastIndexAny(rest, "@#"); i >= 0 {
		rest, version = rest[:i], rest[i+1:]
	}
	return hosted(hosts[host]+rest, version)
}

func cpmKeys(o map[string]string) biopsy.Claim {
	for _, host := range [][2]string{{"GITHUB_REPOSITORY", "github.com"}, {"GITLAB_REPOSITORY", "gitlab.com"}, {"BITBUCKET_REPOSITORY", "bitbucket.org"}} {
		if o[host[0]] != "" {
			o["GIT_REPOSITORY"] = "https://" + host[1] + "/" + o[host[0]]
		}
	}
	o["GIT_TAG"] = first(o["GIT_TAG"], o["VERSION"])
	return cmakeFetched(o["NAME"], o)
}

// cmakeExpand replaces the variables that the file itself has set; the others stay as "${name}".
func cmakeExpand(s string, set map[string]string) string {
	for range 10 {
		from := strings.LastIndex(s, "${")
		if from < 0 {
			return s
		}
		length := strings.IndexByte(s[from:], '}')
		if length < 0 {
			return s
		}
		value, ok := set[s[from+2:from+length]]
		if !ok || len(s)+len(value) > 1<<12 {
			return s
		}
		s = s[:from] + value + s[from+length+1:]
	}
	return s
}

// cmakeCommands splits the text into invocations. Broken text yields those before the break: CMake files are full of generated parts,
// and what they fetch stands whole on its own.
func cmakeCommands(d *doc) []cmakeCommand {
	var all []cmakeCommand
	t := d.text
	var open *cmakeCommand
	depth := 0
	for i := 0; i < len(t); {
		c := t[i]
		switch {
		case c == '#':
			i = cmakeComment(t, i)
		case open != nil && c == '(':
			depth++
			i++
		case open != nil && c == ')':
			if depth--; depth == 0 {
				all = append(all, *open)
				open = nil
			}
			i++
		case open != nil && c == '"':
			end := cmakeQuoted(t, i)
			open.args = append(open.args, string(bytes.Trim(t[i:end], `"`)))
			i = end
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		default:
			end := i + bytes.IndexAny(t[i:], " \t\r\n()#\"")
			if end <= i {
				end = max(i+1, end)
				if !bytes.ContainsAny(t[i:], " \t\r\n()#\"") {
					end = len(t)
				}
			}
			if open != nil {
				open.args = append(open.args, string(t[i:end]))
			} else if next := bytes.TrimLeft(t[end:], " \t"); len(next) > 0 && next[0] == '(' {
				open, depth = &cmakeCommand{line: d.lines.at(i), name: strings.ToLower(string(t[i:end]))}, 0
			}
			i = end
		}
	}
	return all
}

// cmakeComment returns the end of "# ..." or "#[[ ... ]]".
func cmakeComment(t []byte, i int) int {
	end := []byte("\n")
	if bytes.HasPrefix(t[i:], []byte("#[[")) {
		end = []byte("]]")
	}
	n := bytes.Index(t[i:], end)
	if n < 0 {
		return len(t)
	}
	return i + n + len(end)
}

// cmakeQuoted returns the offset behind the closing quote.
func cmakeQuoted(t []byte, i int) int {
	for i++; i < len(t); i++ {
		switch t[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(t)
}
