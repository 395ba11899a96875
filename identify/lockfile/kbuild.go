package lockfile

import (
	"bytes"
	"regexp"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// Kbuild reads the top Makefile of the Linux kernel and of those that took over its build system: U-Boot, BusyBox, barebox.
var Kbuild = func() biopsy.Extractor {
	x := reader("kbuild", biopsy.Declared, kbuild, "Makefile")
	x.Head = func(head []byte) bool { return bytes.Contains(head, []byte("PATCHLEVEL")) }
	return x
}()

// kbuildMarks are words that only one project's Makefile holds.
var kbuildMarks = []struct{ word, name string }{
	{"busybox_unstripped", "busybox"}, {"u-boot.bin", "u-boot"}, {"barebox.bin", "barebox"}, {"vmlinux", "linux"},
}

var kbuildField = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*=[ \t]*([\w.-]*)[ \t]*\r?$`)
})

func kbuild(d *doc) error {
	o, line := map[string]string{}, 0
	for _, m := range kbuildField().FindAllSubmatchIndex(d.text[:min(len(d.text), 4096)], -1) {
		if line == 0 {
			line = d.lines.at(m[0])
		}
		o[string(d.text[m[2]:m[3]])] = string(d.text[m[4]:m[5]])
	}
	if o["VERSION"] == "" || o["PATCHLEVEL"] == "" {
		return nil
	}
	version := o["VERSION"] + "." + o["PATCHLEVEL"]
	if o["SUBLEVEL"] != "" {
		version += "." + o["SUBLEVEL"]
	}
	for _, mark := range kbuildMarks {
		if bytes.Contains(d.text, []byte(mark.word)) {
			c := pkg("generic", mark.name, version+o["EXTRAVERSION"])
			if mark.name == "linux" {
				c.Kind = biopsy.OperatingSystem
			}
			d.project(line, c)
			return nil
		}
	}
	return nil
}
