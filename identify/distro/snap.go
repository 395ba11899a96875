package distro

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// Snap reads meta/snap.yaml of a snap (snapd 2.60), mounted below /snap or unpacked from its image. Only plain values at the top level
// are read, and that without a reader of YAML.
var Snap = biopsy.Extractor{
	Name:    "snap",
	Basis:   biopsy.Manifest,
	Names:   []string{"meta/snap.yaml"},
	Extract: snapYAML,
}

func snapYAML(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	v := map[string]string{}
	r := readLines(in)
	b, err := r.next()
	for ; err == nil; b, err = r.next() {
		if key, value, ok := bytes.Cut(b, []byte(":")); ok && len(key) > 0 && key[0] != ' ' && key[0] != '#' && key[0] != '-' && len(v) < maxValues {
			v[string(key)] = plainYAML(string(value))
		}
	}
	if v["name"] == "" {
		if err == io.EOF {
			return nil // a file of another kind, or a snap that does not say what it is
		}
		return err
	}
	c := biopsy.Claim{Eco: "snap", Kind: biopsy.Application, Name: v["name"], Version: v["version"], State: biopsy.Installed, Description: v["summary"],
		Homepage: v["website"], Licenses: declared(v["license"]), Purl: eco.Purl("snap", "", v["name"], v["version"])}
	if base := v["base"]; base != "" {
		c.Needs = []biopsy.Need{{Name: base, Scope: biopsy.Runtime}}
	}
	if c.Arch = strings.Trim(v["architectures"], "[] "); strings.Contains(c.Arch, ",") {
		c.Arch = "" // several: the snap is of none in particular
	}
	setExtra(&c, "snap:type", v["type"])
	setExtra(&c, "snap:grade", v["grade"])
	emit(evidence(in, "snap", 0, c))
	if err == io.EOF {
		return nil
	}
	return err
}

// plainYAML takes quotes, comment and blanks off a value; blocks ("|", ">") are empty.
func plainYAML(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') {
		if end := strings.IndexByte(s[1:], s[0]); end >= 0 {
			return s[1 : end+1]
		}
	}
	if i := strings.Index(s, " #"); i >= 0 {
		s = strings.TrimSpace(s[:i])
	}
	if s != "" && strings.ContainsAny(s[:1], "|>&*{") {
		return ""
	}
	return s
}
