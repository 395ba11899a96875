package boot

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/nameset"
)

// Module reads kernel modules that are not of the kernel's own tree. Those that are belong to the kernel and are no components of their own.
var Module = biopsy.Extractor{
	Name:    "linux-module",
	Basis:   biopsy.Binary,
	From:    biopsy.Standard,
	Names:   []string{"*.ko"},
	Head:    func(head []byte) bool { return len(head) >= 52 && string(head[:4]) == elf.Magic },
	Extract: readModule,
}

const maxModinfo = 256 << 10 // drivers of modems name a thousand devices

func readModule(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	f, err := elf.Open(in.Content, in.Size())
	if errors.Is(err, elf.ErrNot) {
		return nil
	}
	if err != nil {
		return err
	}
	s, ok, err := f.Section(".modinfo")
	if err != nil || !ok {
		return err
	}
	b, err := f.Data(s, maxModinfo)
	if err != nil {
		return err
	}
	info := map[string]string{}
	for _, word := range strings.Split(string(b), "\x00") {
		if key, value, ok := strings.Cut(word, "="); ok && info[key] == "" {
			info[key] = value
		}
	}
	if ofTheTree(in.Path, info) {
		return nil
	}
	c := biopsy.Claim{Kind: biopsy.Library, Eco: "generic", Name: info["name"], Version: info["version"], State: biopsy.Installed, Arch: f.Arch(), Description: info["description"], Extra: map[string]string{}}
	if c.Name == "" {
		c.Name = strings.TrimSuffix(path.Base(in.Path), ".ko")
	}
	if c.Version != "" {
		c.Purl = eco.Purl("generic", "", c.Name, c.Version)
	}
	if l := info["license"]; l != "" {
		c.Licenses = []biopsy.License{moduleLicense(l)}
	}
	for key, value := range map[string]string{"linux:vermagic": info["vermagic"], "linux:depends": info["depends"], "linux:author": info["author"], "linux:srcversion": info["srcversion"]} {
		if value != "" {
			c.Extra[key] = value
		}
	}
	emit(biopsy.Evidence{Claim: c, Basis: biopsy.Binary, Confidence: 0.95})
	return nil
}

// ofTheTree: the kernel's build marks its own modules; before Linux 3.2 only the folder tells. What may not be linked with it never is.
func ofTheTree(p string, info map[string]string) bool {
	if info["license"] == "Proprietary" {
		return false
	}
	return info["intree"] == "Y" || strings.Contains(p, "lib/modules/") && strings.Contains(p, "/kernel/") && info["version"] == ""
}

// moduleLicense maps the words of include/linux/module.h.
func moduleLicense(s string) biopsy.License {
	words := map[string]string{"GPL": "GPL-2.0-only", "GPL v2": "GPL-2.0-only", "GPL and additional rights": "GPL-2.0-only", "Dual BSD/GPL": "BSD-3-Clause OR GPL-2.0-only",
		"Dual MIT/GPL": "MIT OR GPL-2.0-only", "Dual MPL/GPL": "MPL-1.1 OR GPL-2.0-only"}
	if e := words[s]; e != "" {
		return biopsy.License{Expression: e, Basis: "declared"}
	}
	return biopsy.License{Name: s, Basis: "declared"}
}

// ModuleTree reads which kernel the modules of a root file system are for, and which there are: the folder bears its release, depmod
// lists the modules, the kernel's build those that became part of it.
var ModuleTree = biopsy.Extractor{
	Name:    "linux-modules",
	Basis:   biopsy.Filename,
	Names:   []string{"lib/modules/*/modules.dep", "lib/modules/*/modules.builtin"},
	Extract: readModuleTree,
}

func readModuleTree(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	release := path.Base(path.Dir(in.Path))
	if upstreamRelease.FindString(release) == "" {
		return nil
	}
	what := "linux:modules"
	if path.Base(in.Path) == "modules.builtin" {
		what = "linux:builtin"
	}
	set, err := moduleNames(in)
	w := linuxKernel(upstream(release), map[string]string{"linux:release": release})
	if err == nil && set.Len() > 0 {
		w.symbols, w.extra[what] = set.String(), strconv.Itoa(set.Len())
	}
	w.confidence = 0.8
	e := w.evidence(in)
	e.Basis = biopsy.Filename
	emit(e)
	return err
}

// moduleNames reads "kernel/fs/fat/fat.ko.xz: kernel/..." and "kernel/fs/fat/fat.ko", as paths of the source tree: "fs/fat/fat.ko".
func moduleNames(in biopsy.Input) (*nameset.Set, error) {
	set := &nameset.Set{}
	s := bufio.NewScanner(in.Reader())
	s.Buffer(nil, 1<<20) // a module that needs a hundred others
	for s.Scan() {
		name, _, _ := strings.Cut(s.Text(), ":")
		rest, ofTheTree := strings.CutPrefix(name, "kernel/")
		module, _, ok := strings.Cut(rest, ".ko")
		if ofTheTree && ok {
			set.Add(module + ".ko")
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("list of modules: %w", err)
	}
	return set, nil
}
