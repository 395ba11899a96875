package lockfile

import (
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// MesonWrap reads the wrap files of Meson (mesonbuild.com, "Wrap dependency system manual", 2026).
var MesonWrap = reader("meson-wrap", biopsy.Locked, mesonWrap, "*.wrap")

func mesonWrap(d *doc) error {
	name := strings.TrimSuffix(path.Base(d.Path), ".wrap")
	o, line := map[string]string{}, 0
	for _, e := range iniEntries(d.text) {
		if line == 0 {
			line = e.line
		}
		if strings.HasPrefix(e.section, "wrap-") {
			o["kind"] = e.section
			o[e.key] = e.value
		}
	}
	switch o["kind"] {
	case "wrap-git", "wrap-hg", "wrap-svn":
		revision := o["revision"]
		if strings.EqualFold(revision, "head") || revision == "main" || revision == "master" {
			revision = ""
		}
		d.add(line, hosted(o["url"], revision))
	case "wrap-file":
		version, _, _ := strings.Cut(o["wrapdb_version"], "-") // "1.2.13-4": the wrap's own revision follows
		if version == "" {
			version = first(archiveVersion(o["directory"]), archiveVersion(o["source_filename"]), archiveVersion(o["source_url"]))
		}
		c := pkg("generic", name, version)
		c.Download, c.Hashes = webURL(o["source_url"]), hexHash(o["source_hash"], "sha256")
		d.add(line, c)
	}
	return nil
}

// MesonBuild reads the project() call of meson.build: name and version as plain strings.
var MesonBuild = reader("meson-build", biopsy.Declared, mesonBuild, "meson.build")

var mesonPatterns = sync.OnceValue(func() (p struct{ project, version, license *regexp.Regexp }) {
	p.project = regexp.MustCompile(`(?m)^\s*project\s*\(\s*'([^']+)'`)
	p.version = regexp.MustCompile(`\bversion\s*:\s*'([^']+)'`)
	p.license = regexp.MustCompile(`\blicense\s*:\s*'([^']+)'`)
	return p
})

func mesonBuild(d *doc) error {
	p := mesonPatterns()
	m := p.project.FindSubmatchIndex(d.text)
	if m == nil {
		return nil
	}
	call := d.text[m[3]:min(len(d.text), m[3]+4096)]
	version := p.version.FindSubmatch(call)
	if version == nil || !numeric(string(version[1])) {
		return nil
	}
	c := pkg("generic", string(d.text[m[2]:m[3]]), string(version[1]))
	if l := p.license.FindSubmatch(call); l != nil {
		c.Licenses = declared(string(l[1]))
	}
	d.project(d.lines.at(m[2]), c)
	return nil
}
