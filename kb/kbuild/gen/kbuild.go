package main

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// tree is what the Makefiles of one source tree say, by folder.
type tree struct {
	makefiles map[string]string // folder -> Kbuild or Makefile
	files     map[string]bool   // .c, .S and .rs files
	includes  map[string]bool   // .c files that other files include, by path where it can be told, else by base name
	tristate  map[string]bool   // options that can be modules
}

// term is one way in which an object is built: the options that must all be on, and which of them makes it a module.
type term struct {
	needs []string // sorted, without CONFIG_
	by    string   // the option of obj-$(CONFIG_X); "" when it is always built in
	name  string   // module: folder/name without .ko
}

// rules are what one folder's Makefile builds.
type rules struct {
	objects map[string][]term // object without .o -> options; name is empty
	members map[string][]part // member without .o -> the composites it is in
	folders map[string][]term // folder below -> options
	loose   map[string]bool   // objects that are named where no rule is understood: built always
}

type part struct {
	of    string
	needs []string
}

var (
	option   = regexp.MustCompile(`CONFIG_(\w+)`)
	object   = regexp.MustCompile(`([\w.+/$(){}-]+)\.o\b`)
	listed   = regexp.MustCompile(`^(obj|lib|core|drivers|net|virt|libs|init|head)-(.+)$`)
	plain    = regexp.MustCompile(`^(?:y|m|\$\(CONFIG_\w+\)|\$\(subst m,y,\$\(CONFIG_\w+\)\))$`)
	assign   = regexp.MustCompile(`^\s*([^\s:+?=#]+(?:\([^)]*\))*[^\s:+?=]*)\s*(?:\+|:|\?|::)?=\s*(.*)$`)
	ifOption = regexp.MustCompile(`^ifdef CONFIG_(\w+)$|^ifeq \(\$\(CONFIG_(\w+)\),\s*y\)$|^ifneq \(\$\(CONFIG_(\w+)\),\s*\)$`)
)

// read understands one Makefile. What it does not understand counts as built always: that can only keep a finding.
func read(text string) *rules {
	r := &rules{objects: map[string][]term{}, members: map[string][]part{}, folders: map[string][]term{}, loose: map[string]bool{}}
	var conditions [][]string // of the open ifs; nil where the condition is not understood
	for _, line := range logicalLines(text) {
		word, _, _ := strings.Cut(line, " ")
		switch word {
		case "ifdef", "ifndef", "ifeq", "ifneq":
			conditions = append(conditions, condition(line))
			continue
		case "else":
			if n := len(conditions); n > 0 {
				conditions[n-1] = nil
			}
			continue
		case "endif":
			if n := len(conditions); n > 0 {
				conditions = conditions[:n-1]
			}
			continue
		}
		if m := assign.FindStringSubmatch(line); m != nil {
			r.assign(m[1], withPrefix(m[2]), slices.Concat(conditions...))
		}
	}
	return r
}

func condition(line string) []string {
	if m := ifOption.FindStringSubmatch(line); m != nil {
		return []string{m[1] + m[2] + m[3]}
	}
	return nil
}

