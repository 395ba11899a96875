package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Ivy reads ivy.xml (Apache Ivy 2.5 documentation).
var Ivy = reader("ivy", biopsy.Declared, ivy, "ivy.xml")

func ivy(d *doc) error {
	root, err := d.xml()
	if err != nil || root.name != "ivy-module" {
		return err
	}
	if info := root.get("info"); info != nil {
		d.project(info.line, pkg("maven", info.attr("organisation")+":"+info.attr("module"), known(info.attr("revision"))))
	}
	for _, e := range root.get("dependencies").all("dependency") {
		group := first(e.attr("org"), root.get("info").attr("organisation"))
		c := pkg("maven", group+":"+e.attr("name"), known(e.attr("rev")))
		if strings.HasPrefix(e.attr("conf"), "test") {
			c.Scope = biopsy.Development
		}
		d.add(e.line, c)
	}
	return nil
}
