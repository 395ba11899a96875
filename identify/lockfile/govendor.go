package lockfile

import (
	"bytes"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// GoVendor reads vendor/modules.txt: the modules whose packages were copied into the tree (Go command documentation, "go mod
// vendor").
var GoVendor = reader("go-vendor-modules", biopsy.Locked, goVendor, "vendor/modules.txt")

func goVendor(d *doc) error {
	line := 0
	module, at, packages := []string(nil), 0, 0
	flush := func() {
		if module != nil && packages > 0 { // a module without packages is only there for its go.mod
			d.add(at, goVendored(module))
		}
	}
	for raw := range bytes.Lines(d.text) {
		line++
		s := strings.TrimSpace(string(raw))
		switch {
		case strings.HasPrefix(s, "# "):
			flush()
			module, at, packages = strings.Fields(s[2:]), line, 0
		case s != "" && !strings.HasPrefix(s, "#"):
			packages++
		}
	}
	flush()
	return nil
}

// goVendored reads "path version", "path version => path version" or "path version => folder".
func goVendored(words []string) biopsy.Claim {
	path, version := words[0], ""
	if len(words) > 1 && words[1] != "=>" {
		version = words[1]
	}
	if i := slices.Index(words, "=>"); i > 0 && i+1 < len(words) {
		_, to, _ := goReplace(append([]string{path}, words[i:]...))
		if to.version == "" {
			return goLocal(path, version, to.path)
		}
		return pkg("golang", to.path, to.version)
	}
	if version == "" {
		return biopsy.Claim{}
	}
	return pkg("golang", path, version)
}
