package lockfile

import (
	"regexp"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// StackLock reads stack.yaml.lock of Haskell (docs.haskellstack.org, "Lock files", 2026).
var StackLock = reader("stack-lock", biopsy.Locked, stackLock, "stack.yaml.lock")

func stackLock(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	root.get("packages").each(func(_, e node) {
		done := e.get("completed")
		full, _, _ := strings.Cut(done.get("hackage").str(), "@")
		if i := strings.LastIndexByte(full, '-'); i > 0 {
			d.add(e.line(), pkg("hackage", full[:i], full[i+1:]))
			return
		}
		c := pkg("hackage", done.get("name").str(), done.get("version").str())
		origin(&c, done.get("git").str(), done.get("commit").str())
		d.add(e.line(), c)
	})
	return y.err
}

// CabalFreeze reads cabal.project.freeze of Haskell (cabal.readthedocs.io, 3.14).
var CabalFreeze = reader("cabal-freeze", biopsy.Locked, cabalFreeze, "cabal.project.freeze")

var cabalPin = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\b(?:any\.)?([A-Za-z][\w-]*) *==([\d.]+)`) })

func cabalFreeze(d *doc) error {
	for _, m := range cabalPin().FindAllSubmatchIndex(d.text, -1) {
		d.add(d.lines.at(m[0]), pkg("hackage", string(d.text[m[2]:m[3]]), string(d.text[m[4]:m[5]])))
	}
	return nil
}
