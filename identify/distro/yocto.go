package distro

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// Yocto reads the license.manifest of an image (Yocto 5.0, deploy/licenses/IMAGE): the recipes whose packages were installed. The claim
// is the recipe, as the purl type "yocto" has it; its packages are in Extra.
var Yocto = biopsy.Extractor{
	Name:    "yocto",
	Basis:   biopsy.Manifest,
	Names:   []string{"license.manifest"},
	Head:    func(head []byte) bool { return bytes.HasPrefix(head, []byte("PACKAGE NAME:")) },
	Extract: yoctoManifest,
}

// recipe gathers the packages of one recipe at one version.
type recipe struct {
	claim    biopsy.Claim
	line     int
	packages []string
}

func yoctoManifest(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	var order []*recipe
	recipes := map[string]*recipe{}
	v, line := map[string]string{}, 0
	end := func() {
		name, version := v["RECIPE NAME"], v["PACKAGE VERSION"]
		if name == "" {
			return
		}
		r := recipes[name+" "+version]
		if r == nil {
			r = &recipe{claim: yoctoClaim(name, version, v["LICENSE"]), line: line}
			recipes[name+" "+version] = r
			order = append(order, r)
		}
		if p := v["PACKAGE NAME"]; p != "" && len(r.packages) < maxValues {
			r.packages = append(r.packages, p)
		}
	}
	l := readLines(in)
	b, err := l.next()
	for ; err == nil && ctx.Err() == nil && len(order) <= maxPackages; b, err = l.next() {
		key, value, ok := strings.Cut(string(b), ": ")
		if key == "PACKAGE NAME" {
			end()
			clear(v)
			line = l.n
		}
		if ok && len(v) < maxValues {
			v[key] = strings.TrimSpace(value)
		}
	}
	end()
	for _, r := range order {
		setExtra(&r.claim, "yocto:packages", strings.Join(r.packages, ","))
		emit(evidence(in, "yocto", r.line, r.claim))
	}
	switch {
	case len(order) > maxPackages:
		return errMany
	case err == nil || err == io.EOF:
		return ctx.Err()
	}
	return err
}

func yoctoClaim(name, version, licence string) biopsy.Claim {
	return biopsy.Claim{Eco: "yocto", Name: name, Version: version, State: biopsy.Locked, Scope: biopsy.Runtime,
		Licenses: declared(bitbake.Replace(licence)), Purl: eco.Purl("yocto", "", name, version)}
}
