package lockfile

import (
	"regexp"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// Autoconf reads AC_INIT of configure.ac: name and version as plain words (GNU Autoconf 2.72 manual, "Initializing configure").
var Autoconf = reader("autoconf", biopsy.Declared, autoconf, "configure.ac", "configure.in")

var acPatterns = sync.OnceValue(func() (p struct{ init, define, word *regexp.Regexp }) {
	p.init = regexp.MustCompile(`(?m)^[ \t]*AC_INIT\s*\(\s*\[?([A-Za-z][\w .+-]*?)\]?\s*,\s*([^,)\n]*?)\s*[,)]`)
	p.define = regexp.MustCompile(`(?m)^[ \t]*m4_define\(\s*\[?(\w+)\]?\s*,\s*\[?([\w.]+)\]?\s*\)`)
	p.word = regexp.MustCompile(`[A-Za-z_]\w*`)
	return p
})

func autoconf(d *doc) error {
	p := acPatterns()
	m := p.init.FindSubmatchIndex(d.text)
	if m == nil {
		return nil
	}
	version := string(d.text[m[4]:m[5]])
	macros := map[string]string{}
	for _, def := range p.define.FindAllSubmatch(d.text, -1) {
		macros[string(def[1])] = string(def[2])
	}
	for range 3 { // a version made of numbers, made of macros
		version = p.word.ReplaceAllStringFunc(version, func(w string) string { return first(macros[w], w) })
	}
	if version = strings.Trim(version, "[] "); numeric(version) {
		d.project(d.lines.at(m[2]), pkg("generic", string(d.text[m[2]:m[3]]), version))
	}
	return nil
}
