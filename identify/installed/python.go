package installed

import (
	"bytes"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// PythonMetadata reads core metadata (PyPA core metadata 2.4, 2024) of installed distributions: METADATA of a dist-info folder,
// PKG-INFO of an egg and of an unpacked source distribution, and the single-file form of egg-info.
var PythonMetadata = biopsy.Extractor{
	Name:    "python-metadata",
	Basis:   biopsy.Manifest,
	Names:   []string{"METADATA", "PKG-INFO", "*.egg-info"},
	Wants:   pythonWants,
	Extract: pythonMetadata,
}

func pythonWants(p string) bool {
	folder := path.Base(path.Dir(p))
	switch base := path.Base(p); base {
	case "METADATA":
		return strings.HasSuffix(folder, ".dist-info")
	case "PKG-INFO":
		return strings.HasSuffix(folder, ".egg-info") || folder == "EGG-INFO" || strings.Contains(folder, "-")
	default:
		return true
	}
}

func pythonMetadata(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, maxHeaders)
	if err != nil {
		return err
	}
	h := headers(b)
	name, version := field(h.one("name")), field(h.one("version"))
	if name == "" || (path.Base(in.Path) == "PKG-INFO" && !ownFolder(path.Base(path.Dir(in.Path)), name, version)) {
		return nil // a template or a file of another kind
	}
	c := biopsy.Claim{
		Eco: "pypi", Name: eco.NormalizeName("PyPI", name), Version: version, State: biopsy.Installed,
		Supplier:    first(field(h.one("author")), field(h.one("maintainer")), field(h.one("author-email")), field(h.one("maintainer-email"))),
		Description: field(h.one("summary")),
		Homepage:    field(h.one("home-page")),
		Download:    field(h.one("download-url")),
		Licenses:    pythonLicenses(h),
	}
	for _, u := range h["project-url"] {
		label, url, _ := strings.Cut(u, ",")
		switch url = strings.TrimSpace(url); strings.ToLower(strings.TrimSpace(label)) {
		case "homepage", "home":
			c.Homepage = first(c.Homepage, url)
		case "source", "repository", "source code", "code", "github":
			c.Repository = first(c.Repository, url)
		}
	}
	for _, r := range h["requires-dist"] {
		if n, ok := requirement(r); ok {
			c.Needs = require(c.Needs, n)
		}
	}
	sheet{in, "python-metadata", biopsy.Manifest, emit}.say(c, sureProperties)
	return nil
}

// ownFolder tells the folder of an egg, or that of a source distribution, which is called by its name and version (PEP 625). A project's
// own PKG-INFO, left by a build, lies elsewhere.
func ownFolder(folder, name, version string) bool {
	if strings.HasSuffix(folder, ".egg-info") || folder == "EGG-INFO" {
		return true
	}
	i := strings.LastIndexByte(folder, '-')
	return i > 0 && folder[i+1:] == version && eco.NormalizeName("PyPI", folder[:i]) == eco.NormalizeName("PyPI", name)
}

// maxHeaders bounds one metadata file with the long description behind it.
const maxHeaders = 4 << 20

// header holds the values of mail-like headers by lower-case name, in the order of the file.
type header map[string][]string

