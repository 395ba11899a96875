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
	build, from, version := buildOf(c)
	table, err := kbuild.Linux()
	if build == nil || version == "" || err != nil {
		return nil
	}
	return &witness{rule: "not-compiled", says: func(_ *biopsy.Advisory, af *biopsy.Affected) (presence, string) {
		if len(af.Files) == 0 || !aboutLinux(af) {
			return silent, ""
		}
		why, p := outside(af.Files, func(file string) string { return table.Absent(version, file, *build, compareKernels) })
		return p, why + " (" + from + ")"
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

// buildOf gathers what the evidence says of a kernel: of several configurations or lists of modules, what is in one is in the kernel.
func buildOf(c *biopsy.Component) (b *kbuild.Build, from, version string) {
	var configs, modules []*nameset.Set
	b = &kbuild.Build{}
	for i := range c.Evidence {
		e := &c.Evidence[i]
		if e.Shadowed || e.Claim.Symbols == "" || e.Claim.Name != "linux" {
			continue
		}
		set, err := nameset.Parse(e.Claim.Symbols)
		if err != nil {
			continue // a scan file that somebody else wrote: nothing is ruled out by it
		}
		x := e.Claim.Extra
		switch {
		case x["linux:modules"] != "":
			modules = append(modules, set)
		case x["linux:builtin"] != "":
			modules, b.BuiltIn = append(modules, set), true
		case x["linux:config-digest"] != "":
			configs = append(configs, set)
		default:
			continue
		}
		if version == "" {
			version = e.Claim.Version
		}
		from = e.Place.String()
	}
	if version == "" {
		version = upstreamVersion(c.Eco, c.Version)
	}
	b.Option, b.Module = optionOf(configs), moduleIn(modules)
	if b.Option == nil && b.Module == nil {
		return nil, "", ""
	}
	return b, from, version
}

func optionOf(configs []*nameset.Set) func(string) string {
	if len(configs) == 0 {
		return nil
	}
	return func(name string) string {
		for _, value := range []string{"y", "m"} {
			for _, s := range configs {
				if s.Has("CONFIG_" + name + "=" + value) {
					return value
				}
			}
		}
		return ""
	}
}

// moduleIn needs the list of modules: of built-in ones alone it knows nothing.
func moduleIn(lists []*nameset.Set) func(string) bool {
	if len(lists) == 0 {
		return nil
	}
	return func(name string) bool {
		for _, s := range lists {
			if s.Has(name + ".ko") {
				return true
			}
		}
		return false
	}
}

// appletBuild knows the applets of a BusyBox. nil when the component is none, or one of its places does not say.
func appletBuild(c *biopsy.Component) *witness {
	source, _ := sourceOf(c)
	if c.Name != "busybox" && source != "busybox" {
		return nil
	}
	var sets []*nameset.Set
	from := ""
	for i := range c.Evidence {
		e := &c.Evidence[i]
		if e.Claim.Extra["busybox:applets"] == "" {
			continue // a package database: the program that it brought speaks for it
		}
		s, err := nameset.Parse(e.Claim.Symbols)
		if err != nil {
			return nil
		}
		sets, from = append(sets, s), e.Place.String()
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
		for _, s := range sets {
			if s.Has(n) {
				return ""
			}
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
