package lockfile

import (
	"regexp"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// SetupCfg reads setup.cfg: the project itself (setuptools documentation, "Configuring setuptools using setup.cfg files").
var SetupCfg = reader("setup-cfg", biopsy.Declared, setupCfg, "setup.cfg")

func setupCfg(d *doc) error {
	var c biopsy.Claim
	line := 0
	for _, e := range iniEntries(d.text) {
		switch e.section + "/" + e.key {
		case "metadata/name":
			line = e.line
			c.Name = e.value
		case "metadata/version":
			if !strings.Contains(e.value, ":") { // "attr:" and "file:" point elsewhere
				c.Version = e.value
			}
		case "metadata/license":
			c.Licenses = declared(e.value)
		case "metadata/description", "metadata/summary":
			c.Description = e.value
		case "metadata/url", "metadata/home_page":
			c.Homepage = e.value
		case "metadata/author":
			c.Supplier = e.value
		case "options/install_requires":
			c.Needs = pyNeeds(strings.Split(e.value, "\n"), biopsy.Runtime)
		}
	}
	full := pkg("pypi", c.Name, c.Version)
	c.Eco, c.Purl = full.Eco, full.Purl
	d.project(line, c)
	return nil
}

// SetupPy reads the name and version of a setup.py that writes them as plain strings; the file is a program, and is not run.
var SetupPy = reader("setup-py", biopsy.Declared, setupPy, "setup.py")

var setupArgument = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[^#\n]*\b(name|version|license|url|author)\s*=\s*["']([^"'\n%{]+)["']\s*[,)\n]`)
})

func setupPy(d *doc) error {
	at := strings.Index(string(d.text), "setup(")
	if at < 0 {
		return nil
	}
	found := map[string]string{}
	line := 0
	for _, m := range setupArgument().FindAllSubmatchIndex(d.text[at:], -1) {
		key := string(d.text[at+m[2] : at+m[3]])
		if _, known := found[key]; known {
			continue
		}
		found[key] = string(d.text[at+m[4] : at+m[5]])
		if key == "name" {
			line = d.lines.at(at + m[2])
		}
	}
	c := pkg("pypi", found["name"], found["version"])
	c.Licenses, c.Homepage, c.Supplier = declared(found["license"]), webURL(found["url"]), found["author"]
	d.project(line, c)
	return nil
}
