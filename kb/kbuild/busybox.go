package kbuild

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed busybox.tsv
var busybox string

// Applets returns the applets of BusyBox that bring a source file, sorted; nil when the file is not known, or comes in by other ways too.
func Applets(file string) []string { return busyboxFiles()[file] }

// IsApplet says whether BusyBox has an applet of that name.
func IsApplet(name string) bool { return appletNames()[name] }

var busyboxFiles = sync.OnceValue(func() map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(busybox) {
		if file, names, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			out[file] = strings.Fields(names)
		}
	}
	return out
})

var appletNames = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, n := range busyboxFiles()["*"] { // all applets, also those of files that come in by other ways too
		out[n] = true
	}
	return out
})
