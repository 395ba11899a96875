package installed

import (
	"context"
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/license"
)

// RPackage reads DESCRIPTION (Writing R Extensions 4.4, 1.1.1) of installed R packages; source packages have no Built field.
var RPackage = biopsy.Extractor{
	Name:    "r-package",
	Basis:   biopsy.Manifest,
	Names:   []string{"DESCRIPTION"},
	Extract: rPackage,
}

func rPackage(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, 1<<20)
	if err != nil {
		return err
	}
	h := headers(b)
	name, version := h.one("package"), h.one("version")
	if name == "" || version == "" || h.one("built") == "" {
		return nil
	}
	c := biopsy.Claim{Eco: "cran", Name: name, Version: version, State: biopsy.Installed, Supplier: strings.TrimSpace(beforeAngle(h.one("maintainer"))),
		Description: strings.Join(strings.Fields(h.one("title")), " ")}
	if h.one("priority") == "base" {
		c.Extra = map[string]string{"r:priority": "base"} // part of R itself
	}
	c.Licenses = declared(rLicence(h.one("license")))
	url, _, _ := strings.Cut(h.one("url"), ",")
	c.Homepage = strings.TrimSpace(url)
	for _, list := range []string{h.one("depends"), h.one("imports"), h.one("linkingto")} {
		for _, n := range strings.Split(list, ",") {
			n, _, _ = strings.Cut(n, "(")
			if n = strings.TrimSpace(n); n != "" && n != "R" {
				c.Needs = append(c.Needs, biopsy.Need{Name: n, Scope: biopsy.Runtime})
			}
		}
	}
	sheet{in, "r-package", biopsy.Manifest, emit}.say(c, sureProperties)
	return nil
}

// rLicence writes R's form, "GPL (>= 2) | MIT + file LICENSE", as an SPDX expression where every part of it is known, and else returns
// the words. The file only adds names and years.
func rLicence(words string) string {
	var all []string
	for part := range strings.SplitSeq(words, "|") {
		part, _, _ = strings.Cut(part, "+ file ")
		part = strings.TrimSpace(part)
		if m := rAtLeast.FindStringSubmatch(part); m != nil {
			version := m[2]
			if !strings.Contains(version, ".") {
				version += ".0"
			}
			part = m[1] + "-" + version + "-or-later"
		}
		id := license.Canonical(part)
		if id == "" {
			words, _, _ = strings.Cut(words, "+ file ")
			return strings.TrimSpace(words)
		}
		all = append(all, id)
	}
	return strings.Join(all, " OR ")
}

var rAtLeast = regexp.MustCompile(`^([AL]?GPL) \(>= ?(\d(?:\.\d)?)\)$`)

// beforeAngle drops the mail address of "Name <mail>".
func beforeAngle(s string) string {
	name, _, _ := strings.Cut(s, "<")
	return name
}
