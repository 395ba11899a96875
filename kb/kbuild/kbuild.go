// Package kbuild knows what builds a source file of the Linux kernel: which options must be on, and which module it goes into.
//
// In: a kernel's version, a source file, and what is known of a build: its options, its modules. Out: whether the file's code can be
// in that kernel, and why not. The facts were read from the Makefiles of some releases (gen); of a file that they do not know, or
// whose rules were not understood, nothing is said. It will never say that code is absent because of a release that lies far from the
// kernel's without the releases on both sides agreeing.
package kbuild

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./gen

//go:embed linux.gz
var packed []byte

// Table is the facts of all releases.
type Table struct {
	versions []string // ascending
	modular  map[string]bool
	files    map[string]string // file -> " MASK TERM TERM MASK TERM", as gen writes it
}

// Linux returns the built-in table.
var Linux = sync.OnceValues(func() (*Table, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return read(z)
})

// Build is what is known of a kernel.
type Build struct {
	// Option returns "y", "m" or "" for an option without CONFIG_; nil when the configuration is not known.
	Option func(name string) string
	// Module says whether a module is in the image or built in, by its path in the source tree without ".ko"; nil when the list of
	// modules is not known. BuiltIn says that modules which are built in count there too.
	Module  func(name string) bool
	BuiltIn bool
}

// errForm means that a table was not written by gen.
var errForm = errors.New("kbuild: damaged table")

func read(r io.Reader) (*Table, error) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 4<<20)
	t := &Table{modular: map[string]bool{}, files: map[string]string{}}
	if !s.Scan() {
		return nil, errors.Join(errForm, s.Err())
	}
	t.versions = strings.Fields(s.Text())
	if !s.Scan() {
		return nil, errors.Join(errForm, s.Err())
	}
	for _, o := range strings.Fields(s.Text()) {
		t.modular[o] = true
	}
	last := ""
	for s.Scan() {
		shared, rest, _ := strings.Cut(s.Text(), " ")
		n, err := strconv.Atoi(shared)
		if err != nil || n < 0 || n > len(last) {
			return nil, errForm
		}
		name, ways, _ := strings.Cut(rest, " ")
		last = last[:n] + name
		t.files[last] = ways
	}
	return t, s.Err()
}

// term is one way in which a file is built.
type term struct {
	needs  []string
	by     string // the option that makes it a module
	module string
}

// terms returns what a file is built by in one release.
func (t *Table) terms(file string, release int) []term {
	var out []term
	take := false
	for _, word := range strings.Fields(t.files[file]) {
		needs, rest, ok := strings.Cut(word, ":")
		if !ok {
			mask, err := strconv.Atoi(word)
			take = err == nil && mask>>release&1 == 1
			continue
		}
		if !take {
			continue
		}
		by, module, _ := strings.Cut(rest, ":")
		x := term{by: by, module: cmp.Or(module, strings.TrimSuffix(file, path.Ext(file)))}
		if needs != "" {
			x.needs = strings.Split(needs, ",")
		}
		out = append(out, x)
	}
	return out
}

// Absent says why the code of a source file cannot be in a kernel; "" when it can, or when that is not known. compare orders kernel
// versions.
func (t *Table) Absent(version, file string, b Build, compare func(a, b string) int) string {
	why := ""
	for _, release := range t.around(version, file, compare) {
		reasons := []string{}
		for _, x := range t.terms(file, release) {
			r := b.without(x, t.modular)
			if r == "" {
				return ""
			}
			reasons = append(reasons, r)
		}
		if len(reasons) == 0 {
			return ""
		}
		why = reasons[0]
	}
	return why
}

// around returns the release of the version's own series, else the nearest below and above, of those that know the file; none when
// there is not one on each side: options get new names.
func (t *Table) around(version, file string, compare func(a, b string) int) []int {
	below, above := -1, -1
	for i, v := range t.versions {
		switch {
		case len(t.terms(file, i)) == 0:
		case series(v) == series(version):
			return []int{i}
		case compare(v, version) < 0:
			below = i
		case above < 0:
			above = i
		}
	}
	if below < 0 || above < 0 {
		return nil
	}
	return []int{below, above}
}

// series is "6.1" of "6.1.176".
func series(version string) string {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	minor, _, _ = strings.Cut(minor, "-")
	return major + "." + minor
}

// without says why one way of building a file was not gone; "" when it may have been.
func (b Build) without(x term, modular map[string]bool) string {
	if b.Option != nil {
		for _, o := range x.needs {
			if b.Option(o) == "" {
				return "CONFIG_" + o + " is off"
			}
		}
	}
	if b.Module == nil || x.by == "" || b.Module(x.module) {
		return ""
	}
	switch {
	case b.Option != nil && b.Option(x.by) == "m":
		return fmt.Sprintf("the module %s is not in the image", path.Base(x.module))
	case b.Option == nil && b.BuiltIn && modular[x.by]:
		return fmt.Sprintf("%s is neither built in nor among the modules", path.Base(x.module))
	}
	return ""
}
