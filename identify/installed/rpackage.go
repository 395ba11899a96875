package installed

import (
	"context"
	"strings"

	"github.com/biopsy-sca/biopsy"
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
	licence, _, _ := strings.Cut(h.one("license"), "+ file ")
	c.Licenses = declared(strings.TrimSpace(licence))
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

// beforeAngle drops the mail address of "Name <mail>".
func beforeAngle(s string) string {
	name, _, _ := strings.Cut(s, "<")
	return name
}
