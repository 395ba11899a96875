package installed

import (
	"path"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy/eco"
)

// umbrellas are group prefixes that many unrelated projects share: standing under one says little.
var umbrellas = map[string]bool{"org.apache": true, "com.google": true, "org.eclipse": true, "com.sun": true, "org.codehaus": true, "com.github": true,
	"io.github": true, "com.ibm": true, "com.oracle": true, "net.sf": true, "net.sourceforge": true, "javax.xml": true, "org.w3c": true}

// genericWords are parts of artifact names that say nothing about the project.
var genericWords = map[string]bool{"api": true, "all": true, "base": true, "client": true, "common": true, "commons": true, "core": true, "ext": true, "impl": true,
	"java": true, "lib": true, "main": true, "server": true, "util": true, "utils": true}

// words are the telling parts of names.
func words(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		for _, w := range strings.FieldsFunc(n, func(r rune) bool { return r == '-' || r == '.' || r == '_' }) {
			if w = strings.ToLower(w); !genericWords[w] && len(w) > 1 {
				m[w] = true
			}
		}
	}
	return m
}

// mostly tells whether at least half of the classes stand under the first two elements of a group, or, where these are an
// umbrella, in a folder named for the rest of the group or the artifact. An archive without classes is mostly anything.
func (j *jar) mostly(group, artifact string) bool {
	parts := strings.SplitN(group, ".", 3)
	first := strings.Join(parts[:min(2, len(parts))], ".")
	root, rest := strings.ReplaceAll(first, ".", "/"), ""
	if len(parts) == 3 {
		rest = parts[2]
	}
	if umbrellas[first] || len(parts) < 2 {
		root = "" // the words must tell
	}
	j.count()
	most := 0
	if root != "" {
		most = j.tops[root]
	}
	for w := range words(rest, artifact) {
		most = max(most, j.words[w])
	}
	return 2*most >= j.classes
}

// about tells whether some folder of classes is named for the artifact.
func (j *jar) about(artifact string) bool {
	j.count()
	for w := range words(artifact) {
		if j.words[w] > 0 {
			return true
		}
	}
	return false
}

// maxElements is how deep into a folder's name words are looked for.
const maxElements = 16

// count counts, once, the classes under each word that is an element of a folder, and under the first one and two elements.
func (j *jar) count() {
	if j.words != nil {
		return
	}
	j.words, j.tops = map[string]int{}, map[string]int{}
	for folder, classes := range j.folders {
		elements := strings.SplitN(folder, "/", maxElements+1)
		elements = elements[:min(maxElements, len(elements))]
		for i, e := range elements {
			if e = strings.ToLower(e); !slices.Contains(elements[:i], e) {
				j.words[e] += classes
			}
		}
		j.tops[elements[0]] += classes
		if len(elements) > 1 {
			j.tops[elements[0]+"/"+elements[1]] += classes
		}
	}
}

// domains are what names of packages start with.
var domains = map[string]bool{"com": true, "org": true, "net": true, "io": true, "de": true, "javax": true, "jakarta": true}

// dottedGroup takes the group from an artifact whose name starts with it: "jakarta.servlet.jsp-api" is of jakarta.servlet.jsp,
// "org.eclipse.jgit.http.server" of org.eclipse.jgit, "org.mortbay.jasper.apache-el" of org.mortbay.jasper. "" for other names.
func dottedGroup(artifact string) string {
	parts := strings.Split(artifact, ".")
	switch {
	case len(parts) < 2 || !domains[parts[0]]:
		return ""
	case strings.HasPrefix(parts[0], "ja"):
		return strings.TrimSuffix(artifact, "-api")
	case len(parts) == 2:
		return ""
	case parts[1] == "eclipse":
		return strings.Join(parts[:3], ".")
	}
	return strings.Join(parts[:len(parts)-1], ".")
}

// lastWord is what stands behind the last dot.
func lastWord(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }

// group applies rule 4 and tells whether the answer is inferred.
func (j *jar) group(artifact, version string) (group string, inferred bool) {
	for _, r := range knownGroups() {
		if ok, err := path.Match(r.artifact, artifact); err == nil && ok && (r.root == "*" || j.holds(r.root)) && r.covers(version) {
			switch {
			case r.group == "=":
				return artifact, false
			case r.group != "-" || len(j.folders) > 0:
				return r.group, false
			}
		}
	}
	if group, ok := strings.CutSuffix(j.manifest.symbolicName(), "."+artifact); ok && strings.Contains(group, ".") && !umbrellas[group] {
		return group, true
	}
	if group := dottedGroup(artifact); group != "" {
		return group, true
	}
	if v := j.manifest.main("Implementation-Vendor-Id"); strings.Contains(v, ".") && !strings.ContainsAny(v, " /") && j.mostly(v, "") && !umbrellas[v] {
		return v, true
	}
	return j.shared(artifact), true
}

// covers tells whether the rule is meant for the version. A rule for old versions is not for one that is unknown or odd.
func (r groupRule) covers(version string) bool {
	if r.before == "" {
		return true
	}
	n, err := eco.Compare("Maven", version, r.before)
	return version != "" && err == nil && n < 0
}

// shared is the folder that all classes share but those of embedded poms, at most three deep, without a last element that only
// repeats the artifact's name. "" when they share less than two elements.
func (j *jar) shared(artifact string) string {
	common := ""
	for folder := range j.folders {
		switch {
		case folder == "" || j.foreign(folder):
		case common == "":
			common = folder
		default:
			common = commonFolder(common, folder)
			if common == "" {
				return ""
			}
		}
	}
	parts := strings.Split(common, "/")
	if parts = parts[:min(3, len(parts))]; len(parts) < 2 {
		return ""
	}
	if last := parts[len(parts)-1]; len(parts) == 3 && strings.Contains(artifact, last) && parts[0] != "com" {
		parts = parts[:2]
	}
	if group := strings.Join(parts, "."); !umbrellas[group] {
		return group
	}
	return ""
}

// foreign tells whether a folder belongs to an embedded pom, because it stands under the first two elements of its group, or to
// the launcher of a Spring Boot program.
func (j *jar) foreign(folder string) bool {
	if under(folder, "org/springframework/boot/loader") && j.manifest.main("Start-Class") != "" {
		return true
	}
	return slices.ContainsFunc(j.roots, func(root string) bool { return under(folder, root) })
}

// holds tells whether some class stands under root.
func (j *jar) holds(root string) bool {
	for folder := range j.folders {
		if under(folder, root) {
			return true
		}
	}
	return len(j.folders) == 0 && j.nested == 0 && j.ending == ".jar" // resources only: the name must do
}

// all tells whether every class in a package stands under root.
func (j *jar) all(root string) bool {
	for folder := range j.folders {
		if folder != "" && !under(folder, root) {
			return false
		}
	}
	return len(j.folders) > 0
}

// under tells whether a folder is root or inside it.
func under(folder, root string) bool {
	return strings.HasPrefix(folder, root) && (len(folder) == len(root) || root == "" || folder[len(root)] == '/')
}

// commonFolder returns the deepest folder that holds both.
func commonFolder(a, b string) string {
	n := 0
	for i := 0; i <= len(a) && i <= len(b); i++ {
		endA, endB := i == len(a) || a[i] == '/', i == len(b) || b[i] == '/'
		if endA && endB {
			n = i
		}
		if i == len(a) || i == len(b) || a[i] != b[i] {
			break
		}
	}
	return a[:n]
}
