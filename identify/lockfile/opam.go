package lockfile

import (
	"bytes"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// Opam reads *.opam: the package itself, and *.opam.locked: the exact versions it was built with (opam 2.3 manual).
var Opam = func() biopsy.Extractor {
	x := reader("opam", biopsy.Declared, opam, "*.opam", "*.opam.locked", "opam")
	x.Head = func(head []byte) bool { // the program is called opam too
		return bytes.Contains(head, []byte("opam-version:")) && bytes.IndexByte(head, 0) < 0
	}
	return x
}()

var opamPatterns = sync.OnceValue(func() (p struct{ version, license, pin *regexp.Regexp }) {
	p.version = regexp.MustCompile(`(?m)^version:\s*"([^"]+)"`)
	p.license = regexp.MustCompile(`(?m)^license:\s*"([^"]+)"`)
	p.pin = regexp.MustCompile(`"([\w.+-]+)"\s*\{\s*(with-test &\s*)?=\s*"([^"]+)"([^}]*)\}`)
	return p
})

func opam(d *doc) error {
	p := opamPatterns()
	base := path.Base(d.Path)
	if strings.HasSuffix(base, ".locked") {
		for _, m := range p.pin.FindAllSubmatchIndex(d.text, -1) {
			c := pkg("opam", string(d.text[m[2]:m[3]]), string(d.text[m[6]:m[7]]))
			c.State, c.Scope = biopsy.Locked, biopsy.Runtime
			if m[4] >= 0 || bytes.Contains(d.text[m[8]:m[9]], []byte("with-")) {
				c.Scope = biopsy.Development
			}
			d.add(d.lines.at(m[0]), c)
		}
		return nil
	}
	name := strings.TrimSuffix(base, ".opam")
	if name == "opam" { // the older layout: folder/opam
		name, _, _ = strings.Cut(path.Base(path.Dir(d.Path)), ".")
	}
	c := pkg("opam", name, "")
	if m := p.version.FindSubmatch(d.text); m != nil {
		c = pkg("opam", name, string(m[1]))
	}
	if m := p.license.FindSubmatch(d.text); m != nil {
		c.Licenses = declared(string(m[1]))
	}
	d.project(1, c)
	return nil
}
