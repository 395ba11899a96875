package bom

import (
	"slices"
	"strconv"
	"strings"
	"time"

	biopsy "github.com/biopsy-sca/biopsy"
)

// ArtifactPrefix begins the properties that hold an artifact of a scan.
const ArtifactPrefix = Prefix + "artifact:"

// ArtifactProperties writes an artifact.
func ArtifactProperties(a *biopsy.Artifact) []Property {
	var p []Property
	add := func(name, value string) {
		if value != "" && value != "0" {
			p = append(p, Property{ArtifactPrefix + name, value})
		}
	}
	add("ref", a.Ref)
	add("name", a.Name)
	add("kind", a.Kind)
	add("digest", a.Digest)
	add("size", strconv.FormatInt(a.Size, 10))
	add("files", strconv.Itoa(a.Files))
	for _, l := range a.Layers {
		add("layer", strings.TrimSpace(l.DiffID+" "+l.CreatedBy))
	}
	return p
}

// SetArtifact takes a property that ArtifactProperties wrote, and makes the artifact when there is none yet; false for all others.
func SetArtifact(to **biopsy.Artifact, p Property) bool {
	name, ok := strings.CutPrefix(p.Name, ArtifactPrefix)
	if !ok {
		return false
	}
	if *to == nil {
		*to = &biopsy.Artifact{}
	}
	switch a := *to; name {
	case "ref":
		a.Ref = p.Value
	case "name":
		a.Name = p.Value
	case "kind":
		a.Kind = p.Value
	case "digest":
		a.Digest = p.Value
	case "size":
		a.Size, _ = strconv.ParseInt(p.Value, 10, 64) // 0 when it is no number: unknown
	case "files":
		a.Files, _ = strconv.Atoi(p.Value) // 0 when it is no number: unknown
	case "layer":
		id, by, _ := strings.Cut(p.Value, " ")
		a.Layers = append(a.Layers, biopsy.Layer{DiffID: id, CreatedBy: by})
	}
	return true
}

// Manufacturer is the property that says who makes the subject, where it is a component whose supplier is somebody else.
const Manufacturer = Prefix + "manufacturer"

// Facts are the statements about a scan as a whole that no format has a field for: options and books.
func Facts(s *biopsy.Scan) []Property {
	var p []Property
	add := func(name, value string) {
		if value != "" {
			p = append(p, Property{Prefix + name, value})
		}
	}
	if i := SubjectOf(s); i >= 0 && s.Subject.Manufacturer != s.Components[i].Supplier {
		add("manufacturer", s.Subject.Manufacturer)
	}
	add("depth", string(s.Options.Depth))
	add("as-of", s.Options.AsOf)
	for _, x := range s.Options.Exclude {
		add("exclude", x)
	}
	for _, b := range s.Books {
		add("book", strings.TrimSpace(b.Name+" "+b.Digest+" "+b.Built))
	}
	return p
}

// Resolved tells whether all dependencies of c are known: a package database states every one.
func Resolved(c *biopsy.Component) bool {
	switch c.Eco {
	case "deb", "rpm", "apk", "alpm", "opkg":
		return c.State == biopsy.Installed && slices.ContainsFunc(c.Evidence, func(e biopsy.Evidence) bool { return e.Basis == biopsy.Manifest })
	}
	return false
}

// Instant brings a date or time to RFC 3339 in UTC; "" when it is neither.
func Instant(s string) string {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Format(time.RFC3339)
		}
	}
	return ""
}
