package lockfile

import (
	"bytes"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// YoctoFirmware reads image_license.manifest: the boot loaders, kernels and firmware that Yocto puts beside a root file system (Yocto
// Project Development Tasks Manual 5.2, "Maintaining Open Source License Compliance"). One claim for each recipe.
var YoctoFirmware = reader("yocto-image-licenses", biopsy.Locked, yoctoFirmware, "image_license.manifest")

func yoctoFirmware(d *doc) error {
	block, line, start := map[string]string{}, 0, 1
	flush := func() {
		c := pkg("yocto", block["RECIPE NAME"], block["VERSION"])
		c.Kind, c.Scope = biopsy.Firmware, biopsy.Runtime
		c.Licenses = declared(yoctoExpression(block["LICENSE"]))
		extra(&c, "yocto:files", block["FILES"])
		d.add(start, c)
		clear(block)
	}
	for raw := range bytes.Lines(d.text) {
		line++
		key, value, ok := strings.Cut(strings.TrimSpace(string(raw)), ":")
		if key == "RECIPE NAME" {
			flush()
			start = line
		}
		if ok && len(block) < 100 {
			block[key] = strings.TrimSpace(value)
		}
	}
	flush()
	return nil
}

// yoctoExpression writes "&" and "|" as SPDX does.
func yoctoExpression(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "&", " AND "), "|", " OR ")
	return strings.Join(strings.Fields(s), " ")
}

// YoctoImage reads the list of packages beside a Yocto image: name, architecture and version in each line.
var YoctoImage = reader("yocto-image-manifest", biopsy.Locked, yoctoImage, "*.manifest")

func yoctoImage(d *doc) error {
	type row struct {
		line  int
		words []string
	}
	var rows []row
	line := 0
	for raw := range bytes.Lines(d.text) {
		line++
		words := strings.Fields(string(raw))
		switch {
		case len(words) == 0:
		case len(words) != 3 || !strings.ContainsAny(words[2][:1], "0123456789"):
			return nil // the ending is used by others too
		default:
			rows = append(rows, row{line, words})
		}
	}
	for _, r := range rows {
		version := r.words[2]
		if i := strings.LastIndex(version, "-r"); i > 0 { // revision of the recipe
			version = version[:i]
		}
		c := pkg("generic", r.words[0], version)
		c.Arch = r.words[1]
		extra(&c, "yocto:version", r.words[2])
		d.add(r.line, c)
	}
	return nil
}
