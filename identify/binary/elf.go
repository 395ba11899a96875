package binary

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/elf"
)

// ELF reads programs, shared libraries, object files and kernel modules of Linux, BSD and firmware.
var ELF = biopsy.Extractor{
	Name:    "elf",
	Basis:   biopsy.Binary,
	From:    biopsy.Standard,
	Head:    func(head []byte) bool { return len(head) >= 52 && string(head[:4]) == elf.Magic },
	Extract: readELF,
}

const (
	maxNeeded  = 4096    // bytes of the joined list
	maxModinfo = 1 << 18 // .modinfo of a kernel module: drivers of modems name a thousand devices
)

func readELF(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	f, err := elf.Open(in.Content, in.Size())
	if err != nil {
		return err
	}
	s := sheet{in, "elf", emit}
	x := map[string]string{}
	c := biopsy.Claim{Kind: biopsy.FileKind, Whole: true, Name: path.Base(in.Path), State: biopsy.Installed, Arch: f.Arch(), Extra: x}
	bad := errors.Join(linking(f, x), sections(f, x, &c), notes(f, x, s))
	x["elf:type"] = kindOf(f, x)
	s.say(c, 1)
	return bad
}

// kindOf names the file type: "exec", "dyn", "rel", "core", or "module" for an object file with a kernel module's section.
func kindOf(f *elf.File, x map[string]string) string {
	switch f.Type {
	case elf.Rel:
		if x["elf:type"] != "" {
			return x["elf:type"]
		}
		return "rel"
	case elf.Exec:
		return "exec"
	case elf.Dyn:
		return "dyn"
	case elf.Core:
		return "core"
	}
	return fmt.Sprintf("0x%x", f.Type)
}

// linking notes loader, libraries, and how the file may be loaded.
func linking(f *elf.File, x map[string]string) error {
	interp := f.Interp()
	put(x, "elf:interp", interp)
	d, err := f.Dynamic()
	put(x, "elf:soname", d.Soname)
	put(x, "elf:runpath", d.Runpath)
	needed := strings.Join(d.Needed, ",")
	put(x, "elf:needed", needed[:min(len(needed), maxNeeded)])
	if f.Type == elf.Exec || f.Type == elf.Dyn {
		if interp == "" && len(d.Needed) == 0 && (f.Type == elf.Exec || d.PIE) {
			x["elf:static"] = "true"
		}
		hardening(f, d, x, interp)
	}
	return err
}

// hardening notes what the loader was asked to forbid.
func hardening(f *elf.File, d elf.Dyns, x map[string]string, interp string) {
	if f.Type == elf.Dyn && (interp != "" && d.Soname == "" || d.PIE) {
		x["elf:pie"] = "true"
	}
	const gnuStack, gnuRelro = 0x6474e551, 0x6474e552
	stack, relro := false, false
	for _, s := range f.Segs {
		switch s.Type {
		case gnuStack:
			stack = s.Flags&elf.FlagX == 0
		case gnuRelro:
			relro = true
		}
	}
	if stack {
		x["elf:nx"] = "true"
	}
	switch {
	case relro && d.Now:
		x["elf:relro"] = "full"
	case relro:
		x["elf:relro"] = "partial"
	}
}

// sections notes whether symbols were stripped, and reads a kernel module's own words.
func sections(f *elf.File, x map[string]string, c *biopsy.Claim) error {
	secs, err := f.Sections()
	if err != nil {
		return err
	}
	stripped := true
	for _, s := range secs {
		switch s.Name {
		case ".symtab":
			stripped = false
		case ".modinfo":
			x["elf:type"] = "module"
			b, err := f.Data(s, maxModinfo)
			if err != nil {
				return err
			}
			modinfo(string(b), x, c)
		}
	}
	if stripped {
		x["elf:stripped"] = "true"
	}
	return nil
}

// modinfo reads "key=value" words, each ended by a zero.
func modinfo(b string, x map[string]string, c *biopsy.Claim) {
	for _, word := range strings.Split(b, "\x00") {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "version", "vermagic", "srcversion", "intree", "author":
			put(x, "module:"+key, value)
		case "description":
			c.Description = value
		case "license":
			c.Licenses = []biopsy.License{{Name: value, Basis: "declared"}} // the kernel's words: "GPL" is "GPL-2.0-or-later"
		}
	}
}

// notes reads the build id, and package metadata, which becomes a claim of its own.
func notes(f *elf.File, x map[string]string, s sheet) error {
	var bad error
	err := f.Notes(func(n elf.Note) bool {
		switch {
		case n.Owner == "GNU" && n.Type == elf.GNUBuildID && len(n.Desc) <= 64:
			x["elf:build-id"] = hex.EncodeToString(n.Desc)
		case n.Owner == "Go" && n.Type == elf.GoBuildID && len(n.Desc) <= 256:
			x["elf:go-build-id"] = strings.TrimRight(string(n.Desc), "\x00")
		case n.Owner == "FDO" && n.Type == elf.FDOPackage:
			if bad = packageNote(n.Desc, s); bad == nil {
				x["elf:package-note"] = "true"
			}
		}
		return true
	})
	return errors.Join(err, bad)
}

// packageNote reads systemd's ELF package metadata: which package of which distribution built the file.
func packageNote(desc []byte, s sheet) error {
	var p struct {
		Type    string `json:"type"` // "deb", "rpm", "apk", ...
		Name    string `json:"name"`
		Version string `json:"version"`
		Arch    string `json:"architecture"`
		OS      string `json:"os"`
		OSVer   string `json:"osVersion"`
	}
	if err := json.Unmarshal([]byte(strings.TrimRight(string(desc), "\x00")), &p); err != nil {
		return fmt.Errorf("parse package note: %w", err)
	}
	if p.Type == "" || p.Name == "" {
		return nil
	}
	c := biopsy.Claim{Kind: biopsy.Library, Eco: p.Type, Namespace: p.OS, Name: p.Name, Version: p.Version, Arch: p.Arch, State: biopsy.Embedded}
	if p.OS != "" && p.OSVer != "" {
		c.Distro = p.OS + "-" + p.OSVer
	}
	c.Purl = eco.Purl(c.Eco, c.Namespace, c.Name, c.Version, "arch", c.Arch, "distro", c.Distro)
	s.say(c, 0.95)
	return nil
}

func put(x map[string]string, key, value string) {
	if value != "" {
		x[key] = value
	}
}
