package main

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy/internal/codec"
)

// busyboxes are the releases of BusyBox to learn from.
var busyboxes = []release{
	{"1.30.1", "http://deb.debian.org/debian/pool/main/b/busybox/busybox_1.30.1.orig.tar.bz2", "3d1d04a4dbd34048f4794815a5c48ebb9eb53c5277e09ffffc060323b95dfbdc"},
	{"1.37.0", "http://deb.debian.org/debian/pool/main/b/busybox/busybox_1.37.0.orig.tar.bz2", "3311dff32e746499f4df0d5df04d7eb396382d7e108bb9250e7b519b837043a4"},
	{"1.38.0", "http://deb.debian.org/debian/pool/main/b/busybox/busybox_1.38.0.orig.tar.bz2", "34f9ea6ff8636f2c9241153b9114eefa9e65674a45318ae1ef95bb5f31c53bb2"},
}

// applets is what BusyBox's sources say of themselves, in comments that its build reads.
type applets struct {
	of      map[string]map[string]bool // option -> applets
	options map[string]map[string]bool // source file -> options that build it; "" is always
	files   map[string]bool
}

var (
	appletLine = regexp.MustCompile(`(?m)^//applet:\s*IF_(\w+)\(APPLET\w*\(([^,\s]+)\s*,`)
	buildLine  = regexp.MustCompile(`(?m)^(?://kbuild:)?\s*(?:lib|obj)-(y|\$\(CONFIG_\w+\))\s*\+?:?=\s*(.*)$`)
)

func (r release) applets(dir string, a *applets) (err error) {
	f, err := r.open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	x, err := codec.NewReader(codec.Bzip2, bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	for t := tar.NewReader(x); ; {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		_, name, ok := strings.Cut(h.Name, "/")
		if !ok || path.Ext(name) != ".c" && !strings.HasPrefix(path.Base(name), "Kbuild") {
			continue
		}
		b, err := io.ReadAll(t)
		if err != nil {
			return err
		}
		a.read(name, string(b))
	}
}

func (a *applets) read(name, text string) {
	if path.Ext(name) == ".c" {
		a.files[name] = true
	}
	for _, m := range appletLine.FindAllStringSubmatch(text, -1) {
		add(a.of, m[1], m[2])
	}
	for _, m := range buildLine.FindAllStringSubmatch(text, -1) {
		option := strings.TrimSuffix(strings.TrimPrefix(m[1], "$(CONFIG_"), ")")
		if m[1] == "y" {
			option = ""
		}
		for _, word := range strings.Fields(m[2]) {
			if o, ok := strings.CutSuffix(word, ".o"); ok {
				add(a.options, path.Join(path.Dir(name), o+".c"), option)
			}
		}
	}
}

func add(m map[string]map[string]bool, key, value string) {
	if m[key] == nil {
		m[key] = map[string]bool{}
	}
	m[key][value] = true
}

// write writes all applets behind "*", and a line for each file that only applets bring: the file and all of them.
func (a *applets) write(name string) error {
	var lines []string
	for file, options := range a.options {
		var names []string
		known := a.files[file]
		for o := range options {
			known = known && len(a.of[o]) > 0
			for n := range a.of[o] {
				names = append(names, n)
			}
		}
		if known {
			slices.Sort(names)
			lines = append(lines, file+"\t"+strings.Join(slices.Compact(names), " ")+"\n")
		}
	}
	all := map[string]bool{}
	for _, names := range a.of {
		maps.Copy(all, names)
	}
	lines = append(lines, "*\t"+strings.Join(slices.Sorted(maps.Keys(all)), " ")+"\n")
	slices.Sort(lines)
	var versions []string
	for _, r := range busyboxes {
		versions = append(versions, r.version)
	}
	head := fmt.Sprintf("# The applets that bring each source file of BusyBox (%s). Made by gen.\n", strings.Join(versions, ", "))
	return os.WriteFile(name, []byte(head+strings.Join(lines, "")), 0o644)
}