func (h header) one(key string) string {
	if v := h[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// headers reads up to the first empty line. Lines that start with a space go on with the one before.
func headers(b []byte) header {
	h := header{}
	key := ""
	for len(b) > 0 {
		var line []byte
		line, b = cutLine(b)
		if len(line) == 0 {
			return h
		}
		if line[0] == ' ' || line[0] == '\t' {
			if v := h[key]; len(v) > 0 && len(v[len(v)-1]) < 4096 { // a long description is nobody's licence or name
				v[len(v)-1] += "\n" + string(bytes.TrimSpace(line))
			}
			continue
		}
		k, v, ok := bytes.Cut(line, []byte(":"))
		if key = ""; ok {
			key = strings.ToLower(string(k))
			h[key] = append(h[key], string(bytes.TrimSpace(v)))
		}
	}
	return h
}

// pythonLicenses takes License-Expression, else License, else the classifiers.
func pythonLicenses(h header) []biopsy.License {
	if ls := declared(h.one("license-expression")); ls != nil {
		return ls
	}
	words := h.one("license")
	if ls := declared(words); ls != nil && ls[0].Expression != "" {
		return ls
	}
	var ls []biopsy.License
	for _, c := range h["classifier"] {
		leaf, ok := strings.CutPrefix(c, "License :: ")
		if !ok || leaf == "OSI Approved" {
			continue
		}
		leaf = leaf[strings.LastIndex(leaf, ":")+1:]
		leaf = strings.TrimSpace(leaf)
		if id := classifierLicenses[leaf]; id != "" {
			leaf = id
		}
		ls = append(ls, licence(leaf))
	}
	if ls == nil {
		return declared(words)
	}
	return ls
}

// classifierLicenses are the trove classifiers (PyPI, 2025) that name exactly one SPDX licence.
var classifierLicenses = map[string]string{
	"Apache Software License":                                 "Apache-2.0", // PyPI's list has no other Apache licence
	"Artistic License":                                        "Artistic-2.0",
	"Boost Software License 1.0 (BSL-1.0)":                    "BSL-1.0",
	"CC0 1.0 Universal (CC0 1.0) Public Domain Dedication":    "CC0-1.0",
	"Eclipse Public License 1.0 (EPL-1.0)":                    "EPL-1.0",
	"Eclipse Public License 2.0 (EPL-2.0)":                    "EPL-2.0",
	"European Union Public Licence 1.2 (EUPL 1.2)":            "EUPL-1.2",
	"GNU Affero General Public License v3":                    "AGPL-3.0-only",
	"GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
	"GNU General Public License v2 (GPLv2)":                   "GPL-2.0-only",
	"GNU General Public License v2 or later (GPLv2+)":         "GPL-2.0-or-later",
	"GNU General Public License v3 (GPLv3)":                   "GPL-3.0-only",
	"GNU General Public License v3 or later (GPLv3+)":         "GPL-3.0-or-later",
	"GNU Lesser General Public License v2 (LGPLv2)":           "LGPL-2.0-only",
	"GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
	"GNU Lesser General Public License v3 (LGPLv3)":           "LGPL-3.0-only",
	"GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
	"ISC License (ISCL)":                                      "ISC",
	"MIT License":                                             "MIT",
	"MIT No Attribution License (MIT-0)":                      "MIT-0",
	"Mozilla Public License 1.1 (MPL 1.1)":                    "MPL-1.1",
	"Mozilla Public License 2.0 (MPL 2.0)":                    "MPL-2.0",
	"Python Software Foundation License":                      "PSF-2.0",
	"The Unlicense (Unlicense)":                               "Unlicense",
	"Universal Permissive License (UPL)":                      "UPL-1.0",
	"University of Illinois/NCSA Open Source License":         "NCSA",
	"Zope Public License":                                     "ZPL-2.1",
	"zlib/libpng License":                                     "Zlib",
}

// maxNeeds bounds the requirements of one distribution; the most anyone has are some 300, behind extras.
const maxNeeds = 4096

// require adds a need once; one that is always there outweighs one that an extra asks for.
func require(needs []biopsy.Need, n biopsy.Need) []biopsy.Need {
	i := slices.IndexFunc(needs, func(m biopsy.Need) bool { return m.Name == n.Name })
	switch {
	case i < 0 && len(needs) < maxNeeds:
		return append(needs, n)
	case i < 0:
	case n.Scope == biopsy.Runtime:
		needs[i].Scope = n.Scope
	}
	return needs
}

// requirement reads one dependency specifier (PEP 508): the name, and whether an extra asks for it.
func requirement(s string) (biopsy.Need, bool) {
	spec, markers, _ := strings.Cut(s, ";")
	spec = strings.TrimSpace(spec)
	end := strings.IndexFunc(spec, func(r rune) bool {
		return !(r == '-' || r == '_' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	})
	if end >= 0 {
		spec = spec[:end]
	}
	if spec == "" {
		return biopsy.Need{}, false
	}
	n := biopsy.Need{Name: eco.NormalizeName("PyPI", spec), Scope: biopsy.Runtime}
	if strings.Contains(strings.ReplaceAll(markers, " ", ""), "extra==") {
		n.Scope = biopsy.Optional
	}
	return n, true
}
