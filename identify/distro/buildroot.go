package distro

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// Buildroot reads the manifest that "make legal-info" writes (Buildroot 2024.02): what was built into an image that carries no package
// database, and what was built to build it (host-manifest.csv).
var Buildroot = biopsy.Extractor{
	Name:    "buildroot",
	Basis:   biopsy.Manifest,
	Names:   []string{"manifest.csv", "host-manifest.csv"},
	Head:    func(head []byte) bool { return bytes.HasPrefix(head, []byte(`"PACKAGE","VERSION","LICENSE"`)) },
	Extract: buildrootManifest,
}

func buildrootManifest(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	if in.Size() > maxManifest {
		return errors.New("manifest is too large")
	}
	r := csv.NewReader(in.Reader())
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if err != nil {
		return err
	}
	column := map[string]int{}
	for i, name := range head {
		column[name] = i
	}
	host := strings.HasPrefix(path.Base(in.Path), hostPrefix)
	for n := 0; ctx.Err() == nil; n++ {
		row, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n > maxPackages {
			return errMany
		}
		line, _ := r.FieldPos(0)
		cell := func(name string) string {
			if i, ok := column[name]; ok && i < len(row) {
				return row[i]
			}
			return ""
		}
		if c := buildrootClaim(cell); c.Name != "" {
			if host {
				c.Scope = biopsy.Development
			}
			emit(evidence(in, "buildroot", line, c))
		}
	}
	return ctx.Err()
}

// hostPrefix marks what runs on the machine that builds: the tool is the same one that other images ship.
const hostPrefix = "host-"

// maxManifest bounds the manifest of a build.
const maxManifest = 32 << 20

func buildrootClaim(cell func(string) string) biopsy.Claim {
	name, host := strings.CutPrefix(cell("PACKAGE"), hostPrefix)
	c := biopsy.Claim{Eco: "generic", Name: name, Version: known(cell("VERSION")), State: biopsy.Locked, Scope: biopsy.Runtime}
	if host {
		c.Scope = biopsy.Development
	}
	if c.Name == "" {
		return c
	}
	c.Purl = eco.Purl("generic", "", c.Name, c.Version)
	// Buildroot manual 18.6.2: a comma joins licences that hold together
	if words := known(cell("LICENSE")); words != "" {
		for word := range strings.SplitSeq(words, ", ") {
			c.Licenses = append(c.Licenses, declared(word)...)
		}
	}
	site, archive := known(cell("SOURCE SITE")), known(cell("SOURCE ARCHIVE"))
	if site != "" && archive != "" {
		c.Download = strings.TrimSuffix(site, "/") + "/" + archive
	}
	c.Needs = buildrootNeeds(cell("DEPENDENCIES WITH LICENSES"))
	return c
}

// known drops the words that Buildroot writes where it does not know or has nothing.
func known(s string) string {
	switch s {
	case "unknown", "not saved", "no license files", "not applicable", "virtual":
		return ""
	}
	return s
}

// buildrootNeeds reads "glibc [GPL-2.0+ (programs)] zlib [Zlib]".
func buildrootNeeds(s string) []biopsy.Need {
	var names []string
	for s != "" && len(names) < maxValues {
		name, rest, ok := strings.Cut(s, " [")
		if name = strings.TrimPrefix(strings.TrimSpace(name), hostPrefix); name != "" && !strings.Contains(name, " ") {
			names = append(names, name)
		}
		if !ok {
			break
		}
		_, s, _ = strings.Cut(rest, "]")
	}
	return resolve("", names, nil)
}
