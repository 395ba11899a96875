package lockfile

import (
	"bytes"
	"regexp"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// SBT reads the literal coordinates of build.sbt (sbt 1.x documentation, "Library dependencies"); the file is a program, and is not run.
var SBT = reader("sbt-build", biopsy.Declared, sbtBuild, "build.sbt")

var sbtPatterns = sync.OnceValue(func() (p struct{ dependency, scala *regexp.Regexp }) {
	p.dependency = regexp.MustCompile(`"([\w.\-]+)"\s*(%{1,2})\s*"([\w.\-]+)"\s*%\s*"([\w.\-]+)"(\s*%\s*"?[Tt]est)?`)
	p.scala = regexp.MustCompile(`scalaVersion\s*:=\s*"(\d+)\.(\d+)`)
	return p
})

func sbtBuild(d *doc) error {
	p := sbtPatterns()
	suffix := ""
	if m := p.scala.FindSubmatch(d.text); m != nil {
		if suffix = "_" + string(m[1]); suffix != "_3" {
			suffix += "." + string(m[2])
		}
	}
	line := 0
	for raw := range bytes.Lines(d.text) {
		line++
		code, _, _ := bytes.Cut(raw, []byte("//"))
		for _, m := range p.dependency.FindAllSubmatch(code, -1) {
			name := string(m[3])
			if len(m[2]) == 2 {
				name += suffix // "" when another file sets the Scala version: the name is then a part of the real one
			}
			c := pkg("maven", string(m[1])+":"+name, string(m[4]))
			c.Scope = biopsy.Runtime
			if len(m[5]) > 0 {
				c.Scope = biopsy.Development
			}
			d.add(line, c)
		}
	}
	return nil
}
