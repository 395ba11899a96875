package match

import (
	"fmt"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/nameset"
	"github.com/biopsy-sca/biopsy/kb/kbuild"
)

// kernelBuild knows which options and modules the kernel of an image has. nil when the component is no kernel, or neither its
// configuration nor its modules were found.
func kernelBuild(c *biopsy.Component) *witness {
	if source, _ := sourceOf(c); c.Name != "linux" && source != "linux" {
		return nil
	}
	k := kernelOf(c)
	build, version := k.build(), k.version
	if version == "" {
		version = upstreamVersion(c.Eco, c.Version)
	}
	table, err := kbuild.Linux()
	if build.Option == nil && build.Module == nil || version == "" || err != nil {
		return nil
	}
	from := " (" + few(k.places) + ")"
	return &witness{rule: "not-compiled", says: func(_ *biopsy.Advisory, af *biopsy.Affected) (presence, string) {
		if len(af.Files) == 0 || !aboutLinux(af) {
			return silent, ""
		}
		for _, f := range af.Symbols {
			if inAny(k.functions, f) {
				return there, ""
			}
		}
		why, p := outside(af.Files, func(file string) string { return table.Absent(version, file, build, compareKernels) })
		return p, why + from
	}}
}

func compareKernels(a, b string) int {
	c, err := eco.Compare(upstreamEcosystem, a, b)
	if err != nil {
		return 0 // the same place in the order: neither below nor above
	}
	return c
}

func aboutLinux(af *biopsy.Affected) bool {
	switch af.Ecosystem {
	case "Linux":
		return true
	case "CPE":
		return af.Name == "linux:linux_kernel"
	case upstreamEcosystem:
		return af.Name == "linux" || af.Name == "linux_kernel"
	}
	return af.Name == "linux"
}

// outside judges by all source files that a record names: each must be absent. A header counts with the sources beside it; one that
// others may include cannot be told. Documents and the kernel's tools are no code of the image; a record that names nothing else does
// not say.
func outside(files []string, absent func(string) string) (why string, p presence) {
	folders := map[string]bool{}
	for _, file := range files {
		if !isCode(file) {
			continue
		}
		reason := absent(file)
		if reason == "" {
			return "", there
		}
		folders[path.Dir(file)] = true
		if why == "" {
			why = file + " is not compiled in: " + reason
		}
	}
	for _, file := range files {
		if path.Ext(file) == ".h" && !folders[path.Dir(file)] && !isTool(file) {
			return "", there
		}
	}
	if why == "" {
		return "", silent
	}
	return why, gone
}

func isCode(file string) bool {
	switch path.Ext(file) {
	case ".c", ".S", ".rs":
		return !isTool(file)
	}
	return false
}

func isTool(file string) bool {
	return strings.HasPrefix(file, "tools/") || strings.HasPrefix(file, "Documentation/") || strings.HasPrefix(file, "scripts/")
}

// kernel is what the evidence says of one: of several configurations or lists of modules, what is in one is in the kernel.
type kernel struct {
	version                   string // "" when no configuration states it
	configs, modules, builtin []*nameset.Set
	functions                 []*nameset.Set // of the kernel itself; those of modules are not among them
	places                    []string
	releases                  map[string]bool // all that were seen
	configured, listed        map[string]bool // those whose configuration, or list of modules, was found
}

func kernelOf(c *biopsy.Component) *kernel {
	k := &kernel{releases: map[string]bool{}, configured: map[string]bool{}, listed: map[string]bool{}}
	for i := range c.Evidence {
		e := &c.Evidence[i]
		if e.Shadowed || e.Claim.Name != "linux" {
			continue
		}
		release := e.Claim.Extra["linux:release"]
		if release != "" {
			k.releases[release] = true
		}
		if e.Claim.Symbols == "" {
			continue
		}
		set, err := nameset.Parse(e.Claim.Symbols)
		if err != nil {
			continue // a scan file that somebody else wrote: nothing is ruled out by it
		}
		x := e.Claim.Extra
		if x["linux:functions"] != "" {
			k.functions = append(k.functions, set)
		}
		switch {
		case x["linux:modules"] != "":
			k.modules, k.listed[release] = append(k.modules, set), true
		case x["linux:builtin"] != "":
			k.builtin = append(k.builtin, set)
		case x["linux:config-digest"] != "":
			k.configs, k.configured[release] = append(k.configs, set), true
		default:
			continue
		}
		if k.version == "" {
			k.version = e.Claim.Version
		}
		k.places = append(k.places, e.Place.String())
	}
	return k
}

// build hands the sets to the table. A list of what is built in says nothing of modules while their own list is missing; and where two
// kernels were seen, what one of them has says nothing of the other.
func (k *kernel) build() kbuild.Build {
	b := kbuild.Build{BuiltIn: len(k.builtin) > 0}
	if len(k.configs) > 0 && covers(k.configured, k.releases) {
		b.Option = func(name string) string {
			for _, value := range []string{"y", "m"} {
				if inAny(k.configs, "CONFIG_"+name+"="+value) {
					return value
				}
			}
			return ""
		}
	}
	if len(k.modules) > 0 && covers(k.listed, k.releases) {
		b.Module = func(name string) bool { return inAny(k.modules, name+".ko") || inAny(k.builtin, name+".ko") }
	}
	return b
}

func covers(known, all map[string]bool) bool {
	for release := range all {
		if !known[release] {
			return false
		}
	}
	return true
}

func inAny(sets []*nameset.Set, name string) bool {
	for _, s := range sets {
		if s.Has(name) {
			return true
		}
	}
	return false
}

// appletBuild knows the applets of a BusyBox. nil when the component is none, or one of its places does not say.
func appletBuild(c *biopsy.Component) *witness {
	source, _ := sourceOf(c)
	if c.Name != "busybox" && source != "busybox" {
		return nil
	}
	var sets []*nameset.Set
	from := ""
	programs := map[string]bool{} // true where the applets were read
	for i := range c.Evidence {
		e := &c.Evidence[i]
		if e.Shadowed || e.Basis != biopsy.Binary {
			continue // a package database: the program that it brought speaks for it
		}
		known := e.Claim.Extra["busybox:applets"] != ""
		programs[e.Place.Path] = programs[e.Place.Path] || known
		if !known {
			continue
		}
		s, err := nameset.Parse(e.Claim.Symbols)
		if err != nil {
			return nil
		}
		sets, from = append(sets, s), e.Place.String()
	}
	for _, known := range programs {
		if !known {
			return nil
		}
	}
	if len(sets) == 0 {
		return nil
	}
	return &witness{rule: "not-compiled", says: func(_ *biopsy.Advisory, af *biopsy.Affected) (presence, string) {
		if len(af.Files) == 0 || af.Name != "busybox" && af.Name != "busybox:busybox" {
			return silent, ""
		}
		why, p := outside(af.Files, func(file string) string { return withoutApplet(file, sets) })
		return p, why + " (" + from + ")"
	}}
}

func withoutApplet(file string, sets []*nameset.Set) string {
	names := kbuild.Applets(file)
	for _, n := range names {
		if inAny(sets, n) {
			return ""
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "the applet " + names[0] + " is not built in"
	}
	return fmt.Sprintf("none of the applets %s is built in", few(names))
}
