package bom

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
)

// Missing returns the properties that turn read, which is what a format's own fields say of c, into c. Evidence is always given.
func Missing(read, c *biopsy.Component) ([]Property, error) {
	var out []Property
	for _, f := range []struct{ name, read, want string }{
		{"arch", read.Arch, c.Arch}, {"description", read.Description, c.Description}, {"distro", read.Distro, c.Distro},
		{"download", read.Download, c.Download}, {"eco", read.Eco, c.Eco}, {"homepage", read.Homepage, c.Homepage},
		{"kind", string(read.Kind), string(c.Kind)}, {"name", read.Name, c.Name}, {"namespace", read.Namespace, c.Namespace},
		{"purl", read.Purl, c.Purl}, {"repository", read.Repository, c.Repository}, {"scope", string(read.Scope), string(c.Scope)},
		{"supplier", read.Supplier, c.Supplier}, {"version", read.Version, c.Version},
	} {
		if Clean(f.read) != Clean(f.want) {
			out = append(out, Property{Prefix + f.name, f.want})
		}
	}
	for _, l := range []struct {
		name string
		same bool
		list any
	}{
		{"cpes", slices.Equal(read.CPEs, c.CPEs), c.CPEs}, {"hashes", slices.Equal(read.Hashes, c.Hashes), c.Hashes},
		{"licenses", slices.Equal(read.Licenses, c.Licenses), c.Licenses},
	} {
		if l.same {
			continue
		}
		b, err := json.Marshal(l.list)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		out = append(out, Property{Prefix + l.name, string(b)})
	}
	for i := range c.Evidence {
		p, err := EvidenceProperty(&c.Evidence[i])
		if err != nil {
			return nil, fmt.Errorf("evidence: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}

// noteHead is the first line of a note.
const noteHead = "biopsy 1"

// Note writes properties as a text for a format that has comments only: one "name=value" a line, values with line breaks quoted.
func Note(properties []Property) string {
	var b strings.Builder
	b.WriteString(noteHead)
	for _, p := range properties {
		b.WriteByte('\n')
		b.WriteString(strings.ReplaceAll(Line(p.Name), "=", "_"))
		b.WriteByte('=')
		b.WriteString(noteValue(Clean(p.Value)))
	}
	return b.String()
}

func noteValue(v string) string {
	if strings.ContainsAny(v, "\r\n") || strings.HasPrefix(v, `"`) || v != strings.TrimSpace(v) {
		return strconv.Quote(v)
	}
	return v
}

// ReadNote reads what Note wrote; false when the text is somebody else's.
func ReadNote(text string) ([]Property, bool) {
	rest, ok := strings.CutPrefix(text, noteHead)
	if !ok || rest != "" && rest[0] != '\n' && rest[0] != '\r' {
		return nil, false
	}
	var out []Property
	for line := range strings.Lines(rest) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		if !ok {
			continue
		}
		if strings.HasPrefix(value, `"`) {
			if v, err := strconv.Unquote(value); err == nil {
				value = v
			}
		}
		out = append(out, Property{name, value})
	}
	return out, true
}
