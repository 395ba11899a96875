package lockfile

import (
	"bytes"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// YoctoLicenses reads license.manifest and image_license.manifest, which Yocto writes beside an image (Yocto Project Development Tasks
// Manual 5.2, "Maintaining Open Source License Compliance"). One claim for each recipe.
var YoctoLicenses = reader("yocto-license-manifest", biopsy.Locked, yoctoLicenses, "license.manifest", "image_license.manifest")

func yoctoLicenses(d *doc) error {
	block, line, start := map[string]string{}, 0, 1
	last := map[string]bool{}
	flush := func() {
		recipe := block["RECIPE NAME"]
		c := pkg("generic", recipe, first(block["PACKAGE VERSION"], block["VERSION"]))
		c.Licenses = declared(yoctoExpression(block["LICENSE"]))
		if !last[c.Purl+block["LICENSE"]] { // the packages of a recipe repeat what it says
			last[c.Purl+block["LICENSE"]] = true
			d.add(start, c)
		}
		clear(block)
	}
	for raw := range bytes.Lines(d.text) {
		line++
		key, value, ok := strings.Cut(strings.TrimSpace(string(raw)), ":")
		switch {
		case ok:
			if len(block) == 0 {
				start = line
			}
			block[key] = strings.TrimSpace(value)
		case key == "":
			flush()
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
