package distro

import (
	"bytes"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// maxField bounds what is kept of one folded field.
const maxField = 256 << 10

// stanza is one paragraph of a control file in the Debian syntax (deb822(5), dpkg 1.22): its wanted fields by name. A folded
// field keeps its line breaks, but for Description, of which only the first line is kept.
type stanza struct {
	line   int // of its first field
	fields map[string]string
}

func (s *stanza) get(name string) string { return s.fields[name] }

// stanzas reads a control file paragraph by paragraph.
type stanzas struct {
	*lines
	want  map[string]bool
	field string // the field at hand; "" when it is not wanted
	value []byte
}

// next reads the next paragraph into s. io.EOF comes after the last one.
func (r *stanzas) next(s *stanza) error {
	clear(s.fields)
	s.line = 0
	defer r.flush(s)
	for {
		b, err := r.lines.next()
		if err == io.EOF && s.line > 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(b)) == 0 {
			if s.line > 0 {
				return nil
			}
			continue
		}
		if s.line == 0 {
			s.line = r.n
		}
		r.take(s, b)
	}
}

// take keeps one line of a paragraph.
func (r *stanzas) take(s *stanza, b []byte) {
	if b[0] == ' ' || b[0] == '\t' {
		if r.field != "" && r.field != "Description" && len(r.value)+len(b) < maxField {
			r.value = append(append(r.value, '\n'), bytes.TrimSpace(b)...)
		}
		return
	}
	r.flush(s)
	name, value, ok := bytes.Cut(b, []byte(":"))
	if !ok || !r.want[string(name)] {
		return
	}
	r.field = string(name)
	r.value = append(r.value, bytes.TrimSpace(value)...)
	if r.field == "Package" && s.fields[r.field] == "" {
		s.line = r.n
	}
}

// flush ends the field at hand, if there is one.
func (r *stanzas) flush(s *stanza) {
	if r.field != "" {
		s.fields[r.field] = string(r.value)
	}
	r.field, r.value = "", r.value[:0]
}

// fieldSet makes a set of field names.
func fieldSet(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// debNeeds turns dependency fields ("libc6 (>= 2.34), gpgv:any | gpgv2") into needs. Versions and restrictions are dropped, the
// architecture behind a colon stays; alternatives keep their order; what is asked for twice is one need.
func debNeeds(fields ...string) []biopsy.Need {
	var needs []biopsy.Need
	seen := map[string]bool{}
	for _, f := range fields {
		for one := range strings.SplitSeq(f, ",") {
			name := debAlternatives(one)
			if name == "" || seen[name] {
				continue
			}
			seen[name] = true
			needs = append(needs, biopsy.Need{Name: name, Scope: biopsy.Runtime})
		}
	}
	return needs
}

func debAlternatives(s string) string {
	first, more, ok := strings.Cut(s, "|")
	name := debName(first)
	for n := 1; ok && n < maxAlternatives; n++ {
		first, more, ok = strings.Cut(more, "|")
		switch n := debName(first); {
		case name == "":
			name = n
		case n != "":
			name += " | " + n
		}
	}
	return name
}

// debName cuts a relation down to the package's name, with the architecture where it states one.
func debName(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, " \t\n([<=>"); i >= 0 {
		s = s[:i]
	}
	return s
}

// debNames cuts a list of relations down to comma-separated names, without architectures.
func debNames(s string) string {
	if s == "" {
		return ""
	}
	var names []string
	for one := range strings.SplitSeq(s, ",") {
		if n, _, _ := strings.Cut(debName(one), ":"); n != "" {
			names = append(names, n)
		}
	}
	return strings.Join(names, ",")
}

// debSource reads "name (version)"; nil when the field is empty.
func debSource(s string) *biopsy.Upstream {
	name, rest, _ := strings.Cut(s, "(")
	if name = strings.TrimSpace(name); name == "" {
		return nil
	}
	version, _, _ := strings.Cut(rest, ")")
	return &biopsy.Upstream{Name: name, Version: strings.TrimSpace(version)}
}