// logicalLines joins continued lines and drops comments.
func logicalLines(text string) []string {
	text = strings.ReplaceAll(text, "\\\n", " ")
	var out []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

var addPrefix = regexp.MustCompile(`\$\(addprefix\s+([\w./-]+)\s*,([^$()]*)\)`)

// withPrefix writes out $(addprefix libxfs/, a.o b.o).
func withPrefix(text string) string {
	return addPrefix.ReplaceAllStringFunc(text, func(s string) string {
		m := addPrefix.FindStringSubmatch(s)
		var out []string
		for _, word := range strings.Fields(m[2]) {
			out = append(out, m[1]+word)
		}
		return strings.Join(out, " ")
	})
}

// assign reads "LEFT += a.o b.o c/".
func (r *rules) assign(left, right string, conditions []string) {
	list := listed.FindStringSubmatch(left)
	switch {
	case list != nil && list[2] == "n" || list != nil && list[2] == "":
	case list != nil && plain.MatchString(list[2]):
		r.list(right, optionsOf(list[2]), conditions)
	case list != nil:
		r.unclear(right)
	default:
		r.composite(left, right, conditions)
	}
}

func optionsOf(s string) []string {
	var out []string
	for _, m := range option.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	return out
}

// list reads the targets of obj-$(CONFIG_X).
func (r *rules) list(right string, by, conditions []string) {
	t := term{needs: sorted(by, conditions)}
	if len(by) == 1 {
		t.by = by[0]
	}
	for _, word := range strings.Fields(right) {
		switch {
		case strings.HasSuffix(word, ".o") && !strings.Contains(word, "$"):
			name := path.Clean(strings.TrimSuffix(word, ".o"))
			r.objects[name] = append(r.objects[name], t)
		case strings.HasSuffix(word, "/") && !strings.Contains(word, "$"):
			r.folders[path.Clean(word)] = append(r.folders[path.Clean(word)], t)
		default:
			r.unclear(word)
		}
	}
}

var composite = regexp.MustCompile(`^([\w.+-]+?)-(?:(?:objs|y|m)|(?:objs-)?(\$\(CONFIG_\w+\)|\$\(subst m,y,\$\(CONFIG_\w+\)\)))$`)

// composite reads "name-objs := a.o" and "name-$(CONFIG_X) += a.o".
func (r *rules) composite(left, right string, conditions []string) {
	m := composite.FindStringSubmatch(left)
	if m == nil {
		r.unclear(right)
		return
	}
	for _, word := range strings.Fields(right) {
		if !strings.HasSuffix(word, ".o") || strings.Contains(word, "$") {
			r.unclear(word)
			continue
		}
		name := path.Clean(strings.TrimSuffix(word, ".o"))
		r.members[name] = append(r.members[name], part{of: m[1], needs: sorted(optionsOf(m[2]), conditions)})
	}
}

// unclear takes every object that a text names as built always.
func (r *rules) unclear(text string) {
	for _, m := range object.FindAllStringSubmatch(text, -1) {
		r.loose[m[1]] = true
	}
}

func sorted(lists ...[]string) []string {
	out := slices.Concat(lists...)
	slices.Sort(out)
	return slices.Compact(out)
}

// maxTerms bounds the ways of one object: more say nothing that a reader could follow, and the object counts as built always.
const maxTerms = 12

// resolve says for every source file how it comes into the kernel. Files that no rule names, that are included by others, or of which
// a rule is not understood are left out: about them nothing is known.
func (t *tree) resolve() map[string][]term {
	all := map[string]*rules{}
	for folder, text := range t.makefiles {
		all[folder] = read(text)
	}
	loose := map[string]bool{} // base names of objects behind variables
	for folder, r := range all {
		for name := range r.loose {
			if strings.Contains(name, "$") {
				loose[path.Base(name)] = true
			} else {
				loose[path.Join(folder, name)] = true
			}
		}
	}
	ways := map[string][]term{} // object path -> terms
	always := map[string]bool{} // objects that are built always
	folders := &folderTerms{rules: all, known: map[string][]term{}}
	folders.enter()
	for folder, r := range all {
		for name := range allObjects(r) {
			full := path.Join(folder, name)
			terms := r.object(folder, name, 0)
			if terms == nil {
				always[full] = true
				continue
			}
			ways[full] = append(ways[full], and(folders.of(folder, 0), terms)...)
		}
	}
	out := map[string][]term{}
	for file := range t.files {
		full := strings.TrimSuffix(file, path.Ext(file))
		if always[full] || loose[full] || loose[path.Base(full)] || t.includes[file] || t.includes[path.Base(file)] {
			continue
		}
		if terms := tidy(ways[full]); len(terms) > 0 && len(terms) <= maxTerms {
			out[file] = terms
		}
	}
	return out
}

func allObjects(r *rules) map[string]bool {
	out := map[string]bool{}
	for n := range r.objects {
		out[n] = true
	}
	for n := range r.members {
		out[n] = true
	}
	return out
}

// object returns the ways in which an object of a folder is built; nil when one of them is not understood.
func (r *rules) object(folder, name string, depth int) []term {
	var out []term
	for _, t := range r.objects[name] {
		t.name = path.Join(folder, name)
		out = append(out, t)
	}
	for _, p := range r.members[name] {
		if depth > 4 {
			return nil
		}
		whole := r.object(folder, p.of, depth+1)
		if whole == nil {
			return nil
		}
		for _, t := range whole {
			t.needs = sorted(t.needs, p.needs)
			out = append(out, t)
		}
	}
	return out
}

// folderTerms says on which options the build enters a folder.
type folderTerms struct {
	rules map[string]*rules
	from  map[string][]entry
	known map[string][]term
}

// entry is one Makefile's word that a folder is entered.
type entry struct {
	above string
	terms []term
}

// enter collects, for every folder that a Makefile names, who names it and on which options.
func (f *folderTerms) enter() {
	f.from = map[string][]entry{}
	for above, r := range f.rules {
		for below, terms := range r.folders {
			full := path.Join(above, below)
			f.from[full] = append(f.from[full], entry{above, terms})
		}
	}
}

// of returns at least one term: a folder that no Makefile names is entered always.
func (f *folderTerms) of(folder string, depth int) []term {
	if t, ok := f.known[folder]; ok {
		return t
	}
	out := []term{{}}
	if a := archOption(folder); a != "" {
		out = []term{{needs: []string{a}}}
	}
	f.known[folder] = out // until it is known better: cycles end here
	var found []term
	for _, e := range f.from[folder] {
		if depth > 16 || strings.HasPrefix(e.above, folder+"/") {
			return out
		}
		above := []term{{}}
		if e.above != "." {
			above = f.of(e.above, depth+1)
		}
		found = append(found, and(above, e.terms)...)
	}
	if found = tidy(found); len(found) > 0 && len(found) <= maxTerms {
		out = tidy(and(out, found))
	}
	for i := range out {
		out[i].by, out[i].name = "", "" // a folder is no module
	}
	f.known[folder] = tidy(out)
	return f.known[folder]
}

// archOption is the option that stands for an architecture's folder.
func archOption(folder string) string {
	rest, ok := strings.CutPrefix(folder, "arch/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	switch name {
	case "powerpc":
		return "PPC"
	case "sh":
		return "SUPERH"
	case "um":
		return "UML"
	}
	return strings.ToUpper(name)
}

// and joins every way of a with every way of b; the module is b's.
func and(a, b []term) []term {
	var out []term
	for _, x := range a {
		for _, y := range b {
			y.needs = sorted(x.needs, y.needs)
			out = append(out, y)
		}
	}
	return out
}

func tidy(terms []term) []term {
	slices.SortFunc(terms, func(a, b term) int {
		if c := slices.Compare(a.needs, b.needs); c != 0 {
			return c
		}
		return strings.Compare(a.name+"\x00"+a.by, b.name+"\x00"+b.by)
	})
	return slices.CompactFunc(terms, func(a, b term) bool { return slices.Equal(a.needs, b.needs) && a.name == b.name && a.by == b.by })
}
