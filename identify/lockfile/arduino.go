package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// ArduinoLibrary reads library.properties: an Arduino library itself (arduino.github.io/arduino-cli, "Library specification", 2026).
var ArduinoLibrary = reader("arduino-library", biopsy.Declared, arduinoLibrary, "library.properties")

func arduinoLibrary(d *doc) error {
	o, line := map[string]string{}, 0
	for _, e := range iniEntries(d.text) {
		o[e.key] = e.value
		if e.key == "name" {
			line = e.line
		}
	}
	if o["name"] == "" || o["version"] == "" {
		return nil
	}
	c := pkg("generic", o["name"], o["version"])
	c.Kind, c.Supplier, c.Description, c.Homepage = biopsy.Library, person(first(o["maintainer"], o["author"])), o["sentence"], webURL(o["url"])
	c.Licenses = declared(o["license"])
	for dep := range strings.SplitSeq(o["depends"], ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(dep), " (")
		if name != "" {
			c.Needs = append(c.Needs, biopsy.Need{Name: name, Scope: biopsy.Runtime})
		}
	}
	d.project(line, c)
	return nil
}
