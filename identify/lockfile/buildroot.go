package lockfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Buildroot reads manifest.csv of "make legal-info" (The Buildroot user manual 2025.02, "Legal notice and licensing").
var Buildroot = reader("buildroot-legal-info", biopsy.Locked, buildroot, "manifest.csv", "host-manifest.csv")

func buildroot(d *doc) error {
	if !bytes.HasPrefix(bytes.TrimPrefix(d.text, []byte(`"`)), []byte("PACKAGE")) {
		return nil // the name is used by others too
	}
	r := csv.NewReader(bytes.NewReader(d.text))
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if err != nil || len(header) < 3 || header[0] != "PACKAGE" || header[1] != "VERSION" {
		return err
	}
	host := strings.HasPrefix(path.Base(d.Path), "host-")
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		row := map[string]string{}
		for i, text := range record {
			if i < len(header) && text != "not saved" && text != "unknown" {
				row[header[i]] = text
			}
		}
		line, _ := r.FieldPos(0)
		d.add(line, buildrootClaim(row, host))
	}
}

func buildrootClaim(row map[string]string, host bool) biopsy.Claim {
	c := pkg("generic", row["PACKAGE"], row["VERSION"])
	c.Scope = biopsy.Runtime
	if host {
		c.Scope = biopsy.Development
	}
	c.Licenses = declared(row["LICENSE"])
	site, archive := webURL(row["SOURCE SITE"]), row["SOURCE ARCHIVE"]
	if site != "" && archive != "" {
		c.Download = strings.TrimSuffix(site, "/") + "/" + archive
	}
	for _, word := range strings.Split(row["DEPENDENCIES WITH LICENSES"], "]") {
		if name, _, ok := strings.Cut(strings.TrimSpace(word), " ["); ok && name != "skeleton" && name != "toolchain" {
			c.Needs = append(c.Needs, biopsy.Need{Name: name, Scope: biopsy.Runtime})
		}
	}
	return c
}
